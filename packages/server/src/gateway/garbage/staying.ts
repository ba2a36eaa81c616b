import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { Registers } from '../../storage/registers.ts';
import {
  type Leaving,
  readBlobRecord,
  readManifestRecord,
  writeBlobRecord,
  writeManifestRecord,
} from '../cells.ts';
import type { Ground } from '../ground.ts';
import { KEYS } from '../keys.ts';

const ATTEMPTS = 16;

/**
 * Whether the repository has the content as a blob or as a manifest, and keeps it: where a collection
 * is about to take it out, the record gets another version, and the collection does not.
 */
export async function keepContent(
  { registers }: Ground,
  repository: string,
  digest: Digest,
): Promise<boolean> {
  const blob = await stays(registers, KEYS.blob(repository, digest), (value) => {
    const record = readBlobRecord(value);
    return record.leaving === true ? writeBlobRecord(withoutMark(record)) : null;
  });
  const manifest = await stays(registers, KEYS.manifest(repository, digest), (value) => {
    const record = readManifestRecord(value);
    return record.leaving === true ? writeManifestRecord(withoutMark(record)) : null;
  });
  return blob || manifest;
}

/** A record as it is while nobody is about to take it out. */
export function withoutMark<T extends Leaving>({ leaving, ...record }: T): Omit<T, 'leaving'> {
  return record;
}

async function stays(
  registers: Registers,
  key: string,
  unmarked: (value: Uint8Array) => Uint8Array | null,
): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const cell = await registers.read(key);
    if (cell === null) return false;
    const value = unmarked(cell.value);
    if (value === null || (await registers.swap(key, cell.version, value)) !== null) return true;
  }
  throw new TrustFault('storage.failed', `the cell ${key} is changed by others without a pause`);
}
