import type { Signer } from '@bulla/trust/crypto/signer';
import type { Tables } from '../storage/tables.ts';
import { readEnd } from './read.ts';
import { type Head, openHeadNote, type RecordKeys, signHeadNote } from './signed-head.ts';

/** What signing heads needs. */
export interface HeadsParts {
  readonly tables: Tables;
  readonly signer: Signer;
  readonly record: RecordKeys;
  readonly clock: () => Date;
}

/** A head that was signed and stored. `note` is what an auditor keeps. */
export interface SignedHead extends Head {
  readonly keyId: string;
  readonly note: string;
}

/**
 * Signs the chain's end as it is now and stores the note. One is kept for each end: a quiet record's
 * newest head stays young without a row a minute.
 */
export async function signHead(parts: HeadsParts): Promise<SignedHead> {
  const { tables, signer, record, clock } = parts;
  const end = await readEnd(tables.db);
  const head: Head = { ...end, at: clock() };
  const note = await signHeadNote(signer, record.origin, head);
  const keyId = signer.publicKey.id;
  const values = { at: head.at.toISOString(), key_id: keyId, note };
  await tables.db
    .insertInto('record_signed_heads')
    .values({ seq: end.seq, ...values })
    .onConflict((taken) => taken.column('seq').doUpdateSet(values))
    .execute();
  return { ...head, keyId, note };
}

/** The head stored last; null when none was signed yet. Throws `record.head-invalid`. */
export async function storedHead({
  tables,
  record,
}: Pick<HeadsParts, 'tables' | 'record'>): Promise<SignedHead | null> {
  const row = await tables.db
    .selectFrom('record_signed_heads')
    .select(['note', 'key_id'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return null;
  const head = await openHeadNote(row.note, record);
  return { ...head, keyId: row.key_id, note: row.note };
}

/**
 * The host by which the newest head names the record, or null when none was signed: a record keeps
 * the name that it began with, also where the server is called otherwise today. The note is not
 * checked here; under a name that nobody signed, no head holds.
 */
export async function recordedHost(tables: Tables): Promise<string | null> {
  const row = await tables.db
    .selectFrom('record_signed_heads')
    .select('note')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return /^(?<host>[^\s+]+)\/record\n/.exec(row?.note ?? '')?.groups?.['host'] ?? null;
}
