import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PREDICATE_TYPES } from '@bulla/trust/claims/predicate-type';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { StoredManifest } from '@bulla/trust/oci/store';
import type { Requirement, TreeMode } from '@bulla/trust/policy/document';
import { type DecideShape, decided } from '../policy-lab/decide.ts';
import { attested, policyOf, ready, setOf, signed } from '../policy-lab/policy.ts';
import { codesOf } from '../sigstore-lab/findings.ts';
import { openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { keyed } from '../sigstore-lab/question.ts';
import {
  attachBundle,
  type LabRepository,
  openRepository,
  putImage,
  putIndex,
} from '../sigstore-lab/repository.ts';
import { type TestKey, testKey } from '../tlog/synthetic-log.ts';

// Semantics 6 for policies: which node must carry the evidence, and what passes through an index.

const lab = openLab();
const A = testKey('ecdsa-p256');
const B = testKey('ecdsa-p256');
const EVE = testKey('ecdsa-p256');
const authorities = [ready(keyed(A, 'a')), ready(keyed(B, 'b'))];

function sign(repository: LabRepository, node: StoredManifest, by: TestKey, type?: string): void {
  const payload = statement(node.digest, type);
  const shape = { by, payload, logs: [], stampedAt: [] };
  attachBundle(repository, node, bundleEvidence(mintBundle(lab, shape)));
}

const platform = (architecture: string) => ({ platform: { os: 'linux', architecture } });
const BUILDX = { platform: { os: 'unknown', architecture: 'unknown' } };
type NodeName = 'index' | 'amd64' | 'arm64' | 'buildx';

/** An index of two leaves and a buildx attestation manifest; nothing is signed. */
function openTree() {
  const repository = openRepository();
  const amd64 = putImage(repository, 'amd64');
  const arm64 = putImage(repository, 'arm64');
  const buildx = putImage(repository, 'buildx');
  const index = putIndex(
    repository,
    [
      { of: amd64, more: platform('amd64') },
      { of: arm64, more: platform('arm64') },
      { of: buildx, more: BUILDX },
    ],
    { tag: 'v1' },
  );
  return { repository, nodes: { index, amd64, arm64, buildx } };
}

function decideTree(
  repository: LabRepository,
  tree: TreeMode,
  require: Requirement,
  more: Partial<DecideShape> = {},
) {
  const policies = setOf(policyOf({ authorities, require, tree }));
  return decided({ source: repository, policies, ...more });
}

const MODES = ['named', 'index', 'leaf', 'any', 'both'] as const satisfies readonly TreeMode[];

/** One letter for each mode in the order above: of the whole tree; of arm64 with and without its index. */
const ROWS: readonly {
  readonly signed: readonly NodeName[];
  readonly whole: string;
  readonly withParent: string;
  readonly alone: string;
}[] = [
  { signed: [], whole: 'FFFFF', withParent: 'FFFFF', alone: 'FFFFF' },
  { signed: ['index'], whole: 'PPFPF', withParent: 'PPFPF', alone: 'FFFFF' },
  { signed: ['amd64'], whole: 'FFFFF', withParent: 'FFFFF', alone: 'FFFFF' },
  { signed: ['arm64'], whole: 'FFFFF', withParent: 'PFPPF', alone: 'PPPPP' },
  { signed: ['amd64', 'arm64'], whole: 'FFPPF', withParent: 'PFPPF', alone: 'PPPPP' },
  { signed: ['buildx'], whole: 'FFFFF', withParent: 'FFFFF', alone: 'FFFFF' },
  { signed: ['buildx', 'amd64'], whole: 'FFFFF', withParent: 'FFFFF', alone: 'FFFFF' },
  { signed: ['index', 'arm64'], whole: 'PPFPF', withParent: 'PPPPP', alone: 'PPPPP' },
  { signed: ['index', 'amd64', 'arm64'], whole: 'PPPPP', withParent: 'PPPPP', alone: 'PPPPP' },
];

for (const { signed: names, whole, withParent, alone } of ROWS) {
  for (const [at, mode] of MODES.entries()) {
    test(`signed ${names.join(' and ') || 'nowhere'}, a policy of ${mode}`, async () => {
      const { repository, nodes } = openTree();
      for (const name of names) sign(repository, nodes[name], A);
      const { arm64, amd64, index } = nodes;
      const parents = [index.digest];
      const asked = [
        { what: 'the whole', expect: whole, more: {} },
        {
          what: 'a leaf and its index',
          expect: withParent,
          more: { digest: arm64.digest, parents },
        },
        { what: 'a leaf', expect: alone, more: { digest: arm64.digest } },
        { what: 'a platform', expect: withParent, more: { platform: 'linux/arm64' } },
      ];
      for (const { what, expect, more } of asked) {
        const decision = await decideTree(repository, mode, signed(['a']), more);
        const text = `${what}\n${renderFinding(decision.finding).join('\n')}`;
        assert.equal(decision.outcome, expect[at] === 'P' ? 'admit' : 'deny', text);
        const isWhole = what === 'the whole';
        assert.equal(decision.digest, isWhole ? index.digest : arm64.digest, what);
        const covered = isWhole && expect[at] === 'P' ? [amd64.digest, arm64.digest] : [];
        assert.deepEqual(decision.covers, covered, what);
      }
    });
  }
}

test('a signature on the index and an attestation on each leaf satisfy all of the two', async () => {
  const type = PREDICATE_TYPES.spdx;
  const require: Requirement = {
    kind: 'all',
    parts: [signed(['a']), attested('spdxjson', ['b'])],
  };
  const { repository, nodes } = openTree();
  sign(repository, nodes.index, A);
  sign(repository, nodes.amd64, B, type);
  assert.equal((await decideTree(repository, 'any', require)).outcome, 'deny');
  sign(repository, nodes.arm64, B, type);
  const decision = await decideTree(repository, 'any', require);
  assert.equal(decision.outcome, 'admit', renderFinding(decision.finding).join('\n'));
  assert.deepEqual(decision.covers, [nodes.amd64.digest, nodes.arm64.digest]);
  // The leaf by itself passes the one clause through its index, the other by itself.
  const asked = { digest: nodes.arm64.digest, parents: [nodes.index.digest] };
  assert.equal((await decideTree(repository, 'any', require, asked)).outcome, 'admit');
});

test('a threshold is met at one node or at each leaf, never by mixing', async () => {
  const { repository, nodes } = openTree();
  const require = signed(['a', 'b'], { atLeast: 2 });
  sign(repository, nodes.index, A);
  sign(repository, nodes.amd64, B);
  sign(repository, nodes.arm64, B);
  for (const mode of MODES) {
    assert.equal((await decideTree(repository, mode, require)).outcome, 'deny', mode);
    const asked = { digest: nodes.arm64.digest, parents: [nodes.index.digest] };
    assert.equal((await decideTree(repository, mode, require, asked)).outcome, 'deny', mode);
  }
  sign(repository, nodes.amd64, A);
  sign(repository, nodes.arm64, A);
  assert.equal((await decideTree(repository, 'any', require)).outcome, 'admit');
});

test('an index that somebody signed and that does not list the leaf lets nothing through', async () => {
  const { repository, nodes } = openTree();
  const other = putIndex(repository, [{ of: nodes.amd64, more: platform('amd64') }]);
  sign(repository, other, A);
  for (const mode of MODES) {
    const asked = { digest: nodes.arm64.digest, parents: [other.digest] };
    const decision = await decideTree(repository, mode, signed(['a']), asked);
    assert.equal(decision.outcome, 'deny', mode);
    if (mode !== 'leaf') assert.ok(codesOf(decision.finding).includes('tree.not-listed'), mode);
  }
});

test('an index that lists the leaf as a buildx attestation lets it not through', async () => {
  const { repository, nodes } = openTree();
  sign(repository, nodes.index, A);
  const asked = { digest: nodes.buildx.digest, parents: [nodes.index.digest] };
  const decision = await decideTree(repository, 'any', signed(['a']), asked);
  assert.equal(decision.outcome, 'deny');
});

test('an index that a stranger signed lets nothing through, and takes nothing away', async () => {
  const { repository, nodes } = openTree();
  const planted = putIndex(repository, [{ of: nodes.arm64, more: platform('arm64') }]);
  sign(repository, planted, EVE);
  const asked = { digest: nodes.arm64.digest, parents: [planted.digest] };
  assert.equal((await decideTree(repository, 'any', signed(['a']), asked)).outcome, 'deny');
  sign(repository, nodes.arm64, A);
  assert.equal((await decideTree(repository, 'any', signed(['a']), asked)).outcome, 'admit');
});

test('evidence on a leaf covers neither its index nor its sibling', async () => {
  const { repository, nodes } = openTree();
  sign(repository, nodes.arm64, A);
  assert.equal((await decideTree(repository, 'any', signed(['a']))).outcome, 'deny');
  const sibling = { digest: nodes.amd64.digest, parents: [nodes.index.digest] };
  assert.equal((await decideTree(repository, 'any', signed(['a']), sibling)).outcome, 'deny');
});

test('an index that is recorded and gone lets nothing through', async () => {
  const { repository, nodes } = openTree();
  sign(repository, nodes.index, A);
  repository.manifests.delete(nodes.index.digest);
  const asked = { digest: nodes.arm64.digest, parents: [nodes.index.digest] };
  const decision = await decideTree(repository, 'any', signed(['a']), asked);
  assert.equal(decision.outcome, 'deny');
  assert.equal(decision.finding.outcome, 'fail');
});

test('leaves are fetched only when a clause needs them', async () => {
  const { repository, nodes } = openTree();
  sign(repository, nodes.index, A);
  await decideTree(repository, 'any', signed(['a']));
  const leaves = [nodes.amd64.digest, nodes.arm64.digest];
  const fetched = repository.calls.filter((call) => leaves.some((leaf) => call.endsWith(leaf)));
  assert.deepEqual(fetched, []);
});
