import { dirname, resolve } from 'node:path';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { lockFile } from '../lock.ts';
import type { Store } from '../store.ts';
import { DELETED } from './deletions.ts';
import { fileObjects, OBJECTS } from './objects.ts';
import { type FileOperations, isSystemError, SYSTEM_FILES, unlessAbsent } from './operations.ts';
import { CELLS, fileRegisters } from './registers.ts';
import { openRoom, type Room } from './room.ts';
import { STAGED } from './staging.ts';

/** How a folder is opened. */
export interface FilesOptions {
  /** The file system; another in tests. */
  readonly files?: FileOperations;
}

const FORMAT = 'format';
const FORMAT_TEXT = 'bulla-store 1\n';
const LOCK = 'lock';
const TMP = 'tmp';

/**
 * Opens the store in `folder`, which is made when it is not there. The folder belongs to the store
 * alone, and to one process at a time. Throws `storage.locked`; `storage.folder-unsuitable` for a
 * folder that holds something else, cannot be written, or does not tell upper from lower case.
 */
export async function openFiles(folder: string, options: FilesOptions = {}): Promise<Store> {
  const { files = SYSTEM_FILES } = options;
  const path = resolve(folder);
  try {
    const fresh = await prepare(files, path);
    const unlock = await lockFile(`${path}/${LOCK}`);
    try {
      const room = openRoom(path, files);
      await makeReady(room, fresh);
      return opened(room, await fileObjects(room), unlock);
    } catch (error) {
      unlock();
      throw error;
    }
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `cannot use ${quote(path)}: ${quote(reason)}`;
    throw new TrustFault('storage.folder-unsuitable', message, undefined, { cause });
  }
}

function opened(room: Room, objects: Store['objects'], unlock: () => void): Store {
  let closing: Promise<void> | undefined;
  return {
    objects,
    registers: fileRegisters(room),
    [Symbol.asyncDispose]() {
      closing ??= room.close().then(unlock);
      return closing;
    },
  };
}

/** Makes the folder if need be; true when nothing is in it but a lock. */
async function prepare(files: FileOperations, path: string): Promise<boolean> {
  await makeFolders(files, path);
  const names = (await files.readdir(path)).map(({ name }) => name);
  if (names.includes(FORMAT)) {
    const text = Buffer.from(await files.readFile(`${path}/${FORMAT}`)).toString('latin1');
    if (text === FORMAT_TEXT) return false;
    const message = `expected ${quote(FORMAT_TEXT)} in ${quote(`${path}/${FORMAT}`)}`;
    throw new TrustFault('storage.folder-unsuitable', `${message}, found ${quote(text)}`);
  }
  const foreign = names.find((name) => name !== LOCK && name !== TMP);
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
    await files.mkdir(path);
  }
  await files.syncFolder(dirname(path));
}

async function makeReady(room: Room, fresh: boolean): Promise<void> {
  for (const name of [TMP, ...(fresh ? [] : [OBJECTS, DELETED, STAGED, CELLS])]) {
    await room.makeFolderOf(room.at(name, 'x'));
  }
  // What was being written when the process before this one died.
  for (const { name } of await room.files.readdir(room.at(TMP))) {
    await room.files.unlink(room.at(TMP, name));
  }
  if (!fresh) return;
  await refuseFoldedCase(room);
  // The format comes before the folders: a folder without it was never used.
  await room.replace(room.at(FORMAT), Buffer.from(FORMAT_TEXT));
  for (const name of [OBJECTS, DELETED, STAGED, CELLS]) await room.makeFolderOf(room.at(name, 'x'));
}

/** Tags differ by case, so their files must. */
async function refuseFoldedCase(room: Room): Promise<void> {
  const lower = room.at(TMP, 'case');
  await (await room.files.open(lower, 'new')).close();
  const folded = await unlessAbsent(room.files.stat(room.at(TMP, 'CASE')));
  await room.files.unlink(lower);
  if (folded === null) return;
  const message = `${quote(room.at(TMP))} does not tell upper from lower case`;
  throw new TrustFault('storage.folder-unsuitable', message);
}
