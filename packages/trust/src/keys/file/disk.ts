import { closeSync, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { quote, TrustFault } from '../../fault/fault.ts';
import type { KeyFile, KeyIo } from './open.ts';

const KEY_FILE_LIMIT_BYTES = 1 << 20;

/**
 * Keys of this machine's files and of `env`. A file of more than 1 MiB gives `usage.file`; pipes
 * (`<(…)`) are read as files are.
 */
export function keyFileIo(env: KeyIo['env']): KeyIo {
  return { readFile: readKeyFile, env };
}

// A file is read at once: it is small, and the machinery for waiting takes longer to load than a key
// takes to read. A pipe may keep its reader waiting.
async function readKeyFile(path: string): Promise<KeyFile> {
  if (!statSync(path).isFile()) return { bytes: await readPipe(path), mode: null };
  const file = openSync(path, 'r');
  try {
    return { bytes: readAtOnce(file, path), mode: permissions(fstatSync(file)) };
  } finally {
    closeSync(file);
  }
}

function readAtOnce(file: number, path: string): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const part = new Uint8Array(Math.min(16 << 10, KEY_FILE_LIMIT_BYTES + 1 - size));
    const read = readSync(file, part);
    if (read === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, read));
    size += read;
    if (size > KEY_FILE_LIMIT_BYTES) throw tooLarge(path);
  }
}

async function readPipe(path: string): Promise<Uint8Array> {
  await using file = await open(path, 'r');
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of file.createReadStream({ autoClose: false, end: KEY_FILE_LIMIT_BYTES })) {
    parts.push(part);
    size += part.length;
  }
  if (size > KEY_FILE_LIMIT_BYTES) throw tooLarge(path);
  return Buffer.concat(parts);
}

function tooLarge(path: string): TrustFault {
  return new TrustFault('usage.file', `expected a key of at most 1 MiB at ${quote(path)}`);
}

function permissions(stat: Stats): number | null {
  return process.platform === 'win32' ? null : stat.mode & 0o777;
}
