import { join } from 'node:path';
import { asFault } from '@bulla/trust/fault/fault';
import { keyFileIo } from '@bulla/trust/keys/file/disk';
import { generatePrivateKey, plainPrivateKeyPem } from '@bulla/trust/keys/file/generate';
import { openSigner } from '@bulla/trust/keys/file/open';
import type { FileSigner } from '@bulla/trust/keys/file/signer';
import { writeKeyFiles } from '@bulla/trust/keys/file/write';

/** The record key's file in a data folder. */
export const RECORD_KEY_FILE = 'record.key';

/**
 * The key that signs the record's heads: Ed25519, in `record.key` of the folder, mode 0600, made if
 * it is not there. It signs nothing else. Throws as `openSigner`, and `usage.file` when it cannot
 * be written. Two processes that make it at once end up with the same one.
 */
export async function openRecordKey(folder: string): Promise<FileSigner> {
  const path = join(folder, RECORD_KEY_FILE);
  const there = await readRecordKey(folder);
  if (there !== null) return there;
  const text = plainPrivateKeyPem(await generatePrivateKey('ed25519'));
  try {
    await writeKeyFiles([{ path, text, secret: true }]);
  } catch (error) {
    if (asFault(error).code !== 'key.exists') throw error;
  }
  return open(path);
}

/** The record's key of a folder, or null when it is not there. Throws as `openSigner`. */
export async function readRecordKey(folder: string): Promise<FileSigner | null> {
  try {
    return await open(join(folder, RECORD_KEY_FILE));
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function open(path: string): Promise<FileSigner> {
  return openSigner({ kind: 'file', path }, keyFileIo({}));
}

function isMissing(error: unknown): boolean {
  const { cause } = asFault(error);
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
