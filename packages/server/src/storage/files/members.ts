import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { type Lock, openLock } from '../lock.ts';
import { type FileOperations, unlessAbsent } from './operations.ts';
import type { Sharing } from './room.ts';

/** Where the processes that have a shared folder open are noted in it. */
export const PROCESSES = 'processes';
/** Where files lie before their rename. */
export const TMP = 'tmp';

/** This process among those that share a folder. */
export interface Member extends Sharing {
  /** Takes the process off the folder; what it cannot remove the next one does. */
  leave(): Promise<void>;
}

/** How a process shows that it lives. */
export interface MemberOptions {
  /** The locks of the volume; others in tests. */
  readonly lockAt?: typeof openLock;
  /** How often it writes that it lives. */
  readonly beatMs?: number;
}

const BEAT_MS = 500;
const BEATS_WATCHED = 3;
/** Whoever wrote nothing for so long before another wrote is not watched. */
const LONG_AGO_MS = 60_000;
const BEAT = '.beat';
const PROCESS = /^[0-9a-f]{24}$/;

/**
 * Puts this process on the folder `path`, and takes those off that died. Only one process at a time
 * may be here; the folders `processes` and `tmp` exist.
 *
 * A process is a lock file of its own, held as long as it lives, and a folder below `tmp`. Beside it
 * it writes a number that grows. When the lock of a process can be had while its number goes on
 * growing, locks do not hold between the two: then this is `storage.locks-missing`, as it is when a
 * file that nobody else knows cannot be locked.
 */
export async function joinFolder(
  path: string,
  files: FileOperations,
  { beatMs = BEAT_MS, lockAt = openLock }: MemberOptions = {},
): Promise<Member> {
  const process = randomBytes(12).toString('hex');
  const place = { path, files, lockAt };
  const lock = await lockAt(lockOf(place, process));
  try {
    if (!lock.tryExclusive()) throw notLocked(path);
    const beat = await startBeat(place, process, beatMs);
    try {
      await removeDead(place, process, beatMs);
      await files.mkdir(`${path}/${TMP}/${process}`);
    } catch (error) {
      await beat.stop();
      throw error;
    }
    return {
      process,
      isAlive: (other) => isAlive(place, other),
      async leave() {
        await beat.stop();
        // The lock goes last: until then nobody else removes anything of this process.
        await removeMember(place, process).catch(() => undefined);
        lock.close();
      },
    };
  } catch (error) {
    lock.close();
    throw error;
  }
}

interface Place {
  readonly path: string;
  readonly files: FileOperations;
  readonly lockAt: typeof openLock;
}

function lockOf({ path }: Pick<Place, 'path'>, process: string): string {
  return `${path}/${PROCESSES}/${process}`;
}

/** Whether the process still holds its lock. It had it before anybody heard of it. */
async function isAlive(place: Place, process: string): Promise<boolean> {
  const path = lockOf(place, process);
  const isThere = async () => (await unlessAbsent(place.files.stat(path))) !== null;
  if (!(await isThere())) return false;
  let lock: Lock;
  try {
    lock = await place.lockAt(path, { readOnly: true });
  } catch (error) {
    // It may have left meanwhile; anything else, as too many open files, says nothing about it.
    if (await isThere()) throw error;
    return false;
  }
  try {
    return !lock.tryShared();
  } finally {
    lock.close();
  }
}

interface Beat {
  stop(): Promise<void>;
}

async function startBeat(place: Place, process: string, beatMs: number): Promise<Beat> {
  const path = lockOf(place, process) + BEAT;
  await (await place.files.open(path, 'new')).close();
  let count = 0;
  const write = async (): Promise<void> => {
    count += 1;
    const file = await place.files.open(path, 'change');
    try {
      await file.write(Buffer.from(String(count).padStart(16, '0')), 0);
    } finally {
      // Closed each time: only then other machines see it.
      await file.close();
    }
  };
  let last: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    // One that fails is made up for by the next.
    last = last.then(write).catch(() => undefined);
  }, beatMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await last;
    },
  };
}

interface Dead {
  readonly process: string;
  readonly lock: Lock;
}

/** Takes off the folder who holds no lock any more, and files of nobody who lives. */
async function removeDead(place: Place, self: string, beatMs: number): Promise<void> {
  const { path, files } = place;
  const living = new Set([self]);
  const dead: Dead[] = [];
  try {
    for (const { name } of await files.readdir(`${path}/${PROCESSES}`)) {
      if (!PROCESS.test(name) || name === self) continue;
      const lock = await place.lockAt(lockOf(place, name));
      if (lock.tryExclusive()) {
        dead.push({ process: name, lock });
      } else {
        lock.close();
        living.add(name);
      }
    }
    await refuseBeating(place, self, dead, beatMs);
    for (const { process } of dead) await removeMember(place, process);
  } finally {
    for (const { lock } of dead) lock.close();
  }
  await emptyTmp(files, `${path}/${TMP}`, living);
}

async function refuseBeating(
  place: Place,
  self: string,
  dead: readonly Dead[],
  beatMs: number,
): Promise<void> {
  const { files } = place;
  const beatOf = (process: string) => lockOf(place, process) + BEAT;
  const now = (await files.stat(beatOf(self))).changedAt.getTime();
  const first = new Map<string, string>();
  for (const { process } of dead) {
    const found = await unlessAbsent(files.stat(beatOf(process)));
    // Both times are the volume's own.
    if (found === null || now - found.changedAt.getTime() > LONG_AGO_MS) continue;
    first.set(process, await countOf(files, beatOf(process)));
  }
  if (first.size === 0) return;
  await sleep(BEATS_WATCHED * beatMs);
  for (const [process, count] of first) {
    if ((await countOf(files, beatOf(process))) === count) continue;
    throw locksMissing(`${quote(place.path)}: the lock of ${process} can be had, and it goes on`);
  }
}

async function countOf(files: FileOperations, path: string): Promise<string> {
  return Buffer.from((await unlessAbsent(files.readFile(path))) ?? []).toString('latin1');
}

async function removeMember(place: Place, process: string): Promise<void> {
  const { path, files } = place;
  await emptyTmp(files, `${path}/${TMP}/${process}`, new Set());
  await unlessAbsent(files.rmdir(`${path}/${TMP}/${process}`));
  await unlessAbsent(files.unlink(lockOf(place, process) + BEAT));
  await unlessAbsent(files.unlink(lockOf(place, process)));
}

/** Removes what lies in a folder of files before their rename, but for the folders `kept`. */
async function emptyTmp(
  files: FileOperations,
  folder: string,
  kept: ReadonlySet<string>,
): Promise<void> {
  for (const { name, isFolder } of (await unlessAbsent(files.readdir(folder))) ?? []) {
    if (kept.has(name)) continue;
    if (isFolder) {
      await emptyTmp(files, `${folder}/${name}`, new Set());
      await unlessAbsent(files.rmdir(`${folder}/${name}`));
    } else {
      await unlessAbsent(files.unlink(`${folder}/${name}`));
    }
  }
}

/** Removes what processes left that shared the folder before; only where no other has it open. */
export async function removeMembers(path: string, files: FileOperations): Promise<void> {
  await emptyTmp(files, `${path}/${TMP}`, new Set());
  for (const { name } of (await unlessAbsent(files.readdir(`${path}/${PROCESSES}`))) ?? []) {
    await unlessAbsent(files.unlink(`${path}/${PROCESSES}/${name}`));
  }
}

/**
 * Throws `storage.locks-missing` when a file that nobody else knows cannot be locked: then it is no
 * other process that has a lock which could not be had. The folder `tmp` exists.
 */
export async function requireLocks(
  path: string,
  files: FileOperations,
  lockAt: typeof openLock,
): Promise<void> {
  const file = `${path}/${TMP}/${randomBytes(12).toString('hex')}`;
  const lock = await lockAt(file);
  try {
    if (!lock.tryExclusive()) throw notLocked(path);
  } finally {
    lock.close();
    await unlessAbsent(files.unlink(file));
  }
}

function notLocked(path: string): TrustFault {
  return locksMissing(`${quote(path)}: a new file cannot be locked, though nobody else has it`);
}

function locksMissing(message: string): TrustFault {
  return new TrustFault('storage.locks-missing', message);
}
