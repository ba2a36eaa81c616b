import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { predicateTypeOf } from '@bulla/trust/claims/predicate-type';
import { TrustFault } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { StoredManifest } from '@bulla/trust/oci/store';
import { openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import type { Requirement } from '@bulla/trust/policy/document';
import { mendsOf } from '@bulla/trust/policy/explain/mend';
import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { type DecideShape, decided } from '../../policy-lab/decide.ts';
import {
  attested,
  type PolicyShape,
  policyOf,
  ready,
  setOf,
  signed,
  unsupported,
} from '../../policy-lab/policy.ts';
import { minutes, NOW, openLab } from '../../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../../sigstore-lab/mint.ts';
import { keyed } from '../../sigstore-lab/question.ts';
import {
  attachBundle,
  type LabRepository,
  openRepository,
  putImage,
  putIndex,
} from '../../sigstore-lab/repository.ts';
import { type TestKey, testKey } from '../../tlog/synthetic-log.ts';

// What a refused image lacks is done to it as the acts say, and then it is admitted.

const lab = openLab();
const KEYS: Readonly<Record<string, TestKey>> = {
  release: testKey('ecdsa-p256'),
  qa: testKey('ecdsa-p256'),
  scanner: testKey('ecdsa-p256'),
};
const runner = openExpressionRunner();
after(() => runner[Symbol.asyncDispose]());

const DAY = 24 * 60;
const keyOf = (name: string): TestKey => {
  const key = KEYS[name.replace(/-again$/, '')];
  assert.ok(key !== undefined, name);
  return key;
};

function authority(name: string) {
  const stamped = ready(keyed(keyOf(name), name), lab);
  return { ...stamped, requirements: { ...stamped.requirements, log: false } };
}

/** The same key under another name. */
const names = ['release', 'release-again', 'qa', 'scanner'];
const authorities = [...names.map(authority), unsupported('old', 'notary')];

const scan = (critical: number) => ({
  scanner: {
    result: {
      vulnerabilities: Array.from({ length: critical }, (_, at) => {
        return { id: `CVE-${at}`, severity: 'CRITICAL' };
      }),
    },
  },
});

interface World {
  readonly repository: LabRepository;
  readonly nodes: Readonly<Record<'index' | 'amd64' | 'arm64', StoredManifest>>;
}

function openWorld(): World {
  const repository = openRepository();
  const [amd64, arm64] = [putImage(repository, 'amd64'), putImage(repository, 'arm64')];
  const of = (image: StoredManifest, architecture: string) => {
    return { of: image, more: { platform: { os: 'linux', architecture } } };
  };
  const children = [of(amd64, 'amd64'), of(arm64, 'arm64')];
  const index = putIndex(repository, children, { tag: 'v1' });
  return { repository, nodes: { index, amd64, arm64 } };
}

interface Made {
  readonly on: string;
  readonly by: string;
  readonly type?: string;
  readonly predicate?: unknown;
  /** Minutes from now. */
  readonly at?: number;
}

function make({ repository, nodes }: World, { on, by, type, predicate, at = 0 }: Made): void {
  const node = Object.entries(nodes).find(
    ([name, { digest }]) => on === name || on === digest,
  )?.[1];
  assert.ok(node !== undefined, on);
  const payload =
    type === undefined
      ? statement(node.digest)
      : statement(node.digest, predicateTypeOf(type), predicate ?? scan(0));
  const shape = { by: keyOf(by), payload, logs: [], stampedAt: [minutes(at)] };
  attachBundle(repository, node, bundleEvidence(mintBundle(lab, shape)));
}

function ask({ repository }: World, policies: readonly ReadyPolicy[], more: Partial<DecideShape>) {
  const expressions = () => runner;
  return decided({ source: repository, policies: setOf(...policies), expressions, ...more });
}

/** What an act says, done. */
function done(world: World, says: string): void {
  const sign = /^sign (\S+) with the key of authority (\S+)/.exec(says);
  const attest = /^attest (\S+) about (\S+) with the key of authority (\S+)/.exec(says);
  const again = /^the (\S+) statement of (\S+) does not do /.exec(says);
  const [, on = '', by = ''] = sign ?? [];
  if (sign !== null) make(world, { on, by });
  const [, type = '', subject = '', signer = ''] = attest ?? [];
  if (attest !== null) make(world, { on: subject, by: signer, type, at: 1 });
  const [, kind = '', scanner = ''] = again ?? [];
  // A statement that says the very same as an old one is as old as that.
  const predicate = { ...scan(0), metadata: { scanFinishedOn: minutes(1).toISOString() } };
  if (again !== null) make(world, { on: 'index', by: scanner, type: kind, at: 1, predicate });
  assert.ok((sign ?? attest ?? again) !== null, says);
}

const CLEAN = { vulnerabilities: { critical: 0 } } as const;

const CASES: readonly {
  readonly name: string;
  readonly require: Requirement;
  readonly made?: readonly Made[];
  readonly more?: Partial<PolicyShape>;
  readonly acts: readonly RegExp[];
}[] = [
  {
    name: 'one signature is missing of two',
    require: signed(['release', 'qa'], { atLeast: 2 }),
    made: [{ on: 'index', by: 'release' }],
    acts: [/^sign sha256:\S+ with the key of authority qa$/],
  },
  {
    name: 'nothing is there',
    require: signed(['release', 'qa'], { atLeast: 2 }),
    acts: [/authority release$/, /authority qa$/],
  },
  {
    name: 'a second name of the key that has signed is not asked for',
    require: signed(['release', 'release-again', 'qa'], { atLeast: 2 }),
    made: [{ on: 'index', by: 'release' }],
    acts: [/authority qa$/],
  },
  {
    name: 'a statement is too old',
    require: attested('vuln', ['scanner'], { maxAgeMs: 7 * DAY * 60_000 }),
    made: [{ on: 'index', by: 'scanner', type: 'vuln', at: -9 * DAY }],
    acts: [/scanner does not do .* 9d ago; at most 7d is allowed\): scan again/],
  },
  {
    name: 'a scan found too much',
    require: attested('vuln', ['scanner'], CLEAN),
    made: [{ on: 'index', by: 'scanner', type: 'vuln', predicate: scan(1) }],
    acts: [/mend the image and scan it anew/],
  },
  {
    name: 'a statement is not there',
    require: attested('vuln', ['scanner'], CLEAN),
    made: [{ on: 'index', by: 'scanner' }],
    acts: [/^attest vuln about sha256:\S+ with the key of authority scanner$/],
  },
  {
    name: 'an expression is false',
    require: attested('vuln', ['scanner'], { where: '"scanner" in predicate' }),
    made: [{ on: 'index', by: 'scanner', type: 'vuln', predicate: { other: 1 } }],
    acts: [/^the vuln statement of scanner does not do /],
  },
  {
    name: 'the cheaper of two ways',
    require: {
      kind: 'any',
      parts: [
        { kind: 'all', parts: [signed(['release']), attested('vuln', ['scanner'], CLEAN)] },
        signed(['qa']),
      ],
    },
    acts: [/authority qa$/],
  },
  {
    name: 'two of three parts, of which one is there',
    require: {
      kind: 'atLeast',
      atLeast: 2,
      parts: [signed(['release']), signed(['release', 'qa'], { atLeast: 2 }), signed(['qa'])],
    },
    made: [{ on: 'index', by: 'release' }],
    acts: [/authority qa$/],
  },
  {
    name: 'every leaf must carry it and one does',
    require: signed(['release']),
    more: { tree: 'leaf' },
    made: [{ on: 'amd64', by: 'release' }],
    acts: [/authority release$/],
  },
  {
    name: 'one leaf does not carry it, or the index',
    require: signed(['release']),
    made: [{ on: 'amd64', by: 'release' }],
    acts: [/authority release$/],
  },
  {
    name: 'index and leaves must carry it',
    require: signed(['release']),
    more: { tree: 'both' },
    acts: [/authority release$/, /authority release$/, /authority release$/],
  },
  {
    name: 'an authority that cannot be proved is not asked for',
    require: signed(['old', 'qa']),
    acts: [/authority qa$/],
  },
];

for (const { name, require, made = [], more = {}, acts } of CASES) {
  test(`after the acts the image is admitted, and without them not: ${name}`, async () => {
    const world = openWorld();
    for (const one of made) make(world, one);
    const policies = [policyOf({ authorities, require, ...more })];
    const refused = await ask(world, policies, {});
    assert.equal(refused.outcome, 'deny');
    const mends = mendsOf(refused, setOf(...policies));
    const tree = renderFinding(refused.finding).join('\n');
    assert.equal(mends.length, acts.length, `${tree}\n${mends.map(({ says }) => says).join('\n')}`);
    for (const [at, form] of acts.entries()) assert.match(mends[at]?.says ?? '', form, tree);
    for (const { says, policies: askedBy } of mends) {
      assert.deepEqual(askedBy, ['prod']);
      done(world, says);
    }
    const admitted = await ask(world, policies, { at: minutes(2) });
    assert.equal(admitted.outcome, 'admit', renderFinding(admitted.finding).join('\n'));
    assert.deepEqual(mendsOf(admitted, setOf(...policies)), []);
  });
}

test('an act that two policies ask for is one, with a command that does it', async () => {
  const world = openWorld();
  const more = { authorities, require: signed(['qa'], { annotations: { 'build id': "it's" } }) };
  const policies = [policyOf(more), policyOf({ ...more, name: 'base' })];
  const mends = mendsOf(await ask(world, policies, {}), setOf(...policies));
  assert.equal(mends.length, 1);
  assert.deepEqual(mends[0]?.policies, ['base', 'prod']);
  const { digest } = world.nodes.index;
  assert.equal(
    mends[0]?.command,
    `bulla sign --key KEY --annotation 'build id=it'\\''s' registry.example/app@${digest}`,
  );
});

test('what no signer can do is said by the remedy of the finding', async () => {
  const world = openWorld();
  const require = signed(['old']);
  const cases = [
    { policies: [], more: {}, says: /no policy is loaded/ },
    { policies: [policyOf({ authorities, require })], more: {}, says: /kind notary/ },
    {
      policies: [policyOf({ authorities, require: signed(['release']), tags: 'refuse' })],
      more: {},
      says: /by its digest/,
    },
    {
      policies: [policyOf({ authorities, require: signed(['qa']) })],
      more: { tag: 'gone' },
      says: /gone/,
    },
    {
      policies: [
        policyOf({ authorities, require: signed(['release', 'release-again'], { atLeast: 2 }) }),
      ],
      more: {},
      says: /with a key of its own/,
    },
  ] as const;
  for (const { policies, more, says } of cases) {
    const decision = await ask(world, policies, { ...more, at: NOW });
    const mends = mendsOf(decision, setOf(...policies));
    assert.ok(
      mends.some((mend) => says.test(mend.says) && mend.command === null),
      JSON.stringify(mends),
    );
    assert.doesNotMatch(JSON.stringify(mends), /loosen|weaken|lower the/);
  }
});

test('an outage is to be ended, and no signature is asked for meanwhile', async () => {
  const world = openWorld();
  make(world, { on: 'index', by: 'release' });
  world.repository.faults = {
    referrers: () => {
      throw new TrustFault('registry.unreachable', 'registry.example gave no answer');
    },
  };
  const policies = [policyOf({ authorities, require: signed(['release']), tree: 'index' })];
  const decision = await ask(world, policies, {});
  assert.equal(decision.finding.outcome, 'inconclusive');
  const mends = mendsOf(decision, setOf(...policies));
  assert.ok(mends.length > 0);
  for (const { says } of mends) assert.match(says, /^registry\.example gave no answer: /);
});
