import type { Signer } from '@bulla/trust/crypto/signer';
import type { Transaction } from 'kysely';
import type { Database } from '../storage/schema.ts';
import type { Tables } from '../storage/tables.ts';
import { append, draftOf, takeEnd } from './append.ts';
import type { PrunedBody } from './body.ts';
import { whileBusy } from './busy.ts';
import type { Evidence } from './evidence.ts';
import { signHead } from './heads.ts';
import { readEnd } from './read.ts';
import { type Anchor, openAnchorNote, type RecordKeys, signAnchorNote } from './signed-head.ts';

/** What pruning needs. */
export interface PruneParts {
  readonly tables: Tables;
  readonly signer: Signer;
  readonly record: RecordKeys;
  readonly evidence: Evidence;
  readonly clock: () => Date;
}

/** What a pruning removed. */
export interface Pruned {
  readonly entries: number;
  /** Number of the last entry that was ever removed; 0 when none was. */
  readonly through: number;
}

/** So many entries go in one transaction: decisions wait for it. */
const BATCH = 2_000;

/**
 * Removes entries from the beginning of the chain while they are older than `before`; the newest
 * entry always stays. Each transaction removes some, adds an entry of kind `pruned` to the chain that
 * says what was removed, and puts a signed anchor in the place of the former one: verification begins
 * there. Throws `record.anchor-invalid` when the former anchor is not the record's own, `storage.*`.
 */
export async function pruneRecord(parts: PruneParts, before: Date): Promise<Pruned> {
  let entries = 0;
  let through = 0;
  // What is added meanwhile stays, also the entries about this pruning.
  const { seq: end } = await readEnd(parts.tables.db);
  for (;;) {
    const batch = await pruneBatch(parts, { before, end });
    if (batch === null) break;
    entries += batch.count;
    through = batch.through;
    await parts.evidence.release(batch.dossiers, parts.clock());
  }
  if (entries > 0) await signHead(parts);
  return { entries, through };
}

/** What goes is older than `before`, and before entry `end`. */
interface Limit {
  readonly before: Date;
  readonly end: number;
}

interface Batch extends Pick<PrunedBody, 'through' | 'hash' | 'count' | 'from' | 'to'> {
  readonly dossiers: readonly string[];
}

async function pruneBatch(parts: PruneParts, limit: Limit): Promise<Batch | null> {
  const attempt = () => pruneOnce(parts, limit);
  return whileBusy(attempt, () => true);
}

function pruneOnce(parts: PruneParts, limit: Limit): Promise<Batch | null> {
  return parts.tables.db.transaction().execute(async (tx) => {
    // No other replica prunes the same entries meanwhile.
    await takeEnd(tx);
    const batch = await oldestBatch(tx, limit);
    if (batch === null) return null;
    const { dossiers: _, ...removed } = batch;
    const at = parts.clock();
    await append(tx, [draftOf({ kind: 'pruned', at: at.toISOString(), ...removed })]);
    await replaceAnchor(tx, parts, batch, at);
    const { through } = batch;
    await tx.deleteFrom('record_entries').where('seq', '<=', through).execute();
    await tx.deleteFrom('record_terms').where('seq', '<=', through).execute();
    await tx.deleteFrom('record_repeats').where('seq', '<=', through).execute();
    await tx.deleteFrom('record_signed_heads').where('seq', '<=', through).execute();
    return batch;
  });
}

async function oldestBatch(
  tx: Transaction<Database>,
  { before, end }: Limit,
): Promise<Batch | null> {
  const rows = await tx
    .selectFrom('record_entries')
    .select(['seq', 'hash', 'at', 'dossier'])
    .where('seq', '<=', end)
    .orderBy('seq')
    .limit(BATCH + 1)
    .execute();
  const limit = before.toISOString();
  const young = rows.findIndex(({ at }) => at >= limit);
  // The row after the last that goes must be there: the chain keeps its end.
  const count = Math.min(young === -1 ? rows.length - 1 : young, BATCH);
  const gone = rows.slice(0, Math.max(0, count));
  const [first, last] = [gone[0], gone.at(-1)];
  if (first === undefined || last === undefined) return null;
  const dossiers = gone.flatMap(({ dossier }) => (dossier === null ? [] : [dossier]));
  const times = gone.map(({ at }) => at).sort();
  const [from = first.at, to = last.at] = [times[0], times.at(-1)];
  return { through: last.seq, hash: last.hash, count: gone.length, from, to, dossiers };
}

async function replaceAnchor(
  tx: Transaction<Database>,
  { signer, record }: PruneParts,
  batch: Batch,
  at: Date,
): Promise<void> {
  const former = await tx.selectFrom('record_anchors').select('note').executeTakeFirst();
  const before: Anchor | null =
    former === undefined ? null : await openAnchorNote(former.note, record);
  const note = await signAnchorNote(signer, record.origin, {
    seq: batch.through,
    hash: batch.hash,
    at,
    count: (before?.count ?? 0) + batch.count,
    from: before?.from ?? new Date(batch.from),
    to: new Date(batch.to),
  });
  await tx.deleteFrom('record_anchors').execute();
  await tx
    .insertInto('record_anchors')
    .values({ seq: batch.through, at: at.toISOString(), note })
    .execute();
}
