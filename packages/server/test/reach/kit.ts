import assert from 'node:assert/strict';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { coverage } from '@bulla/trust/policy/coverage';
import type { NameAlias } from '@bulla/trust/policy/names';
import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';
import type { FormatName } from '@bulla/trust/proof/evidence';
import { NO_SERVICES } from '@bulla/trust/proof/services';
import { signArtifact } from '@bulla/trust/sign';
import {
  type PolicyShape,
  policyOf,
  ready,
  setOf,
  signed,
} from '../../../trust/test/policy-lab/policy.ts';
import { keyed } from '../../../trust/test/sigstore-lab/question.ts';
import { signerOf } from '../../../trust/test/sigstore-lab/signer.ts';
import { testKey } from '../../../trust/test/tlog/synthetic-log.ts';
import { openEpochs } from '../../src/decision/epochs.ts';
import type { MadeDecision } from '../../src/decision/made.ts';
import { openPasses } from '../../src/decision/passes.ts';
import { openPolicies, type PoliciesInForce } from '../../src/decision/policies.ts';
import {
  createDecisions,
  DECISION_LIMITS,
  type DecisionService,
} from '../../src/decision/service.ts';
import { createTaker } from '../../src/decision/take.ts';
import { tableHistory } from '../../src/gateway/history.ts';
import type { FindOwn, TagMemory } from '../../src/reach/ports.ts';
import type { AskAboutImage, ReachQuestion } from '../../src/reach/question.ts';
import { createReach, type ReachService } from '../../src/reach/service.ts';
import { REGISTRY_CONNECTION, type RegistryConnection } from '../../src/registries/connection.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import type { Tables } from '../../src/storage/tables.ts';

export const KEY = testKey('ecdsa-p256');
export const OTHER_KEY = testKey('ecdsa-p256');

/** A policy as the product covers by it, that wants a signature by `KEY`. */
export function signedPolicy(shape: Partial<PolicyShape> = {}): ReadyPolicy {
  const authorities = [ready(keyed(KEY, 'release'))];
  const policy = policyOf({ authorities, require: signed(['release']), ...shape });
  return { ...policy, covers: coverage(policy.document) };
}

export interface ReachShape {
  readonly policies?: readonly ReadyPolicy[];
  /** Null: policies cannot be read. */
  readonly unreadable?: boolean;
  readonly connections?: Readonly<Record<string, Partial<RegistryConnection>>>;
  readonly aliases?: readonly NameAlias[];
  readonly own?: FindOwn;
  readonly tagFreshMs?: number;
  readonly tagDeadlineMs?: number;
}

/** Questions over the library's decisions, the server's cache and real tables. */
export interface ReachKit extends AsyncDisposable {
  readonly ask: AskAboutImage;
  readonly reach: ReachService;
  readonly decisions: DecisionService;
  readonly kept: MadeDecision[];
  readonly memory: TagMemory;
  readonly inForce: PoliciesInForce;
  readonly tables: Tables;
}

/** A registry of a test: on loopback, without TLS, impatient. */
export const LOOPBACK: RegistryConnection = {
  ...REGISTRY_CONNECTION,
  plainHttp: true,
  privateAddresses: true,
  timeoutMs: 1000,
};

export async function openReach(shape: ReachShape = {}): Promise<ReachKit> {
  const { policies = [signedPolicy()], connections = {} } = shape;
  const kept: MadeDecision[] = [];
  const clock = () => new Date();
  const now = () => performance.now();
  const { registers } = openMemory();
  const rows = await openSqlite(':memory:');
  await migrate(rows, { clock });
  const inForce = await openPolicies({
    load: async () => ({ set: setOf(...policies), files: new Map(), warnings: [] }),
    fingerprint: async () => '1',
    clock,
    changed: () => undefined,
  });
  let ids = 0;
  const decisions = createDecisions({
    policies: inForce,
    epochs: openEpochs(registers, now),
    keep: async (made) => void kept.push(made),
    repeat: () => null,
    take: createTaker({
      expressions: () => assert.fail('no expression is asked about'),
      passes: openPasses(registers),
      exceptions: async () => [],
      environment: null,
      parallel: 8,
      deadlineMs: 30_000,
      maxDossierBytes: 1 << 20,
      clock,
      now,
    }),
    limits: DECISION_LIMITS,
    newId: () => `ID${++ids}`,
    clock,
    now,
    unrecorded: () => undefined,
  });
  const memory = tableHistory(rows.tables);
  const reach = createReach({
    decide: decisions.decide,
    refuse: decisions.refuse,
    inForce: () =>
      shape.unreadable === true ? { ...inForce.current(), set: null } : inForce.current(),
    environment: null,
    aliases: shape.aliases ?? [],
    own: shape.own ?? (() => null),
    connections: new Map(
      Object.entries(connections).map(([host, more]) => [host, { ...LOOPBACK, ...more }]),
    ),
    memory,
    tagFreshMs: shape.tagFreshMs ?? 0,
    tagDeadlineMs: shape.tagDeadlineMs ?? 10_000,
    clock,
    now,
  });
  return {
    ask: reach.ask,
    reach,
    decisions,
    kept,
    memory,
    inForce,
    tables: rows.tables,
    [Symbol.asyncDispose]: () => rows[Symbol.asyncDispose](),
  };
}

/** A question as admission asks it. */
export function asking(reference: string, more: Partial<ReachQuestion> = {}): ReachQuestion {
  return {
    reference,
    surface: 'admission',
    namespace: 'default',
    actor: { kind: 'kubernetes', id: 'kubernetes:ann', name: 'ann' },
    request: { id: 'r1', remoteAddress: '127.0.0.1', userAgent: 'test' },
    credentials: [],
    dryRun: false,
    ...more,
  };
}

/** Signs what lies in a plain registry on loopback, as a client does. */
export async function signAt(
  image: string,
  formats: readonly FormatName[],
  key = KEY,
): Promise<void> {
  const reference = parseReference(image);
  const options = { env: {}, homeFolder: '/dev/null' };
  await signArtifact({
    target: await openStore(reference, options),
    tagOrDigest: reference.digest ?? reference.tag ?? 'latest',
    dockerReference: 'registry.example/app',
    formats,
    annotations: {},
    recursive: false,
    upload: true,
    signer: signerOf(key),
    services: NO_SERVICES,
    trustRoot: null,
    at: new Date(),
    now: () => performance.now(),
  });
}
