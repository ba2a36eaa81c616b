import { createHash } from 'node:crypto';
import { parseJson } from '@bulla/trust/bytes/json';
import { asCount, asInstant, asString, cursor, member, optional } from '@bulla/trust/bytes/shape';
import { asFault, type TrustFault } from '@bulla/trust/fault/fault';
import { openTurns } from '../bounds/turns.ts';
import { asNodeQuestion, type NodeQuestion } from '../node/question.ts';
import type { SealedFolder } from './sealed.ts';

/** A pass, as it is kept for its name and digest. */
export interface KeptPass extends NodeQuestion {
  readonly decision: string;
  /** The generation it holds under. */
  readonly generation: string;
  /** When the server was asked. */
  readonly asked: Date;
  /** So long after `asked` it is given again unasked. */
  readonly freshForMs: number;
  readonly validUntil: Date | null;
}

/** Passes of one generation, in memory and on disk. */
export interface Kept {
  /** Null before the first answer. */
  generation(): string | null;
  /** The pass, if it is younger than `mostMs` by both clocks, and its evidence has not expired. */
  find(question: NodeQuestion, mostMs: (pass: KeptPass) => number): KeptPass | null;
  /** Keeps a pass of the present generation. Resolves when it is on disk, or cannot be. */
  put(pass: KeptPass): Promise<void>;
  drop(question: NodeQuestion): Promise<void>;
  /** Forgets everything at once, in memory before it returns its promise, and begins a generation. */
  begin(generation: string): Promise<void>;
  readonly size: number;
}

/** What a cache of passes rests on. */
export interface KeptParts {
  readonly folder: SealedFolder;
  readonly clock: () => Date;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Told of files that cannot be used, and of writes that failed: neither stops an answer. */
  readonly failed: (fault: TrustFault) => void;
}

const GENERATION = 'generation.sealed';
/** The most passes that are kept; the oldest make room. */
const ENTRIES_MOST = 2048;
const MALFORMED = 'node.cache-invalid';

interface Held {
  readonly pass: KeptPass;
  /** Of the monotonic clock when it was put; null for one of an earlier process. */
  readonly atMs: number | null;
}

/** The passes that a folder holds. What cannot be read is left out, removed, and told. */
export async function openKept(parts: KeptParts): Promise<Kept> {
  const { folder, clock, now, failed } = parts;
  const loaded = await load(parts);
  const held = new Map<string, Held>(
    loaded.passes.map((pass) => [keyOf(pass), { pass, atMs: null }]),
  );
  let generation = loaded.generation;
  const inTurn = openTurns({ atOnce: 1 });
  // Memory is what answers: a disk that is full costs what a restart would have found.
  const onDisk = (work: () => Promise<void>): Promise<void> =>
    inTurn(work).catch((error: unknown) => failed(asFault(error)));

  return {
    generation: () => generation,
    find(question, mostMs) {
      const found = held.get(keyOf(question));
      if (found === undefined) return null;
      const { pass, atMs } = found;
      const at = clock().getTime();
      const age = at - pass.asked.getTime();
      const most = mostMs(pass);
      // A clock that was set back makes nothing last longer.
      const isYoung = age >= 0 && age < most && (atMs === null || now() - atMs < most);
      return isYoung && at < (pass.validUntil?.getTime() ?? Number.POSITIVE_INFINITY) ? pass : null;
    },
    async put(pass) {
      if (pass.generation !== generation) return;
      const key = keyOf(pass);
      held.delete(key);
      held.set(key, { pass, atMs: now() });
      const oldest = held.size > ENTRIES_MOST ? held.keys().next().value : undefined;
      if (oldest !== undefined) held.delete(oldest);
      await onDisk(async () => {
        if (oldest !== undefined) await folder.remove(fileOf(oldest));
        // What was dropped, or of a generation that ended while this waited, must not come back.
        if (held.get(key)?.pass === pass) await folder.write(fileOf(key), textOf(pass));
      });
    },
    async drop(question) {
      const key = keyOf(question);
      if (!held.delete(key)) return;
      await onDisk(() => folder.remove(fileOf(key)));
    },
    async begin(next) {
      generation = next;
      const keys = [...held.keys()];
      held.clear();
      // First what makes the others void, so that a kill in the middle brings none of them back.
      await onDisk(() =>
        folder.write(GENERATION, Buffer.from(JSON.stringify({ generation: next }))),
      );
      for (const key of keys) {
        await onDisk(() => (held.has(key) ? Promise.resolve() : folder.remove(fileOf(key))));
      }
    },
    get size() {
      return held.size;
    },
  };
}

interface Loaded {
  readonly generation: string | null;
  readonly passes: readonly KeptPass[];
}

async function load({ folder, failed }: KeptParts): Promise<Loaded> {
  const generation = await readOr(folder, GENERATION, failed, parseGeneration);
  const passes: KeptPass[] = [];
  // Two names beside the passes: this one, and that of what stood in.
  for (const name of await folder.names(ENTRIES_MOST + 2)) {
    if (!name.startsWith('pass-')) continue;
    const pass = await readOr(folder, name, failed, parsePass);
    if (pass !== null && pass.generation === generation && fileOf(keyOf(pass)) === name) {
      passes.push(pass);
    } else if (pass !== null) {
      await discard(folder, name, failed);
    }
  }
  passes.sort((one, other) => one.asked.getTime() - other.asked.getTime());
  return { generation, passes };
}

/** The content of a file by `parse`; null, told and removed, for one that must not be used. */
export async function readOr<T>(
  folder: SealedFolder,
  name: string,
  failed: KeptParts['failed'],
  parse: (bytes: Uint8Array) => T,
): Promise<T | null> {
  try {
    const bytes = await folder.read(name);
    return bytes === null ? null : parse(bytes);
  } catch (error) {
    failed(asFault(error));
    await discard(folder, name, failed);
    return null;
  }
}

/** What cannot be removed is left, and not read the next time either. */
async function discard(
  folder: SealedFolder,
  name: string,
  failed: KeptParts['failed'],
): Promise<void> {
  try {
    await folder.remove(name);
  } catch (error) {
    failed(asFault(error));
  }
}

function parseGeneration(bytes: Uint8Array): string {
  const at = cursor(parseJson(bytes, 'the generation'), '', MALFORMED);
  return asString(member(at, 'generation'));
}

function parsePass(bytes: Uint8Array): KeptPass {
  const at = cursor(parseJson(bytes, 'a kept pass'), '', MALFORMED);
  return {
    ...asNodeQuestion(at),
    decision: asString(member(at, 'decision')),
    generation: asString(member(at, 'generation')),
    asked: asInstant(member(at, 'asked')),
    freshForMs: asCount(member(at, 'freshForMs')),
    validUntil: optional(member(at, 'validUntil'), asInstant) ?? null,
  };
}

function textOf(pass: KeptPass): Uint8Array {
  return Buffer.from(JSON.stringify(pass));
}

/** The name as it was asked by: a pass for one name says nothing of the same digest elsewhere. */
function keyOf({ name, digest }: NodeQuestion): string {
  return createHash('sha256')
    .update(JSON.stringify([name, digest]))
    .digest('hex');
}

function fileOf(key: string): string {
  return `pass-${key}.sealed`;
}
