import { createPrivateKey, createPublicKey } from 'node:crypto';
import { publicKeyOf } from '@bulla/trust/crypto/public-key';
import { passed } from '@bulla/trust/finding/finding';
import { generatePrivateKey } from '@bulla/trust/keys/file/generate';
import { fileSigner } from '@bulla/trust/keys/file/signer';
import type { Decision } from '@bulla/trust/policy/decision';
import type { MadeDecision } from '../../src/decision/made.ts';
import { RECORD_CONFIG, type RecordConfig } from '../../src/record/config.ts';
import type { RecordMetrics } from '../../src/record/metrics.ts';
import { createRecord, type RecordParts, type RecordService } from '../../src/record/service.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import { migrate } from '../../src/storage/migrate.ts';
import type { Objects } from '../../src/storage/objects.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import type { RowStore } from '../../src/storage/store.ts';
import type { Tables } from '../../src/storage/tables.ts';

/** The host of every record under test. */
export const HOST = 'bulla.example';

/** When the tests' time begins. */
export const BEGIN = Date.parse('2026-05-01T12:00:00.000Z');

const KEY = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 7)]),
  format: 'der',
  type: 'pkcs8',
});

/** A signer on a fixed Ed25519 key, or on a new one. */
export async function recordSigner(fresh = false) {
  const key = fresh ? await generatePrivateKey('ed25519') : KEY;
  const publicKey = publicKeyOf(createPublicKey(key), 'a test');
  return fileSigner(key, { publicKey, name: 'record.key', warnings: [], ed25519: 'ed25519' });
}

/** Counts as plain numbers. */
export interface Counted {
  kept: number;
  counted: number;
  unavailable: number;
  upkeep: number;
}

/** A record under test, its store, and a clock that moves when it is told to. */
export interface RoomUnderTest extends AsyncDisposable {
  readonly record: RecordService;
  readonly tables: Tables;
  readonly objects: Objects;
  readonly parts: RecordParts;
  readonly counted: Counted;
  readonly time: { ms: number };
  /** One more service on the same store. */
  another(changes?: Partial<RecordParts>): RecordService;
}

/** What a test may choose. */
export interface RoomOptions {
  readonly config?: Partial<RecordConfig>;
  readonly wrap?: (tables: Tables) => Tables;
  readonly wrapObjects?: (objects: Objects) => Objects;
  readonly path?: string;
  /** An opened store of rows instead, which the room then closes. */
  readonly rows?: RowStore;
}

/** A record on a new SQLite database in memory, or at `path`. */
export async function openRoom(options: RoomOptions = {}): Promise<RoomUnderTest> {
  const rows = options.rows ?? (await openSqlite(options.path ?? ':memory:'));
  const time = { ms: BEGIN };
  const clock = () => new Date(time.ms);
  await migrate(rows, { clock: () => new Date() });
  const store = openMemory();
  const counted: Counted = { kept: 0, counted: 0, unavailable: 0, upkeep: 0 };
  const wrap = options.wrap ?? ((tables) => tables);
  const wrapObjects = options.wrapObjects ?? ((objects) => objects);
  const parts: RecordParts = {
    tables: wrap(rows.tables),
    objects: wrapObjects(store.objects),
    signer: await recordSigner(),
    host: HOST,
    config: { ...RECORD_CONFIG, gatherMs: 0, retentionMs: null, ...options.config },
    metrics: countingMetrics(counted),
    clock,
    now: () => performance.now(),
  };
  const services: RecordService[] = [];
  const another = (changes: Partial<RecordParts> = {}) => {
    const service = createRecord({ ...parts, ...changes });
    services.push(service);
    return service;
  };
  const record = another();
  return {
    record,
    tables: rows.tables,
    objects: store.objects,
    parts,
    counted,
    time,
    another,
    async [Symbol.asyncDispose]() {
      for (const service of services) await service.close().catch(() => undefined);
      await rows[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    },
  };
}

function countingMetrics(counted: Counted): RecordMetrics {
  return {
    kept(_made, waitedMs) {
      if (waitedMs === null) counted.counted += 1;
      else counted.kept += 1;
    },
    unavailable() {
      counted.unavailable += 1;
    },
    upkeepFailed() {
      counted.upkeep += 1;
    },
  };
}

/** The `n`th digest of the tests. */
export function digestNumber(n: number): string {
  return `sha256:${n.toString(16).padStart(64, '0')}`;
}

/** The `n`th decision id of the tests: 26 characters of Crockford's base 32. */
export function idNumber(n: number): string {
  return `01JTEST${n
    .toString(32)
    .toUpperCase()
    .replaceAll(/[ILOU]/g, 'Z')
    .padStart(19, '0')}`;
}

let ids = 0;

/** A decision of a door; what is not given is an admitted pull of `registry.example/prod/app:v1`. */
export function made(
  decision: Partial<Decision> = {},
  rest: Partial<MadeDecision> = {},
): MadeDecision {
  const at = rest.at ?? new Date(BEGIN);
  ids += 1;
  return {
    decision: {
      id: idNumber(ids),
      outcome: 'admit',
      reference: 'registry.example/prod/app:v1',
      repository: 'registry.example/prod/app',
      tag: 'v1',
      digest: digestNumber(1),
      covers: [],
      surface: 'pull',
      namespace: null,
      environment: null,
      policies: [
        {
          policy: 'prod',
          hash: digestNumber(100),
          mode: 'enforce',
          finding: passed('policy.prod', 'satisfied'),
          effect: 'pass',
        },
      ],
      finding: {
        ...passed('policy', 'every policy is satisfied'),
        needs: 'all',
        because: [passed('policy.prod', 'signed by release', 'semantics 8')],
      },
      warnings: [],
      exceptions: [],
      policySetHash: digestNumber(101),
      trustRootVersion: 'public-good 14',
      evidence: [digestNumber(200)],
      validUntil: null,
      at,
      durationMs: 12.3456,
      ...decision,
    },
    actor: { kind: 'user', id: 'u1', name: 'alice' },
    request: { id: 'req-1', remoteAddress: '10.0.0.1', userAgent: 'docker/29' },
    cache: 'miss',
    at,
    durationMs: 15,
    ...rest,
  };
}

/** A refusal, with the code of a failed check. */
export function refused(decision: Partial<Decision> = {}, rest: Partial<MadeDecision> = {}) {
  const leaf = {
    check: 'signature',
    outcome: 'fail',
    says: 'no signature was found',
    code: 'signature.none',
  } as const;
  const finding = { ...leaf, check: 'policy', needs: 'all', because: [leaf] } as const;
  return made(
    {
      outcome: 'deny',
      finding,
      policies: [
        { policy: 'prod', hash: digestNumber(100), mode: 'enforce', finding, effect: 'deny' },
      ],
      ...decision,
    },
    rest,
  );
}

/** One more use of a decision, from the cache. */
export function again(before: MadeDecision, rest: Partial<MadeDecision> = {}): MadeDecision {
  return { ...before, cache: 'hit', durationMs: 0.1, ...rest };
}

/** All of a stream of text. */
export async function textOf(lines: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const line of lines) text += line;
  return text;
}

/** The lines of an export, without their line breaks. */
export async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  return (await textOf(lines)).split('\n').slice(0, -1);
}

/** Entries of the chain by kind, in order. */
export async function kindsOf({ db }: Tables): Promise<readonly string[]> {
  const rows = await db.selectFrom('record_entries').select('kind').orderBy('seq').execute();
  return rows.map(({ kind }) => kind);
}
