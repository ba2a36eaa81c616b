import type { PublicKey } from '@bulla/trust/crypto/public-key';
import type { Signer } from '@bulla/trust/crypto/signer';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { every } from '../bounds/every.ts';
import type { KeepDecision, MadeDecision, RepeatDecision } from '../decision/made.ts';
import { exclusion } from '../storage/exclusion.ts';
import type { Objects } from '../storage/objects.ts';
import type { Tables } from '../storage/tables.ts';
import { type Act, type ActsFilter, type ActsPage, actBody, searchActs } from './acts.ts';
import { draftOf } from './append.ts';
import type { DecisionBody } from './body.ts';
import type { RecordConfig } from './config.ts';
import { exceptionUses, type Uses, usesOf } from './counts.ts';
import { decisionBody } from './entry.ts';
import { openEvidence } from './evidence.ts';
import { explainDecision } from './explain.ts';
import { exportCsv, exportJsonLines } from './export.ts';
import { type SignedHead, signHead, storedHead } from './heads.ts';
import type { RecordMetrics } from './metrics.ts';
import { type Pruned, pruneRecord } from './prune.ts';
import { readEnd } from './read.ts';
import { createRepeats, isPlainPass, isRepeatable } from './repeats.ts';
import { decisionOf, type RecordFilter, type RecordPage, searchDecisions } from './search.ts';
import { type RecordKeys, recordAlgorithm, recordOrigin } from './signed-head.ts';
import { type VerifyAsk, type VerifyReport, verifyRecord } from './verify.ts';
import { createWriter } from './writer.ts';

/** What a record is made of. */
export interface RecordParts {
  readonly tables: Tables;
  readonly objects: Objects;
  /** Signs heads and anchors, and nothing else. All replicas of one record have the same key. */
  readonly signer: Signer;
  /** Keys that signed earlier, after a rotation; their heads stay valid. */
  readonly formerKeys?: readonly PublicKey[];
  /** The server's public host: `<host>/record` names the record in its heads. */
  readonly host: string;
  readonly config: RecordConfig;
  /**
   * False for whoever only looks at a record whose server is not running: nothing is signed or
   * pruned unasked, not at the end either, and how old the newest head is says nothing then.
   */
  readonly upkeep?: boolean;
  readonly metrics: RecordMetrics;
  readonly clock: () => Date;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** A decision of the record. */
export interface RecordedDecision {
  readonly seq: number;
  readonly hash: string;
  readonly decision: DecisionBody;
  /** How often it was given, and when last, as far as that is written. */
  readonly uses: Uses;
}

/** A page of decisions, newest first. */
export interface DecisionsPage {
  readonly decisions: readonly RecordedDecision[];
  /** `before` of the next page; null: there is none. A page may be short, even empty, and have one. */
  readonly next: number | null;
}

/**
 * The record of decisions: append-only, hash-chained, signed at intervals. README.md has the order
 * of writes and what survives what. Methods that read throw `storage.*`, and `record.entry-malformed`
 * for an entry that was altered.
 */
export interface RecordService {
  readonly keep: KeepDecision;
  readonly repeat: RepeatDecision;
  /**
   * Keeps what somebody did; resolves with its id when that is durable. Throws `record.unavailable`,
   * and then whoever did it must take it to be undone.
   */
  note(act: Act): Promise<string>;
  /** How many decisions stood on each of these exceptions, by its id; absent: none. */
  usesOfExceptions(ids: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** What was done, newest first. */
  acts(filter: ActsFilter): Promise<ActsPage>;
  /** Throws `record.filter-invalid`. */
  search(filter: RecordFilter, page?: RecordPage): Promise<DecisionsPage>;
  /** Throws `record.decision-unknown`. */
  get(id: string): Promise<RecordedDecision>;
  /** The decision and its tree as text. Throws `record.decision-unknown`. */
  explain(id: string): Promise<string>;
  /** The dossier that was kept with the decision, or null. Throws as `get`, `record.evidence-missing`. */
  evidenceOf(id: string): Promise<Uint8Array | null>;
  /** The head of the record as it ends now; signed afresh unless that was done. */
  head(): Promise<SignedHead>;
  /** Everything, or the entries of a range; and against a head that was kept. */
  verify(ask?: Pick<VerifyAsk, 'from' | 'to' | 'head'>): Promise<VerifyReport>;
  exportJsonLines(filter: RecordFilter): AsyncIterable<string>;
  exportCsv(filter: RecordFilter): AsyncIterable<string>;
  /** Removes what is older; the chain stays provable (`prune.ts`). */
  prune(before: Date): Promise<Pruned>;
  /** Writes the counts of repeated passes that wait. */
  flush(): Promise<void>;
  /** The key and the name that an auditor verifies by. */
  readonly keys: RecordKeys;
  /**
   * Takes no more, writes all that waits, signs the last head. Throws `record.unavailable` when
   * counts of repeated passes could not be written. Closing twice is as once.
   */
  close(): Promise<void>;
}

/** A record on a store, which it does not close. Its upkeep (heads, retention) runs until `close`. */
export function createRecord(parts: RecordParts): RecordService {
  const { tables, config, clock, now, metrics } = parts;
  const keys = keysOf(parts);
  const ground = { ...parts, record: keys, evidence: openEvidence(parts.objects, tables) };
  const writer = createWriter(parts);
  const repeats = createRepeats({ config, clock, now, write: (draft) => writer.add(draft) });
  // A verification must not meet a pruning in its middle.
  const { run } = exclusion();
  const prune = (before: Date) => run('upkeep', () => pruneRecord(ground, before));
  const head = () => currentHead(ground);
  const { upkeep = true } = parts;
  const tasks = { head: () => signHead(ground), prune, clock };
  const running = upkeep ? startUpkeep(config, metrics, tasks) : [];
  let closing: Promise<void> | null = null;

  async function keepEntry(made: MadeDecision): Promise<void> {
    const started = now();
    const { dossier } = made;
    try {
      const digest = dossier === undefined ? null : await ground.evidence.keep(dossier);
      await writer.add(draftOf(decisionBody(made, digest)));
      if (digest !== null && dossier !== undefined) await ground.evidence.confirm(digest, dossier);
    } catch (error) {
      metrics.unavailable();
      throw asUnavailable(error);
    }
    metrics.kept(made, now() - started);
  }

  async function counted(made: MadeDecision, waiting: Promise<void>): Promise<void> {
    try {
      await waiting;
    } catch (error) {
      metrics.unavailable();
      throw error;
    }
    metrics.kept(made, null);
  }

  function keep(made: MadeDecision): Promise<void> {
    const repeated = isRepeatable(made) ? repeats.count(made) : null;
    if (repeated === true) {
      metrics.kept(made, null);
      return KEPT;
    }
    if (repeated !== null) return counted(made, repeated);
    const durable = keepEntry(made);
    if (isPlainPass(made.decision)) repeats.first(made, durable);
    return durable;
  }

  return {
    keys,
    keep,
    repeat(made) {
      if (!isRepeatable(made)) return null;
      const count = repeats.again(made);
      return (at) => {
        const isCounted = count(at);
        if (isCounted) metrics.kept(made, null);
        return isCounted;
      };
    },
    async note(act) {
      const body = actBody(act, clock());
      try {
        await writer.add(draftOf(body));
      } catch (error) {
        metrics.unavailable();
        throw asUnavailable(error);
      }
      return body.id;
    },
    usesOfExceptions: (ids) => exceptionUses(tables.db, ids),
    acts: (filter) => searchActs(tables.db, filter),
    ...reading(ground),
    head,
    verify: (ask = {}) =>
      run('upkeep', () =>
        verifyRecord(tables, {
          ...ask,
          record: keys,
          at: clock(),
          headAgeMs: upkeep ? config.headAgeMs : null,
        }),
      ),
    exportJsonLines: (filter) =>
      afterHead(head, (signed) =>
        exportJsonLines({ ...ground, db: tables.db, head: signed }, filter),
      ),
    exportCsv: (filter) =>
      afterHead(head, (signed) => exportCsv({ db: tables.db, head: signed }, filter)),
    prune,
    flush: () => repeats.flush(),
    close() {
      closing ??= (async () => {
        await Promise.all(running.map((task) => task[Symbol.asyncDispose]()));
        repeats.stop();
        try {
          await flushAtLast(() => repeats.flush());
        } finally {
          await writer.close();
        }
        if (upkeep) await signHead(ground);
      })();
      return closing;
    },
  };
}

const KEPT = Promise.resolve();

type Reading = Pick<RecordService, 'search' | 'get' | 'explain' | 'evidenceOf'>;

interface Ground extends RecordParts {
  readonly record: RecordKeys;
  readonly evidence: ReturnType<typeof openEvidence>;
}

function reading({ tables: { db }, config, evidence }: Ground): Reading {
  async function get(id: string): Promise<RecordedDecision> {
    const row = await db
      .selectFrom('record_entries')
      .selectAll()
      .where('id', '=', id.toUpperCase())
      .orderBy('seq')
      .limit(1)
      .executeTakeFirst();
    if (row === undefined) {
      throw new TrustFault('record.decision-unknown', `no decision ${quote(id)} is recorded`);
    }
    const { body } = decisionOf(row);
    const uses = await usesOf(db, [body.id]);
    return { seq: row.seq, hash: row.hash, decision: body, uses: uses.get(body.id) ?? ONCE };
  }
  return {
    get,
    async search(filter, page = {}) {
      const limit = Math.min(page.limit ?? config.pageEntries, config.pageEntries);
      const { found, next } = await searchDecisions(db, filter, { ...page, limit });
      const uses = await usesOf(
        db,
        found.map(({ body }) => body.id),
      );
      const decisions = found.map(({ row: { seq, hash }, body }) => {
        return { seq, hash, decision: body, uses: uses.get(body.id) ?? ONCE };
      });
      return { decisions, next };
    },
    async explain(id) {
      const { decision, uses } = await get(id);
      return explainDecision(decision, uses);
    },
    async evidenceOf(id) {
      const { dossier } = (await get(id)).decision;
      return dossier === null ? null : evidence.read(dossier);
    },
  };
}

const ONCE: Uses = { count: 1, last: null };

function keysOf({ signer, host, formerKeys = [] }: RecordParts): RecordKeys {
  const { publicKey, algorithm } = signer;
  const expected = recordAlgorithm(publicKey).name;
  if (algorithm.name !== expected) {
    throw new TrustFault(
      'crypto.key-unsupported',
      `expected the record's key to sign by ${expected}, found ${algorithm.name}`,
    );
  }
  return { origin: recordOrigin(host), keys: [publicKey, ...formerKeys] };
}

async function currentHead(ground: Ground): Promise<SignedHead> {
  const stored = await storedHead(ground);
  const end = await readEnd(ground.tables.db);
  const isCurrent = stored !== null && stored.seq === end.seq && stored.hash === end.hash;
  return isCurrent ? stored : signHead(ground);
}

async function* afterHead(
  head: () => Promise<SignedHead>,
  lines: (head: SignedHead) => AsyncIterable<string>,
): AsyncGenerator<string> {
  yield* lines(await head());
}

interface Upkeep {
  readonly head: () => Promise<unknown>;
  readonly prune: (before: Date) => Promise<unknown>;
  readonly clock: () => Date;
}

function startUpkeep(
  { headEveryMs, pruneEveryMs, retentionMs }: RecordConfig,
  metrics: RecordMetrics,
  { head, prune, clock }: Upkeep,
): readonly AsyncDisposable[] {
  // What fails is done at the next turn; a head that stays out is seen by its age.
  const failed = () => metrics.upkeepFailed();
  const signing = every({ everyMs: headEveryMs }, head, failed);
  if (retentionMs === null) return [signing];
  const old = () => new Date(clock().getTime() - retentionMs);
  // A server that is started again more often than it prunes would keep everything.
  const pruning = every({ everyMs: pruneEveryMs, atOnce: true }, () => prune(old()), failed);
  return [signing, pruning];
}

const CLOSING_ATTEMPTS = 3;

/** Counts must not be lost because the store was away for a moment at the end. */
async function flushAtLast(flush: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await flush();
    } catch (error) {
      if (attempt === CLOSING_ATTEMPTS) throw error;
    }
  }
}

function asUnavailable(error: unknown): TrustFault {
  const fault = error instanceof TrustFault ? error : null;
  if (fault?.code === 'record.unavailable') return fault;
  const says = `the evidence of a decision could not be stored: ${fault?.message ?? String(error)}`;
  return new TrustFault('record.unavailable', says, undefined, { cause: error });
}
