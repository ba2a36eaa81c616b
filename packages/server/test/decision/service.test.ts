import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Ask, Resolved, Rollback } from '@bulla/server/decision/ask';
import { type Epochs, openEpochs } from '@bulla/server/decision/epochs';
import type { MadeDecision } from '@bulla/server/decision/made';
import { openPolicies } from '@bulla/server/decision/policies';
import { createDecisions, type DecisionService } from '@bulla/server/decision/service';
import { openMemory } from '@bulla/server/storage/memory/open';
import { TrustFault } from '@bulla/trust/fault/fault';
import { failed, inconclusive, passed } from '@bulla/trust/finding/finding';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { Decision } from '@bulla/trust/policy/decision';
import type { PolicyMode } from '@bulla/trust/policy/document';
import type { PolicySet } from '@bulla/trust/policy/policy-set';

const IMAGE = computeDigest(Buffer.from('image'));
const LEAF = computeDigest(Buffer.from('leaf'));
const OTHER = computeDigest(Buffer.from('other'));
const START = Date.parse('2026-11-21T12:00:00Z');
const REPOSITORY = 'registry.example/app';

function set(hash: string): PolicySet {
  return { policies: [], hash, trustRootVersion: 'acme sha256:1' };
}

interface Kit {
  readonly decisions: DecisionService;
  readonly epochs: Epochs;
  readonly kept: MadeDecision[];
  /** How often evidence was looked at. */
  taken(): number;
  pass(seconds: number): void;
  ask(change?: Partial<Ask>): Ask;
  change(hash: string): Promise<void>;
  failRecord(): void;
}

type Outcome = 'admit' | 'deny' | 'inconclusive' | 'expiring';

async function open(outcome: Outcome, mode: PolicyMode = 'enforce'): Promise<Kit> {
  const store = openMemory();
  let at = START;
  let taken = 0;
  let ids = 0;
  let hash = 'sha256:one';
  let recordFails = false;
  const kept: MadeDecision[] = [];
  const clock = () => new Date(at);
  const epochs = openEpochs(store.registers, () => at);
  const policies = await openPolicies({
    load: () => Promise.resolve({ set: set(hash), warnings: [] }),
    fingerprint: () => Promise.resolve(hash),
    clock,
    changed: () => undefined,
  });
  const newId = () => `ID${++ids}`;
  const decisions = createDecisions({
    policies,
    epochs,
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
    epochs,
    kept,
    taken: () => taken,
    pass: (seconds) => {
      at += seconds * 1000;
    },
    ask: (change = {}) => ({ ...ASK, ...change }),
    change: async (next) => {
      hash = next;
      await policies.check();
    },
    failRecord: () => {
      recordFails = true;
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

const ASK: Ask = {
  reference: `${REPOSITORY}:1`,
  repository: REPOSITORY,
  tag: '1',
  resolved: { digest: IMAGE },
  parents: [],
  rollback: null,
  source: SOURCE,
  surface: 'pull',
  namespace: null,
  actor: { kind: 'user', id: 'u1', name: 'ann', permissions: new Set(), repositories: [] },
  request: { id: 'r1', remoteAddress: '127.0.0.1', userAgent: 'test' },
};

const ANOTHER_USER: Ask['actor'] = { ...ASK.actor, id: 'u2', name: 'bob' };

function taking(ask: Ask, outcome: Outcome, mode: PolicyMode, id: string, at: Date): Decision {
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
    policySetHash: 'sha256:one',
    trustRootVersion: 'acme sha256:1',
    evidence: [],
    validUntil: outcome === 'expiring' ? new Date(START + 60_000) : null,
    at,
    durationMs: 1,
  };
}

const cases: readonly {
  readonly name: string;
  readonly outcome: Outcome;
  readonly mode?: PolicyMode;
  readonly first?: Partial<Ask>;
  readonly second?: Partial<Ask>;
  readonly between?: (kit: Kit) => Promise<void> | void;
  /** How often evidence was looked at for both questions. */
  readonly taken: 1 | 2;
}[] = [
  { name: 'a pass is used again', outcome: 'admit', taken: 1 },
  { name: 'a pass is used for an hour', outcome: 'admit', between: (k) => k.pass(3599), taken: 1 },
  { name: 'and no longer', outcome: 'admit', between: (k) => k.pass(3600), taken: 2 },
  {
    name: 'a pass ends with its evidence',
    outcome: 'expiring',
    between: (k) => k.pass(60),
    taken: 2,
  },
  {
    name: 'a refusal is used for ten seconds',
    outcome: 'deny',
    between: (k) => k.pass(9),
    taken: 1,
  },
  { name: 'and no longer', outcome: 'deny', between: (k) => k.pass(10), taken: 2 },
  {
    name: 'a refusal ends with a push to the repository',
    outcome: 'deny',
    between: (k) => k.decisions.pushed(REPOSITORY),
    taken: 2,
  },
  {
    name: 'also with one that another replica took',
    outcome: 'deny',
    between: (k) => k.epochs.raise(`push/${REPOSITORY}`),
    taken: 2,
  },
  {
    name: 'a push to another repository ends nothing',
    outcome: 'deny',
    between: (k) => k.decisions.pushed(`${REPOSITORY}/web`),
    taken: 1,
  },
  {
    name: 'a pass outlives a push',
    outcome: 'admit',
    between: (k) => k.decisions.pushed(REPOSITORY),
    taken: 1,
  },
  {
    name: 'what is only audited is used for ten seconds, like a refusal',
    outcome: 'deny',
    mode: 'audit',
    between: (k) => k.pass(10),
    taken: 2,
  },
  {
    name: 'what is only warned of ends with a push: it may be a signature',
    outcome: 'deny',
    mode: 'warn',
    between: (k) => k.decisions.pushed(REPOSITORY),
    taken: 2,
  },
  { name: 'inconclusive is not cached', outcome: 'inconclusive', taken: 2 },
  {
    name: 'a revocation ends every pass within a second',
    outcome: 'admit',
    between: async (k) => {
      await k.epochs.raise('revocation');
      k.pass(1);
    },
    taken: 2,
  },
  {
    name: 'another policy set ends every pass',
    outcome: 'admit',
    between: (k) => k.change('sha256:two'),
    taken: 2,
  },
  {
    name: 'another digest is another question',
    outcome: 'admit',
    second: resolved({ digest: OTHER }),
    taken: 2,
  },
  {
    name: 'another repository is',
    outcome: 'admit',
    second: { repository: 'registry.example/b' },
    taken: 2,
  },
  { name: 'another surface is', outcome: 'admit', second: { surface: 'admission' }, taken: 2 },
  { name: 'another namespace is', outcome: 'admit', second: { namespace: 'prod' }, taken: 2 },
  {
    name: 'the digest of an admitted tag is not',
    outcome: 'admit',
    second: { tag: null },
    taken: 1,
  },
  {
    name: 'the tag of an admitted digest is',
    outcome: 'admit',
    first: { tag: null },
    taken: 2,
  },
  { name: 'a tag that went back is', outcome: 'admit', second: { rollback: back() }, taken: 2 },
  { name: 'another user is not', outcome: 'admit', second: { actor: ANOTHER_USER }, taken: 1 },
  {
    name: 'a leaf of an admitted index is decided with it',
    outcome: 'admit',
    second: { ...resolved({ digest: LEAF }), tag: null, parents: [IMAGE] },
    taken: 1,
  },
  {
    name: 'a leaf that the index does not cover is not',
    outcome: 'admit',
    second: { ...resolved({ digest: OTHER }), tag: null, parents: [IMAGE] },
    taken: 2,
  },
  {
    name: 'a leaf of a refused index is not',
    outcome: 'deny',
    second: { ...resolved({ digest: LEAF }), tag: null, parents: [IMAGE] },
    taken: 2,
  },
];

function resolved(to: Resolved): Partial<Ask> {
  return { resolved: to };
}

function back(): Rollback {
  return { newer: OTHER, newerSince: new Date(START - 1000) };
}

describe('decisions of a server', () => {
  for (const { name, outcome, mode, first, second, between, taken } of cases) {
    test(`${outcome} ${mode ?? 'enforce'}: ${name}`, async () => {
      const kit = await open(outcome, mode);
      await kit.decisions.decide(kit.ask(first));
      await between?.(kit);
      const again = await kit.decisions.decide(kit.ask(second));
      assert.equal(kit.taken(), taken);
      assert.equal(kit.kept.length, 2, 'both uses are recorded');
      assert.equal(again.cache, taken === 1 ? 'hit' : 'miss');
      const asked: Digest | undefined =
        second?.resolved !== undefined && 'digest' in second.resolved
          ? second.resolved.digest
          : IMAGE;
      assert.equal(again.decision.digest, asked, 'the answer is about what was asked');
    });
  }

  test('one question that many ask at once is answered once, and recorded for each', async () => {
    const kit = await open('admit');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => kit.decisions.decide(kit.ask())),
    );
    assert.equal(kit.taken(), 1);
    assert.equal(kit.kept.length, 20);
    assert.equal(new Set(answers.map(({ decision }) => decision.id)).size, 1);
  });

  test('each user has a decision id of their own', async () => {
    const kit = await open('admit');
    const first = await kit.decisions.decide(kit.ask());
    const other = await kit.decisions.decide(kit.ask({ actor: ANOTHER_USER }));
    const otherAgain = await kit.decisions.decide(kit.ask({ actor: ANOTHER_USER }));
    assert.notEqual(first.decision.id, other.decision.id);
    assert.equal(other.decision.id, otherAgain.decision.id);
  });

  test('a tag that cannot be resolved is never answered from the cache', async () => {
    const kit = await open('admit');
    await kit.decisions.decide(kit.ask());
    const problem = new TrustFault('registry.unreachable', 'gone');
    await kit.decisions.decide(kit.ask(resolved({ problem, remembered: IMAGE })));
    assert.equal(kit.taken(), 2);
  });

  test('without a record an enforcing door refuses, from the cache as well', async () => {
    const kit = await open('admit');
    await kit.decisions.decide(kit.ask());
    kit.failRecord();
    await assert.rejects(kit.decisions.decide(kit.ask()), { code: 'storage.full' });
    await assert.rejects(kit.decisions.decide(kit.ask(resolved({ digest: OTHER }))), {
      code: 'storage.full',
    });
  });

  test('without a record a door that only audits goes on', async () => {
    const kit = await open('deny', 'audit');
    kit.failRecord();
    const { decision } = await kit.decisions.decide(kit.ask());
    assert.equal(decision.outcome, 'admit');
  });
});

const readings: readonly {
  readonly name: string;
  readonly fault: TrustFault;
  readonly outcome: 'admit' | 'deny';
  readonly code: string;
}[] = [
  {
    name: 'files that are half-written leave the former policies in force, and a finding says so',
    fault: new TrustFault('policy.pattern-invalid', 'line 3'),
    outcome: 'admit',
    code: 'policy.stale',
  },
  {
    name: 'a file that is gone leaves none in force, and all is refused',
    fault: new TrustFault('policy.unreadable', 'prod.yaml is gone'),
    outcome: 'deny',
    code: 'policy.unreadable',
  },
];

describe('policies in force', () => {
  for (const { name, fault, outcome, code } of readings) {
    test(name, async () => {
      let broken = false;
      const clock = () => new Date(START);
      const policies = await openPolicies({
        load: () =>
          broken ? Promise.reject(fault) : Promise.resolve({ set: set('x'), warnings: [] }),
        fingerprint: () => Promise.resolve(String(broken)),
        clock,
        changed: () => undefined,
      });
      const { registers } = openMemory();
      let ids = 0;
      const decisions = createDecisions({
        policies,
        epochs: openEpochs(registers, () => 0),
        keep: () => Promise.resolve(),
        take: (ask) =>
          Promise.resolve({
            decision: taking(ask, 'admit', 'enforce', `ID${++ids}`, clock()),
            cache: 'miss',
            dossier: null,
          }),
        limits: { entries: 10, passMs: 1000, refusalMs: 1000 },
        newId: () => `ID${++ids}`,
        clock,
        now: () => 0,
        unrecorded: () => undefined,
      });
      broken = true;
      await policies.check();
      const { decision } = await decisions.decide(ASK);
      assert.equal(decision.outcome, outcome);
      const findings = [decision.finding, ...(decision.finding.because ?? [])];
      assert.ok(findings.some((finding) => finding.code === code));
      assert.equal(policies.current().problem, fault);
      broken = false;
      await policies.check();
      assert.equal(policies.current().problem, null, 'a correction is taken up');
    });
  }
});
