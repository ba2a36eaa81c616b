import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { quote, TrustFault } from '../../fault/fault.ts';
import { isSystemError } from '../system-error.ts';
import type { LayoutContent } from './content.ts';

const CHUNK_BYTES = 256 << 10;

/** The files of a layout in the folder `path`. */
export function folderContent(path: string): LayoutContent {
  return {
    path,
    read: (name, maxBytes) => readWhole(join(path, name), maxBytes),
    open: (name) => openInPieces(join(path, name)),
  };
}

async function openRegular(path: string): Promise<{ file: FileHandle; size: number } | null> {
  let file: FileHandle;
  try {
    // O_NOFOLLOW: a link in a foreign layout must not lead to another file of this machine.
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT') || isSystemError(cause, 'ENOTDIR')) return null;
    if (isSystemError(cause, 'ELOOP')) throw irregular(path);
    throw new TrustFault('usage.file', `cannot read ${quote(path)}`, undefined, { cause });
  }
  const found = await file.stat();
  if (!found.isFile()) {
    await file.close();
    throw irregular(path);
  }
  return { file, size: found.size };
}

function irregular(path: string): TrustFault {
  return new TrustFault('layout.malformed', `expected a regular file at ${quote(path)}`);
}

async function readWhole(path: string, maxBytes: number): Promise<Uint8Array | null> {
  const opened = await openRegular(path);
  if (opened === null) return null;
  try {
    if (opened.size > maxBytes) {
      throw new TrustFault(
        'registry.limit',
        `expected at most ${maxBytes} bytes at ${quote(path)}, found ${opened.size}`,
      );
    }
    return await opened.file.readFile();
  } finally {
    await opened.file.close();
  }
}

async function openInPieces(
  path: string,
): Promise<{ size: number; chunks: AsyncIterable<Uint8Array> } | null> {
  const opened = await openRegular(path);
  if (opened === null) return null;
  // The handle is not kept until the first piece is asked for: a stream that nobody reads leaks none.
  await opened.file.close();
  return { size: opened.size, chunks: pieces(path) };
}

async function* pieces(path: string): AsyncGenerator<Uint8Array> {
  const opened = await openRegular(path);
  if (opened === null) throw new TrustFault('content.missing', `${quote(path)} is gone`);
  try {
    for (;;) {
      const { bytesRead, buffer } = await opened.file.read(
        Buffer.allocUnsafe(CHUNK_BYTES),
        0,
        CHUNK_BYTES,
      );
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await opened.file.close();
  }
}
