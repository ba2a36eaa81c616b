import type { Digest } from '@bulla/trust/oci/digest';
import type { Registers } from '../../storage/registers.ts';
import {
  type Leaving,
  readBlobRecord,
  readManifestRecord,
  writeBlobRecord,
  writeManifestRecord,
} from '../cells.ts';
import { changeCell, type Ground } from '../ground.ts';
import { KEYS } from '../keys.ts';

/**
 * Whether the repository has the content as a blob or as a manifest, and keeps it: where a collection
 * is about to take it out, the record gets another version, and the collection does not.
 */
export async function keepContent(
  ground: Ground,
  repository: string,
  digest: Digest,
): Promise<boolean> {
  const blob = await changeCell(
    ground,
    KEYS.blob(repository, digest),
    unmarked(readBlobRecord, writeBlobRecord),
  );
  const manifest = await changeCell(
    ground,
    KEYS.manifest(repository, digest),
    unmarked(readManifestRecord, writeManifestRecord),
  );
  return blob || manifest;
}

function unmarked<T extends Leaving>(
  read: (value: Uint8Array) => T,
  write: (record: Omit<T, 'leaving'>) => Uint8Array,
): (value: Uint8Array | null) => Uint8Array | null {
  return (value) => {
    const record = value === null ? null : read(value);
    return record?.leaving === true ? write(withoutMark(record)) : null;
  };
}

function withoutMark<T extends Leaving>({ leaving, ...record }: T): Omit<T, 'leaving'> {
  return record;
}

/** A record that is to be taken out, as it was looked at. */
export interface Looked<T extends Leaving> {
  readonly key: string;
  readonly version: string;
  readonly record: T;
  readonly write: (record: Omit<T, 'leaving'> & Leaving) => Uint8Array;
}

/**
 * Takes a record out, unless it was changed since it was looked at or is wanted now; true when it is
 * gone. It is marked first. A push of what lists it notes so and looks for it again (`keepContent`), and
 * this asks for such notes: whichever comes second sees the other, and the record stays. It is asked
 * once more when the record is gone, and put back after a yes. Only what nobody has noted goes, so
 * wherever this is killed, no acknowledged push lacks anything.
 */
export async function takeOutRecord<T extends Leaving>(
  registers: Registers,
  { key, version, record, write }: Looked<T>,
  isWantedNow: () => Promise<boolean>,
): Promise<boolean> {
  const staying = withoutMark(record);
  const marked = await registers.swap(key, version, write({ ...staying, leaving: true }));
  if (marked === null) return false;
  if (await isWantedNow()) {
    // Null means that it was pushed, fetched or kept meanwhile, which is as good.
    await registers.swap(key, marked, write(staying));
    return false;
  }
  if (!(await registers.delete(key, marked))) return false;
  if (!(await isWantedNow())) return true;
  await registers.swap(key, null, write(staying));
  return false;
}
