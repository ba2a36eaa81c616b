import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest } from '@bulla/trust/oci/digest';
import { type FilesOptions, openFiles } from '../../../src/storage/files/open.ts';
import {
  type FileOperations,
  type OpenFile,
  SYSTEM_FILES,
} from '../../../src/storage/files/operations.ts';
import type { Store } from '../../../src/storage/store.ts';
import { chunks, text } from '../expectations.ts';
import { type Count, faulty, MISHAPS, type Mishap, type Plan, type Watch } from '../faulty.ts';
import { temporaryFolder } from '../rooms.ts';

/** Calls that change the disk, or tell it to keep a change. */
const CHANGES = new Set(['open', 'rename', 'unlink', 'mkdir', 'syncFolder', 'write', 'sync']);
const DIGEST = computeDigest(text('abcdef'));

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code, syscall: 'injected' });
}

/**
 * The system's files without the waiting for the disk: where a sync may fail or be left out is the
 * plan's affair, and what a power cut leaves is not seen by who goes on running.
 */
const UNSYNCED: FileOperations = {
  ...SYSTEM_FILES,
  async open(path, how) {
    return { ...(await SYSTEM_FILES.open(path, how)), sync: async () => {} };
  },
  syncFolder: async () => {},
};

function faultyFiles(mishap: Mishap, call: number, watch: Watch, count: Count): FileOperations {
  const plan: Plan = {
    mishap,
    call,
    counts: (method) => CHANGES.has(method),
    error: () => systemError('EIO'),
  };
  const files = faulty(UNSYNCED, plan, watch, count);
  return {
    ...bound(files),
    open: async (path, how) => faulty<OpenFile>(await files.open(path, how), plan, watch, count),
  };
}

/** A Proxy does not survive a spread; its methods do. */
function bound(files: FileOperations): FileOperations {
  const { open, readFile, rename, unlink, mkdir, rmdir, readdir, stat, syncFolder } = files;
  return { open, readFile, rename, unlink, mkdir, rmdir, readdir, stat, syncFolder };
}

interface Scenario {
  readonly name: string;
  prepare(store: Store): Promise<unknown>;
  /** The write that goes wrong; doing it again must complete it. */
  write(store: Store): Promise<unknown>;
  /** Whether the write is wholly done (true) or wholly not (false); throws for anything between. */
  isDone(store: Store): Promise<boolean>;
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a swap of a new cell',
    prepare: async () => {},
    write: async ({ registers }) => {
      const cell = await registers.read('a/k');
      if (cell === null) await registers.swap('a/k', null, text('new'));
    },
    async isDone({ registers }) {
      const cell = await registers.read('a/k');
      if (cell !== null) assert.equal(Buffer.from(cell.value).toString(), 'new');
      return cell !== null;
    },
  },
  {
    name: 'a swap of an old cell',
    prepare: ({ registers }) => registers.swap('k', null, text('old')),
    write: async ({ registers }) => {
      const cell = await registers.read('k');
      assert.ok(cell !== null);
      await registers.swap('k', cell.version, text('new'));
    },
    async isDone({ registers }) {
      const found = Buffer.from((await registers.read('k'))?.value ?? []).toString();
      assert.ok(found === 'old' || found === 'new', found);
      return found === 'new';
    },
  },
  {
    name: 'a deletion of a cell',
    prepare: ({ registers }) => registers.swap('k', null, text('old')),
    write: async ({ registers }) => {
      const cell = await registers.read('k');
      if (cell !== null) await registers.delete('k', cell.version);
    },
    isDone: async ({ registers }) => (await registers.read('k')) === null,
  },
  {
    name: 'a put of an object',
    prepare: async () => {},
    write: ({ objects }) => objects.put('o/n', text('abcdef')),
    isDone: isObjectThere,
  },
  {
    name: 'a staged object from begin to commit',
    prepare: async () => {},
    async write({ objects }) {
      if ((await objects.stat('o/n')) !== null) return objects.put('o/n', text('abcdef'));
      // As a client that lost its upload goes on, or begins again.
      if ((await objects.staged('w')) === null) await objects.begin('w');
      const size = (await objects.staged('w'))?.sizeBytes ?? 0;
      await objects.append('w', size, chunks('abcdef'.slice(size)));
      return objects.commit('w', 'o/n', DIGEST);
    },
    isDone: isObjectThere,
  },
  {
    name: 'a deletion and a sweep of an object',
    prepare: ({ objects }) => objects.put('o/n', text('abcdef')),
    async write({ objects }) {
      await objects.delete('o/n', new Date(0));
      await objects.sweep({ at: new Date(), graceMs: 1, stagedMs: 1e9, wanted: async () => false });
    },
    isDone: async (store) => !(await isObjectThere(store)),
  },
];

async function isObjectThere({ objects }: Store): Promise<boolean> {
  const bytes = await objects.bytes('o/n');
  if (bytes !== null) assert.equal(Buffer.from(bytes).toString(), 'abcdef');
  return bytes !== null;
}

/** One run with the mishap at one call; false when the write had no such call. */
async function tryCall(
  how: FilesOptions & { readonly files: FileOperations },
  scenario: Scenario,
  mishap: Mishap,
  call: number,
): Promise<boolean> {
  await using folder = await temporaryFolder();
  {
    await using store = await openFiles(folder.path, how);
    await scenario.prepare(store);
  }
  const watch: Watch = { hit: false, method: '' };
  const count: Count = { calls: 0, over: false };
  let acknowledged = false;
  {
    // Opening changes nothing in a folder that is ready, but makes sure of its subfolders.
    const files = faultyFiles(mishap, call, watch, count);
    const store = await openFiles(folder.path, { ...how, files }).catch(() => null);
    if (store !== null) {
      const outcome = await scenario.write(store).then(
        () => null,
        (error: unknown) => error,
      );
      acknowledged = outcome === null;
      if (outcome !== null) {
        assert.ok(outcome instanceof TrustFault, String(outcome));
        assert.equal(outcome.code, 'storage.failed');
      }
      if (mishap !== 'killed between') {
        count.over = true;
        const done = await scenario.isDone(store);
        assert.ok(done || !acknowledged, `${watch.method}: acknowledged and not there`);
        await scenario.write(store);
        assert.equal(await scenario.isDone(store), true, `${watch.method}: again completes it`);
        acknowledged = true;
      }
      await store[Symbol.asyncDispose]();
    }
  }
  await using store = await openFiles(folder.path, how);
  const done = await scenario.isDone(store);
  assert.ok(done || !acknowledged, `${watch.method}: acknowledged and lost`);
  await scenario.write(store);
  assert.equal(await scenario.isDone(store), true, `${watch.method}: again after the restart`);
  return watch.hit;
}

/** The ways to open a folder. */
const WAYS: readonly (FilesOptions & { readonly name: string })[] = [
  { name: 'alone', shared: false },
  { name: 'shared', shared: true, beatMs: 1 },
];

for (const { name, ...how } of WAYS) {
  for (const scenario of SCENARIOS) {
    for (const mishap of MISHAPS) {
      test(`${name}: ${scenario.name}: ${mishap} at each call`, async () => {
        let call = 0;
        while (await tryCall({ ...how, files: UNSYNCED }, scenario, mishap, call)) call += 1;
        assert.ok(call >= 3, `only ${call} calls were tried`);
      });
    }
  }
  test(`${name}: a full disk is storage.full, and what was staged goes on`, () => fillDisk(how));
  test(`${name}: bytes are synced before they get their name, the folder before the answer`, () =>
    // A beat is no part of a write.
    watchSyncs({ ...how, beatMs: 3600_000 }));
}

async function fillDisk(how: FilesOptions): Promise<void> {
  await using folder = await temporaryFolder();
  let full = false;
  const files: FileOperations = {
    ...SYSTEM_FILES,
    async open(path, how) {
      const file = await SYSTEM_FILES.open(path, how);
      return {
        ...file,
        async write(bytes, position) {
          // What is written over needs no more room.
          const isNew = position + bytes.length > (await file.size());
          if (!full || !isNew) return file.write(bytes, position);
          // A disk takes what it can before it says no.
          await file.write(bytes.subarray(0, 2), position);
          throw systemError('ENOSPC');
        },
      };
    },
  };
  await using store = await openFiles(folder.path, { ...how, files });
  const isFull = (error: unknown) => error instanceof TrustFault && error.code === 'storage.full';
  await store.objects.begin('w');
  full = true;
  await assert.rejects(store.objects.append('w', 0, chunks('abcdef')), isFull);
  await assert.rejects(store.objects.put('n', text('abcdef')), isFull);
  await assert.rejects(store.registers.swap('k', null, text('v')), isFull);
  assert.equal(await store.objects.stat('n'), null);
  assert.equal(await store.registers.read('k'), null);
  full = false;
  const size = (await store.objects.staged('w'))?.sizeBytes ?? -1;
  assert.equal(size, 2);
  await store.objects.append('w', size, chunks('cdef'));
  assert.equal(await store.objects.commit('w', 'n', DIGEST), 6);
  for (const { name, isFolder } of await SYSTEM_FILES.readdir(`${folder.path}/tmp`)) {
    assert.ok(isFolder);
    assert.deepEqual(await SYSTEM_FILES.readdir(`${folder.path}/tmp/${name}`), []);
  }
}

async function watchSyncs(how: FilesOptions): Promise<void> {
  await using folder = await temporaryFolder();
  const calls: string[] = [];
  const note = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(object, name, receiver) {
        const value: unknown = Reflect.get(object, name, receiver);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (CHANGES.has(String(name)) && name !== 'open') calls.push(String(name));
          const result: unknown = await value.apply(object, args);
          return name === 'open' ? note(result as OpenFile) : result;
        };
      },
    });
  await using store = await openFiles(folder.path, { ...how, files: note(SYSTEM_FILES) });
  const { objects, registers } = store;
  const version = await registers.swap('a/k', null, text('1'));
  await objects.put('o/first', text('x'));
  const of = async (write: () => Promise<unknown>) => {
    calls.length = 0;
    await write();
    return calls.join(' ');
  };
  assert.equal(
    await of(() => registers.swap('a/k', version, text('2'))),
    'write sync rename syncFolder',
  );
  // Shared, nobody remembers that the object has no mark: it is taken away in any case.
  const put = await of(() => objects.put('o/n', text('abc')));
  assert.match(put, /^write sync rename syncFolder( unlink)?$/);
  await objects.begin('w');
  await objects.append('w', 0, chunks('abcdef'));
  const commit = await of(() => objects.commit('w', 'o/m', DIGEST));
  // Shared, the claim is written first.
  assert.match(commit, /^(write )?sync rename syncFolder/);
  const cell = await registers.read('a/k');
  const remove = await of(() => registers.delete('a/k', cell?.version ?? ''));
  assert.equal(remove, 'unlink syncFolder');
}
