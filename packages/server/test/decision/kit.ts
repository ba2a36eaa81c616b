import type { Ask } from '@bulla/server/decision/ask';
import { type Epochs, openEpochs } from '@bulla/server/decision/epochs';
import type { MadeDecision } from '@bulla/server/decision/made';
import { openPolicies } from '@bulla/server/decision/policies';
import { createDecisions, type DecisionService } from '@bulla/server/decision/service';
import { openMemory } from '@bulla/server/storage/memory/open';
import { TrustFault } from '@bulla/trust/fault/fault';
import { failed, inconclusive, passed } from '@bulla/trust/finding/finding';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { Decision } from '@bulla/trust/policy/decision';
import type { PolicyMode } from '@bulla/trust/policy/document';
import type { PolicySet } from '@bulla/trust/policy/policy-set';

export const IMAGE = computeDigest(Buffer.from('image'));
export const LEAF = computeDigest(Buffer.from('leaf'));
export const OTHER = computeDigest(Buffer.from('other'));
export const START = Date.parse('2026-11-21T12:00:00Z');
export const REPOSITORY = 'registry.example/app';

/** A policy set of which only the hash matters. */
export function set(hash: string, trustRootVersion = 'acme sha256:1'): PolicySet {
  return { policies: [], hash, trustRootVersion };
}

export interface Kit {
  readonly decisions: DecisionService;
  /** Those of another replica, on the same storage. */
  readonly epochs: Epochs;
  readonly kept: MadeDecision[];
  /** How often evidence was looked at. */
  taken(): number;
  pass(seconds: number): void;
  /** Sets the clock that shows the time of day, and no other. */
  setClock(seconds: number): void;
  ask(change?: Partial<Ask>): Ask;
  change(hash: string): Promise<void>;
  /** Another version of the trust roots, under the same policies. */
  changeTrustRoots(version: string): Promise<void>;
  failRecord(): void;
  /** How often a pass was counted without being asked for anew; null: it cannot be counted now. */
  repeats(): number | null;
  stopCounting(): void;
}

export type Outcome = 'admit' | 'deny' | 'inconclusive' | 'expiring';

/** Decisions over a take that answers as told, with a clock that the test moves. */
export async function open(outcome: Outcome, mode: PolicyMode = 'enforce'): Promise<Kit> {
  const store = openMemory();
  let at = START;
  let ahead = 0;
  let taken = 0;
  let ids = 0;
  let hash = 'sha256:one';
  let trustRoots: string | undefined;
  let recordFails = false;
  let repeats: number | null = 0;
  const kept: MadeDecision[] = [];
  const clock = () => new Date(at + ahead);
  const epochs = openEpochs(store.registers, () => at);
  const policies = await openPolicies({
    load: () => Promise.resolve({ set: set(hash, trustRoots), files: new Map(), warnings: [] }),
    fingerprint: () => Promise.resolve(`${hash} ${trustRoots}`),
    clock,
    changed: () => undefined,
  });
  const newId = () => `ID${++ids}`;
  const decisions = createDecisions({
    policies,
    epochs,
    repeat: () => () => {
      if (repeats === null) return false;
      repeats += 1;
      return true;
    },
    keep: (made) => {
      if (recordFails) return Promise.reject(new TrustFault('storage.full', 'no space'));
      kept.push(made);
      return Promise.resolve();
    },
    take: async (ask) => {
      taken++;
      await new Promise((resolve) => setImmediate(resolve));
      const decision = taking(ask, outcome, mode, newId(), clock());
      return { decision, cache: 'miss', dossier: null };
    },
    limits: { entries: 100, passMs: 3600_000, refusalMs: 10_000 },
    newId,
    clock,
    now: () => at,
    unrecorded: () => undefined,
  });
  return {
    decisions,
    epochs: openEpochs(store.registers, () => at),
    kept,
    taken: () => taken,
    pass: (seconds) => {
      at += seconds * 1000;
    },
    setClock: (seconds) => {
      ahead += seconds * 1000;
    },
    ask: (change = {}) => ({ ...ASK, ...change }),
    change: async (next) => {
      hash = next;
      await policies.check();
    },
    changeTrustRoots: async (version) => {
      trustRoots = version;
      await policies.check();
    },
    failRecord: () => {
      recordFails = true;
    },
    repeats: () => repeats,
    stopCounting: () => {
      repeats = null;
    },
  };
}

const SOURCE: ArtifactSource = {
  name: REPOSITORY,
  resolve: () => Promise.resolve(null),
  manifest: () => Promise.resolve(null),
  blob: () => Promise.resolve(null),
  blobStream: () => Promise.resolve(null),
  referrers: () => Promise.resolve({ descriptors: [], by: 'api', broken: [] }),
  tags: () => Promise.resolve([]),
};

export const ASK: Ask = {
  reference: `${REPOSITORY}:1`,
  repository: REPOSITORY,
  tag: '1',
  resolved: { digest: IMAGE },
  parents: [],
  rollback: null,
  source: SOURCE,
  surface: 'pull',
  namespace: null,
  actor: { kind: 'user', id: 'u1', name: 'ann' },
  request: { id: 'r1', remoteAddress: '127.0.0.1', userAgent: 'test' },
};

export const ANOTHER_USER: Ask['actor'] = { ...ASK.actor, id: 'u2', name: 'bob' };

/** A decision as the library might take it. */
export function taking(
  ask: Ask,
  outcome: Outcome,
  mode: PolicyMode,
  id: string,
  at: Date,
): Decision {
  const finding =
    outcome === 'deny'
      ? failed('policy', 'signature.none', 'no signature')
      : outcome === 'inconclusive'
        ? inconclusive('policy', 'registry.timeout', 'no answer')
        : passed('policy', 'signed');
  const passes = outcome === 'admit' || outcome === 'expiring';
  const admitted = passes || mode !== 'enforce';
  return {
    id,
    outcome: admitted ? 'admit' : 'deny',
    reference: ask.reference,
    repository: ask.repository,
    tag: ask.tag,
    digest: 'digest' in ask.resolved ? ask.resolved.digest : null,
    covers: [LEAF],
    surface: ask.surface,
    namespace: ask.namespace,
    environment: null,
    policies: [
      {
        policy: 'p',
        hash: 'h',
        mode,
        finding,
        effect: passes ? 'pass' : mode === 'enforce' ? 'deny' : mode,
      },
    ],
    finding,
    warnings: [],
    exceptions: [],
    policySetHash: 'sha256:one',
    trustRootVersion: 'acme sha256:1',
    evidence: [],
    validUntil: outcome === 'expiring' ? new Date(START + 60_000) : null,
    at,
    durationMs: 1,
  };
}
