import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest, parseDigest } from '@bulla/trust/oci/digest';
import type { Objects } from '../storage/objects.ts';
import type { Tables } from '../storage/tables.ts';

/**
 * What decisions looked at, kept for simulations: each content once, as the object
 * `evidence/sha256/<2 hex>/<hex>`, with its digest in the entries that refer to it.
 */
export interface Evidence {
  /** Stores the bytes unless they are there, and answers their digest. */
  keep(bytes: Uint8Array): Promise<string>;
  /** To be called after the entry that refers to the bytes was written: a sweep may have come between. */
  confirm(digest: string, bytes: Uint8Array): Promise<void>;
  /** The bytes. Throws `record.evidence-missing` when they are gone or altered. */
  read(digest: string): Promise<Uint8Array>;
  /** Marks the bytes for removal as of `at`, if no entry refers to them any more. */
  release(digests: readonly string[], at: Date): Promise<void>;
}

/** Evidence in a store of objects, referred to from the record's rows. */
export function openEvidence(objects: Objects, tables: Tables): Evidence {
  async function confirm(digest: string, bytes: Uint8Array): Promise<void> {
    const name = evidenceName(digest);
    if (!(await objects.keep(name))) await objects.put(name, bytes);
  }
  return {
    async keep(bytes) {
      const digest = computeDigest(bytes);
      await confirm(digest, bytes);
      return digest;
    },
    confirm,
    async read(digest) {
      const bytes = await objects.bytes(evidenceName(digest));
      if (bytes === null || computeDigest(bytes) !== digest) {
        const found = bytes === null ? 'nothing' : 'other bytes';
        throw new TrustFault(
          'record.evidence-missing',
          `expected the evidence ${quote(digest)}, found ${found}`,
        );
      }
      return bytes;
    },
    async release(digests, at) {
      for (const digest of new Set(digests)) {
        if (!(await isReferredTo(tables, digest))) await objects.delete(evidenceName(digest), at);
      }
    },
  };
}

function evidenceName(digest: string): string {
  const [algorithm = '', hex = ''] = parseDigest(digest, 'a dossier').split(':');
  return `evidence/${algorithm}/${hex.slice(0, 2)}/${hex}`;
}

/** The digest in an object's name, or null when the object is no evidence. */
function digestOfName(name: string): string | null {
  const [, algorithm, hex] = /^evidence\/([a-z0-9]+)\/[0-9a-f]{2}\/([0-9a-f]+)$/.exec(name) ?? [];
  return algorithm === undefined || hex === undefined ? null : `${algorithm}:${hex}`;
}

/**
 * Whether an entry of the record refers to the object; null for an object that is no evidence. A
 * sweep of the store asks this before it removes one.
 */
export async function isEvidenceWanted(tables: Tables, name: string): Promise<boolean | null> {
  const digest = digestOfName(name);
  return digest === null ? null : isReferredTo(tables, digest);
}

async function isReferredTo({ db }: Tables, digest: string): Promise<boolean> {
  const row = await db
    .selectFrom('record_entries')
    .select('seq')
    .where('dossier', '=', digest)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}
