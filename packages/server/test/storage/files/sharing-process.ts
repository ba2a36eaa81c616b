/**
 * A process that shares a folder with others, for tests that have several or kill one. Its argument is
 * the folder. It prints `ready`, or `refused CODE`, then answers each line of standard input, a `Call`, by an `Answer`;
 * calls run side by side.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import { isDigest } from '@bulla/trust/oci/digest';
import { type FilesStore, openFiles } from '../../../src/storage/files/open.ts';
import { seeded } from '../../seeded.ts';
import { text } from '../expectations.ts';
import { QUICK_BEAT_MS } from '../rooms.ts';

/** What the process is asked to do. */
export interface Call {
  readonly id: number;
  readonly name: keyof typeof CALLS;
  readonly args: readonly string[];
}

/** What came of it. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  /** The code of the fault. */
  readonly fault?: string;
}

type Calls = Readonly<
  Record<string, (store: FilesStore, args: readonly string[]) => Promise<unknown>>
>;

const gates = new Map<string, PromiseWithResolvers<void>>();

function gate(name: string): PromiseWithResolvers<void> {
  const found = gates.get(name) ?? Promise.withResolvers<void>();
  gates.set(name, found);
  return found;
}

async function* held(parts: readonly string[], name: string): AsyncGenerator<Uint8Array> {
  const [first = '', ...rest] = parts;
  yield text(first);
  gate(`${name} began`).resolve();
  await gate(name).promise;
  for (const part of rest) yield text(part);
}

async function* once(part: string): AsyncGenerator<Uint8Array> {
  yield text(part);
}

const FAR = new Date('2100-01-01T00:00:00Z');

/** The reference to an object: the sweep asks for it. */
export const referenceTo = (name: string): string => `refers/${name}`;

async function isReferred({ registers }: FilesStore, name: string): Promise<boolean> {
  const cell = await registers.read(referenceTo(name));
  return cell !== null && Buffer.from(cell.value).toString() === 'yes';
}

async function setReference({ registers }: FilesStore, name: string, to: string): Promise<void> {
  for (;;) {
    const cell = await registers.read(referenceTo(name));
    const expected = cell?.version ?? null;
    if ((await registers.swap(referenceTo(name), expected, text(to))) !== null) return;
  }
}

/** As the registry links content: a reference, then `keep`, and the bytes again where it says no. */
async function refer(store: FilesStore, name: string): Promise<void> {
  for (;;) {
    await setReference(store, name, 'yes');
    if (await store.objects.keep(name)) return;
    await store.objects.put(name, text(name));
  }
}

async function letGo(store: FilesStore, name: string): Promise<void> {
  await setReference(store, name, 'no');
  await store.objects.delete(name, new Date(0));
}

const CALLS = {
  begin: ({ objects }, [id = '']) => objects.begin(id),
  staged: ({ objects }, [id = '']) => objects.staged(id),
  append: ({ objects }, [id = '', offset = '', part = '']) =>
    objects.append(id, Number(offset), once(part)),
  /** Sends the first part, then waits for `open`. */
  appendHeld: ({ objects }, [id = '', offset = '', ...parts]) =>
    objects.append(id, Number(offset), held(parts, id)),
  began: (_, [name = '']) => gate(`${name} began`).promise,
  open: async (_, [name = '']) => gate(name).resolve(),
  commit: ({ objects }, [id = '', name = '', digest = '']) => {
    if (!isDigest(digest)) throw new Error(digest);
    return objects.commit(id, name, digest);
  },
  abort: ({ objects }, [id = '']) => objects.abort(id),
  put: ({ objects }, [name = '', value = '']) => objects.put(name, text(value)),
  /** Puts until it is killed. */
  async putForever({ objects }, [prefix = '']) {
    for (let n = 0; ; n++) await objects.put(`${prefix}/${n}`, Buffer.alloc(100_000, n));
  },
  keep: ({ objects }, [name = '']) => objects.keep(name),
  delete: ({ objects }, [name = '']) => objects.delete(name, new Date(0)),
  refer: (store, [name = '']) => refer(store, name),
  sweep: (store) =>
    store.objects.sweep({
      at: FAR,
      graceMs: 0,
      stagedMs: 0,
      wanted: (name) => isReferred(store, name),
    }),
  /** A sweep that holds the first name it asks for until `open`. */
  sweepHeld: ({ objects }) =>
    objects.sweep({
      at: FAR,
      graceMs: 0,
      stagedMs: Number.MAX_SAFE_INTEGER,
      async wanted() {
        gate('sweep began').resolve();
        await gate('sweep').promise;
        return false;
      },
    }),
  /** Sweeps until `open stop`, answering late what it saw of each reference. */
  async sweepOn(store) {
    let stopped = false;
    const stopping = gate('stop').promise.then(() => {
      stopped = true;
    });
    while (!stopped) {
      const wanted = async (name: string) => {
        const isIt = await isReferred(store, name);
        await sleep(25);
        return isIt;
      };
      await store.objects.sweep({ at: FAR, graceMs: 0, stagedMs: 0, wanted });
      await sleep(1);
    }
    await stopping;
  },
  /**
   * Refers and lets go at random, and prints each reference that is acknowledged, or ends. Nobody
   * else lets go of these names: an object that went after that is an error.
   */
  async churn(store, [seed = '', rounds = '', ...names]) {
    const random = seeded(Number(seed));
    for (let round = 0; round < Number(rounds); round++) {
      const name = names[Math.floor(random() * names.length)] ?? '';
      if (random() < 0.5) {
        await refer(store, name);
        console.log(`refers ${name}`);
        await sleep(5);
        if ((await store.objects.stat(name)) === null) throw new Error(`${name} was removed`);
      } else {
        console.log(`lets go ${name}`);
        await letGo(store, name);
      }
      await sleep(random() * 5);
    }
  },
} satisfies Calls;

async function answer(store: FilesStore, { id, name, args }: Call): Promise<Answer> {
  try {
    return { id, value: (await CALLS[name](store, args)) ?? null };
  } catch (error) {
    return { id, fault: error instanceof TrustFault ? error.code : String(error) };
  }
}

if (import.meta.main) {
  const [folder = ''] = process.argv.slice(2);
  const store = await openFiles(folder, { shared: true, beatMs: QUICK_BEAT_MS }).catch((error) => {
    console.log(`refused ${asFault(error).code}`);
    process.exit(1);
  });
  console.log('ready');
  const underWay = new Set<Promise<void>>();
  for await (const line of createInterface({ input: process.stdin })) {
    const running = answer(store, JSON.parse(line) as Call).then((said) => {
      console.log(JSON.stringify(said));
      underWay.delete(running);
    });
    underWay.add(running);
  }
  await Promise.all(underWay);
  await store[Symbol.asyncDispose]();
}
