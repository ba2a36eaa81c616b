import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { exclusion } from '../exclusion.ts';
import { type Lock, openLock } from '../lock.ts';
import type { Store } from '../store.ts';
import { CLAIMS } from './claims.ts';
import { DELETED } from './deletions.ts';
import {
  joinFolder,
  type MemberOptions,
  PROCESSES,
  removeMembers,
  requireLocks,
  TMP,
} from './members.ts';
import { fileObjects, OBJECTS } from './objects.ts';
import { type FileOperations, isSystemError, SYSTEM_FILES, unlessAbsent } from './operations.ts';
import { type FolderOwner, folderOwner, OWNER } from './owner.ts';
import { CELLS, fileRegisters } from './registers.ts';
import { openRoom, type Room } from './room.ts';
import { STAGED } from './staging.ts';
import { openStripes } from './stripes.ts';

/** How a folder is opened. */
export interface FilesOptions extends MemberOptions {
  /** Whether other processes may have the folder open at the same time. Default false. */
  readonly shared?: boolean;
  /** The file system; another in tests. */
  readonly files?: FileOperations;
}

/** The store of a folder, which knows whose it is. */
export interface FilesStore extends Store {
  readonly owner: FolderOwner;
}

const FORMAT = 'format';
const FORMAT_TEXT = 'bulla-store 1\n';
const LOCK = 'lock';
const DOOR = 'door';
const STRIPES = 'stripes';
/** What may lie in a folder before its format does. */
const BEFORE_FORMAT: ReadonlySet<string> = new Set([LOCK, DOOR, STRIPES, PROCESSES, TMP, OWNER]);
const ENTER_MS = 2000;
const DOOR_MS = 60_000;
const ASK_MS = 10;

/**
 * Opens the store in `folder`, which is made when it is not there. The folder belongs to the store
 * alone, and to one process at a time, or to several that all open it `shared`; README.md tells which
 * volumes are fit for that. Throws `storage.locked` where others have it in a way that excludes this
 * one; `storage.locks-missing` for a volume that keeps no locks between processes;
 * `storage.folder-unsuitable` for a folder that holds something else, cannot be written, or does not
 * tell upper from lower case.
 */
export async function openFiles(folder: string, options: FilesOptions = {}): Promise<FilesStore> {
  const { files = SYSTEM_FILES, shared = false, lockAt = openLock } = options;
  const path = resolve(folder);
  try {
    await using opening = new AsyncDisposableStack();
    await prepare(files, path);
    const lock = await lockAt(`${path}/${LOCK}`);
    opening.defer(() => lock.close());
    const open = shared ? openShared : openAlone;
    const { room, objects } = await open({ path, files, lock, opening, options });
    return opened(room, objects, opening.move());
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot use ${quote(path)}: ${quote(reason)}`;
    throw new TrustFault('storage.folder-unsuitable', message, undefined, { cause });
  }
}

interface Opening {
  readonly path: string;
  readonly files: FileOperations;
  readonly lock: Lock;
  /** What has to be undone at the end, in the opposite order. */
  readonly opening: AsyncDisposableStack;
  readonly options: MemberOptions;
}

type OpenedRoom = { readonly room: Room; readonly objects: Store['objects'] };

async function openAlone({ path, files, lock }: Opening): Promise<OpenedRoom> {
  if (!lock.tryExclusive()) throw inUse(path, lock);
  const fresh = await prepare(files, path);
  // What was being written when the processes before this one died.
  await removeMembers(path, files);
  const room = openRoom(path, files, { writers: exclusion(), sharing: null, tmp: TMP });
  await makeReady(room, fresh);
  return { room, objects: await fileObjects(room) };
}

async function openShared({ path, files, lock, opening, options }: Opening): Promise<OpenedRoom> {
  const entered = await soon(() => lock.tryShared(), ENTER_MS);
  if (!entered) {
    await makeFolders(files, `${path}/${TMP}`);
    await requireLocks(path, files, options.lockAt ?? openLock);
    const message = `${quote(path)} is held by a server that has it alone`;
    const remedy = 'Stop that server, or keep its tables in PostgreSQL as those of the others.';
    throw new TrustFault('storage.locked', message, remedy);
  }
  const door = await openLock(`${path}/${DOOR}`);
  try {
    if (!(await soon(() => door.tryExclusive(), DOOR_MS))) {
      throw new TrustFault('storage.locked', `${quote(path)} is being opened by another server`);
    }
    const fresh = await prepare(files, path);
    for (const name of [PROCESSES, STRIPES, TMP]) await makeFolders(files, `${path}/${name}`);
    const stripes = openStripes(`${path}/${STRIPES}`);
    opening.defer(() => stripes.close());
    const member = await joinFolder(path, files, options);
    opening.defer(() => member.leave());
    const tmp = `${TMP}/${member.process}`;
    const room = openRoom(path, files, { writers: stripes, sharing: member, tmp });
    await makeReady(room, fresh);
    return { room, objects: await fileObjects(room) };
  } finally {
    door.close();
  }
}

/** Asks until the answer is yes, without waiting in the event loop; false when it took too long. */
async function soon(ask: () => boolean, waitMs: number): Promise<boolean> {
  const end = performance.now() + waitMs;
  while (!ask()) {
    if (performance.now() >= end) return false;
    await sleep(ASK_MS * (0.5 + Math.random()));
  }
  return true;
}

function inUse(path: string, lock: Lock): TrustFault {
  if (!lock.tryShared()) {
    return new TrustFault('storage.locked', `${quote(path)} is held by another process`);
  }
  const message = `${quote(path)} is shared by servers whose tables are in PostgreSQL`;
  const remedy = 'Stop all of them, or name another folder in storage.objects.folder.';
  return new TrustFault('storage.locked', message, remedy);
}

function opened(room: Room, objects: Store['objects'], life: AsyncDisposableStack): FilesStore {
  let closing: Promise<void> | undefined;
  return {
    objects,
    registers: fileRegisters(room),
    owner: folderOwner(room),
    [Symbol.asyncDispose]() {
      closing ??= room.close().then(() => life.disposeAsync());
      return closing;
    },
  };
}

/** Makes the folder if need be; true when nothing is in it that was kept. */
async function prepare(files: FileOperations, path: string): Promise<boolean> {
  await makeFolders(files, path);
  const names = (await files.readdir(path)).map(({ name }) => name);
  if (names.includes(FORMAT)) {
    const text = Buffer.from(await files.readFile(`${path}/${FORMAT}`)).toString('latin1');
    if (text === FORMAT_TEXT) return false;
    const message = `expected ${quote(FORMAT_TEXT)} in ${quote(`${path}/${FORMAT}`)}`;
    throw new TrustFault('storage.folder-unsuitable', `${message}, found ${quote(text)}`);
  }
  const foreign = names.find((name) => !BEFORE_FORMAT.has(name));
  if (foreign === undefined) return true;
  throw new TrustFault(
    'storage.folder-unsuitable',
    `${quote(path)} holds ${quote(foreign)}, which is not of this store`,
  );
}

async function makeFolders(files: FileOperations, path: string): Promise<void> {
  try {
    await files.mkdir(path);
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return;
    if (!isSystemError(error, 'ENOENT') || dirname(path) === path) throw error;
    await makeFolders(files, dirname(path));
    // Another process may be making the same ones.
    await files.mkdir(path).catch((second: unknown) => {
      if (!isSystemError(second, 'EEXIST')) throw second;
    });
  }
  await files.syncFolder(dirname(path));
}

async function makeReady(room: Room, fresh: boolean): Promise<void> {
  const kept = [OBJECTS, DELETED, STAGED, CLAIMS, CELLS];
  for (const name of [TMP, ...(fresh ? [] : kept)]) await room.makeFolderOf(room.at(name, 'x'));
  if (!fresh) return;
  await refuseFoldedCase(room);
  // The format comes before the folders: a folder without it was never used.
  await room.replace(room.at(FORMAT), Buffer.from(FORMAT_TEXT));
  for (const name of kept) await room.makeFolderOf(room.at(name, 'x'));
}

/** Tags differ by case, so their files must. */
async function refuseFoldedCase(room: Room): Promise<void> {
  const lower = room.at(room.tmp, 'case');
  await (await room.files.open(lower, 'new')).close();
  const folded = await unlessAbsent(room.files.stat(room.at(room.tmp, 'CASE')));
  await room.files.unlink(lower);
  if (folded === null) return;
  const message = `${quote(room.at(TMP))} does not tell upper from lower case`;
  throw new TrustFault('storage.folder-unsuitable', message);
}
