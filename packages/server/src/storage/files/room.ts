import { randomBytes } from 'node:crypto';
import { dirname, join } from 'node:path';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Exclusion } from '../exclusion.ts';
import { type FileOperations, isSystemError, unlessAbsent } from './operations.ts';
import { nameOf } from './path.ts';

/** This process among others that have the folder open. */
export interface Sharing {
  /** This process by a name that no other has, nor had: 24 hexadecimal digits. */
  readonly process: string;
  /** Whether a process of that name has the folder open. */
  isAlive(process: string): Promise<boolean>;
}

/** What differs between a folder that a process has alone and one that it shares. */
export interface RoomParts {
  /** Serialises writers by name, so that compare-and-swap and deletion compare and act as one. */
  readonly writers: Exclusion;
  /** Null: no other process has the folder open. */
  readonly sharing: Sharing | null;
  /** Where this process keeps files before their rename; relative to the data folder. */
  readonly tmp: string;
}

/** What the contracts of one open folder share. Folders are relative to the data folder. */
export interface Room extends RoomParts {
  readonly files: FileOperations;
  /** Runs one call of a contract: refuses after the end, and gives system errors their code. */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** The absolute path of `path`. */
  at(...path: readonly string[]): string;
  /** Makes the folder of the file `path` and its parents, durably. */
  makeFolderOf(path: string): Promise<void>;
  /** Puts `bytes` at `path`, whole and durable, replacing what is there. */
  replace(path: string, bytes: Uint8Array): Promise<void>;
  /** Makes a rename or an unlink of `path` durable. */
  settle(path: string): Promise<void>;
  /** Names of the files below `root`/`folder`, in no order. */
  names(root: string, folder: string): Promise<readonly string[]>;
  /** Refuses new calls, and resolves when those under way have ended. */
  close(): Promise<void>;
}

/** The room of `folder`, whose subfolders exist. */
export function openRoom(folder: string, files: FileOperations, parts: RoomParts): Room {
  const calls = new Set<Promise<unknown>>();
  const durableFolders = new Set<string>();
  let closed = false;

  async function makeFolder(path: string): Promise<void> {
    if (path === folder || durableFolders.has(path)) return;
    await makeFolder(dirname(path));
    try {
      await files.mkdir(path);
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error;
    }
    // Also when it was there: whoever made it may not have come as far as this.
    await files.syncFolder(dirname(path));
    durableFolders.add(path);
  }

  const at = (...path: readonly string[]) => join(folder, ...path);
  const settle = (path: string) => files.syncFolder(dirname(path));
  const makeFolderOf = (path: string) => makeFolder(dirname(path));
  return {
    ...parts,
    files,
    at,
    makeFolderOf,
    settle,
    async run(call) {
      if (closed) throw new TrustFault('storage.closed', `${quote(folder)} was closed`);
      const running = call();
      calls.add(running);
      try {
        return await running;
      } catch (error) {
        throw asStorageFault(error, folder);
      } finally {
        calls.delete(running);
      }
    },
    async replace(path, bytes) {
      await makeFolderOf(path);
      const made = at(parts.tmp, randomBytes(12).toString('hex'));
      try {
        await writeNew(files, made, bytes);
        await files.rename(made, path);
      } catch (error) {
        await files.unlink(made).catch(() => undefined);
        throw error;
      }
      await settle(path);
    },
    names: (root, below) => walk(files, at(root), below),
    async close() {
      closed = true;
      while (calls.size > 0) await Promise.allSettled(calls);
    },
  };
}

async function writeNew(files: FileOperations, path: string, bytes: Uint8Array): Promise<void> {
  const file = await files.open(path, 'new');
  try {
    await file.write(bytes, 0);
    // Before the rename: else a power cut may leave the new name with none of the bytes.
    await file.sync();
  } finally {
    await file.close();
  }
}

async function walk(
  files: FileOperations,
  root: string,
  below: string,
): Promise<readonly string[]> {
  const found: string[] = [];
  const folders = [below];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of (await unlessAbsent(files.readdir(join(root, folder)))) ?? []) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFolder) {
        folders.push(path);
      } else {
        const name = nameOf(path);
        if (name !== null) found.push(name);
      }
    }
  }
  return found;
}

/** A system error as `storage.full` or `storage.failed`; faults and others' errors as they are. */
function asStorageFault(error: unknown, folder: string): unknown {
  if (error instanceof TrustFault || !(error instanceof Error)) return error;
  // SQLite's errors, where it holds locks, have a number.
  if (!('syscall' in error || 'errcode' in error)) return error;
  const full = isSystemError(error, 'ENOSPC', 'EDQUOT');
  const code = full ? 'storage.full' : 'storage.failed';
  return new TrustFault(code, `${quote(folder)}: ${quote(error.message)}`, undefined, {
    cause: error,
  });
}
