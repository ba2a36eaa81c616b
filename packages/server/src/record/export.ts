import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import { printable, TrustFault } from '@bulla/trust/fault/fault';
import { stringify } from 'csv-stringify/sync';
import type { Kysely } from 'kysely';
import type { RecordEntryRow } from '../storage/schema/record.ts';
import type { Database } from '../storage/schema.ts';
import type { DecisionBody } from './body.ts';
import { type Uses, usesOf } from './counts.ts';
import type { SignedHead } from './heads.ts';
import { startAt } from './judge.ts';
import { chainRows, readAnchor } from './read.ts';
import { checkFilter, decisionOf, filteredRows, isOpen, type RecordFilter } from './search.ts';
import type { RecordKeys } from './signed-head.ts';

/** The format's name, in the first line of an export. */
export const EXPORT_FORMAT = 'bulla.dev/record/v1';

/** What an export is made from; `head` was signed for it, and is its end. */
export interface ExportParts {
  readonly db: Kysely<Database>;
  readonly record: RecordKeys;
  readonly head: SignedHead;
}

/**
 * The record as JSON Lines, each with its line break, oldest first: a line that names the format and
 * the record, the anchor if entries were pruned, then every entry (canonical body, hash, previous
 * hash, number), then the signed head. With a filter only decisions that pass it, which then do not
 * follow one another. `verifyExport` checks it. Throws `record.filter-invalid` before the first
 * line, and `record.gap` when retention overtakes it.
 */
export async function* exportJsonLines(
  parts: ExportParts,
  filter: RecordFilter,
): AsyncGenerator<string> {
  const { db, record, head } = parts;
  checkFilter(filter);
  const filtered = !isOpen(filter);
  yield line({ filtered, format: EXPORT_FORMAT, origin: record.origin });
  const anchor = await readAnchor(db);
  if (anchor !== null) yield line({ anchor });
  const start = await startAt(anchor, record);
  let next = start.end.seq + 1;
  const parted = filtered ? filteredRows(db, filter, head.seq) : chainRows(db, next, head.seq);
  for await (const rows of parted) {
    for (const row of rows) {
      if (!filtered && row.seq !== next++) throw overtaken(row.seq);
    }
    if (rows.length > 0) yield rows.map(entryLine).join('');
  }
  if (!filtered && next !== head.seq + 1) throw overtaken(head.seq + 1);
  yield line({ head: head.note });
}

function overtaken(seq: number): TrustFault {
  return new TrustFault('record.gap', `entries before ${seq} went while they were exported`);
}

function line(value: object): string {
  return `${canonicalizeJcs(value)}\n`;
}

/** The body as it is kept: who checks the line hashes these very bytes. */
function entryLine({ body, hash, previous, seq }: RecordEntryRow): string {
  return `{"body":${body},"hash":"${hash}","previous":"${previous}","seq":${seq}}\n`;
}

const COLUMNS = {
  seq: ({ row }) => row.seq,
  id: ({ body }) => body.id,
  at: ({ body }) => body.at,
  outcome: ({ body }) => body.outcome,
  effect: ({ body }) => body.effect,
  code: ({ body }) => body.code,
  repository: ({ body }) => body.repository,
  tag: ({ body }) => body.tag,
  digest: ({ body }) => body.digest,
  reference: ({ body }) => body.reference,
  surface: ({ body }) => body.surface,
  namespace: ({ body }) => body.namespace,
  environment: ({ body }) => body.environment,
  actorKind: ({ body }) => body.actor.kind,
  actorId: ({ body }) => body.actor.id,
  actor: ({ body }) => body.actor.name,
  requestId: ({ body }) => body.request.id,
  remoteAddress: ({ body }) => body.request.remoteAddress,
  userAgent: ({ body }) => body.request.userAgent,
  policies: ({ body }) => body.policies.map(({ name, effect }) => `${name}: ${effect}`).join('; '),
  warnings: ({ body }) => body.warnings.join('; '),
  exceptions: ({ body }) =>
    body.exceptions
      .map(({ kind, name, id, policy, clauses }) => {
        return `${kind} ${name} (${id}): ${policy} ${clauses.join(', ')}`;
      })
      .join('; '),
  cache: ({ body }) => body.cache,
  durationMs: ({ body }) => body.durationMs,
  count: ({ uses }) => uses?.count ?? 1,
  lastUsed: ({ uses, body }) => uses?.last ?? body.at,
  policySetHash: ({ body }) => body.policySetHash,
  trustRootVersion: ({ body }) => body.trustRootVersion,
  evidence: ({ body }) => body.evidence.join(' '),
  validUntil: ({ body }) => body.validUntil,
  hash: ({ row }) => row.hash,
} as const satisfies Readonly<Record<string, (line: CsvLine) => string | number | null>>;

interface CsvLine {
  readonly row: RecordEntryRow;
  readonly body: DecisionBody;
  readonly uses: Uses | undefined;
}

/**
 * The decisions that pass the filter as CSV (RFC 4180) with a line of names, oldest first. What an
 * image or a caller named never becomes a formula of a spreadsheet, and has no control characters.
 * Throws `record.filter-invalid` before the first line.
 */
export async function* exportCsv(
  { db, head }: Omit<ExportParts, 'record'>,
  filter: RecordFilter,
): AsyncGenerator<string> {
  checkFilter(filter);
  yield csv([Object.keys(COLUMNS)]);
  for await (const rows of filteredRows(db, filter, head.seq)) {
    if (rows.length === 0) continue;
    const found = rows.map(decisionOf);
    const uses = await usesOf(
      db,
      found.map(({ body }) => body.id),
    );
    yield csv(
      found.map(({ row, body }) => {
        const values = Object.values(COLUMNS);
        return values.map((value) => cell(value({ row, body, uses: uses.get(body.id) })));
      }),
    );
  }
}

function cell(value: string | number | null): string | number {
  return typeof value === 'string' ? printable(value) : (value ?? '');
}

function csv(rows: readonly (readonly (string | number)[])[]): string {
  return stringify([...rows], { escape_formulas: true, record_delimiter: 'windows' });
}
