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

async function readKeyFile(path: string): Promise<KeyFile> {
  await using file = await open(path, 'r');
  const stat = await file.stat();
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of file.createReadStream({ autoClose: false, end: KEY_FILE_LIMIT_BYTES })) {
    parts.push(part);
    size += part.length;
  }
  if (size > KEY_FILE_LIMIT_BYTES) {
    throw new TrustFault('usage.file', `expected a key of at most 1 MiB at ${quote(path)}`);
  }
  const mode = process.platform === 'win32' || !stat.isFile() ? null : stat.mode & 0o777;
  return { bytes: Buffer.concat(parts), mode };
}
