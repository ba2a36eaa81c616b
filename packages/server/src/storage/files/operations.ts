import { constants } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rmdir, stat, unlink } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { fileStream } from './file-stream.ts';

/** An open file. */
export interface OpenFile {
  /** Writes all of `bytes` at `position`. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Reads up to `length` bytes from `position`; fewer only at the end of the file. */
  read(length: number, position: number): Promise<Uint8Array>;
  /** A stream of `length` bytes (at least one) from `position`; it closes the file when it ends. */
  stream(length: number, position: number): Readable;
  size(): Promise<number>;
  /** Returns when the file's bytes and size outlive a power cut (fsync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** An entry of a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/**
 * What the room asks of a file system: the one interface at which tests let a disk fill up, fail or
 * die. Each call either happens or rejects with the system's error (`code`: `ENOENT`, `ENOSPC`, …).
 */
export interface FileOperations {
  /** `new`: must not exist (mode 0600). `read` and `change`: must exist. */
  open(path: string, how: 'new' | 'read' | 'change'): Promise<OpenFile>;
  readFile(path: string): Promise<Uint8Array>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Makes one folder (mode 0700); `EEXIST` when it is there. */
  mkdir(path: string): Promise<void>;
  /** Removes an empty folder. */
  rmdir(path: string): Promise<void>;
  readdir(path: string): Promise<readonly FolderEntry[]>;
  stat(path: string): Promise<{ readonly sizeBytes: number; readonly changedAt: Date }>;
  /** Returns when the folder's entries outlive a power cut (fsync of the folder). */
  syncFolder(path: string): Promise<void>;
}

const FLAGS = {
  new: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  read: constants.O_RDONLY,
  change: constants.O_RDWR,
} as const;

/** The operating system's files. */
export const SYSTEM_FILES: FileOperations = {
  async open(path, how) {
    const handle = await open(path, FLAGS[how], 0o600);
    return {
      async write(bytes, position) {
        for (let done = 0; done < bytes.length; ) {
          const left = bytes.length - done;
          const { bytesWritten } = await handle.write(bytes, done, left, position + done);
          done += bytesWritten;
        }
      },
      async read(length, position) {
        const bytes = Buffer.allocUnsafeSlow(length);
        let done = 0;
        while (done < length) {
          const { bytesRead } = await handle.read(bytes, done, length - done, position + done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        return bytes.subarray(0, done);
      },
      stream: (length, position) =>
        fileStream(
          {
            readInto: async (into, most, from) =>
              (await handle.read(into, 0, most, from)).bytesRead,
            close: () => handle.close(),
          },
          length,
          position,
        ),
      size: async () => (await handle.stat()).size,
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  readFile: (path) => readFile(path),
  rename: (from, to) => rename(from, to),
  unlink: (path) => unlink(path),
  mkdir: (path) => mkdir(path, { mode: 0o700 }),
  rmdir: (path) => rmdir(path),
  async readdir(path) {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  },
  async stat(path) {
    const { size, mtime } = await stat(path);
    return { sizeBytes: size, changedAt: mtime };
  },
  async syncFolder(path) {
    const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Whether `error` is the system's error of that code. */
export function isSystemError(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => error.code === code);
}

/** What `call` answers, or null when the file or folder is not there. */
export async function unlessAbsent<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}
