import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { StoredManifest } from '@bulla/trust/oci/store';
import type { TreeMode } from '@bulla/trust/policy/document';
import { codesOf } from '../sigstore-lab/findings.ts';
import { openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { judgeArtifact, keyed } from '../sigstore-lab/question.ts';
import {
  attachBundle,
  type LabRepository,
  openRepository,
  putImage,
  putIndex,
} from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 6: which node of a tree must carry the evidence.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const asked = { authorities: [keyed(KEY)], requirements: { log: false } };

function sign(repository: LabRepository, node: StoredManifest): void {
  const shape = { by: KEY, payload: statement(node.digest), logs: [], stampedAt: [] };
  attachBundle(repository, node, bundleEvidence(mintBundle(lab, shape)));
}

const platform = (architecture: string, variant?: string) => ({
  platform: { os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) },
});
const BUILDX = {
  platform: { os: 'unknown', architecture: 'unknown' },
  annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
};

/** An index of two leaves and a buildx attestation manifest, signed at the named nodes. */
function tree(signed: readonly ('index' | 'amd64' | 'arm64' | 'buildx')[]) {
  const repository = openRepository();
  const amd64 = putImage(repository, 'amd64');
  const arm64 = putImage(repository, 'arm64');
  const buildx = putImage(repository, 'buildx');
  const index = putIndex(
    repository,
    [
      { of: amd64, more: platform('amd64') },
      { of: arm64, more: platform('arm64', 'v8') },
      { of: buildx, more: BUILDX },
    ],
    { tag: 'v1' },
  );
  const nodes = { index, amd64, arm64, buildx };
  for (const name of signed) sign(repository, nodes[name]);
  return { repository, nodes };
}

const MODES = ['named', 'index', 'leaf', 'any', 'both'] as const satisfies readonly TreeMode[];

/** One letter for each mode, in the order above: passes or fails. */
const ROWS: readonly {
  readonly signed: Parameters<typeof tree>[0];
  readonly whole: string;
  readonly arm64: string;
}[] = [
  { signed: [], whole: 'FFFFF', arm64: 'FFFFF' },
  { signed: ['index'], whole: 'PPFPF', arm64: 'FPFPF' },
  { signed: ['amd64'], whole: 'FFFFF', arm64: 'FFFFF' },
  { signed: ['arm64'], whole: 'FFFFF', arm64: 'PFPPF' },
  { signed: ['amd64', 'arm64'], whole: 'FFPPF', arm64: 'PFPPF' },
  { signed: ['buildx'], whole: 'FFFFF', arm64: 'FFFFF' },
  { signed: ['buildx', 'amd64'], whole: 'FFFFF', arm64: 'FFFFF' },
  { signed: ['index', 'amd64'], whole: 'PPFPF', arm64: 'FPFPF' },
  { signed: ['index', 'arm64'], whole: 'PPFPF', arm64: 'PPPPP' },
  { signed: ['index', 'amd64', 'arm64'], whole: 'PPPPP', arm64: 'PPPPP' },
];

/** What a pass covers beside the digest of the verdict. */
const COVERED: Readonly<Record<TreeMode, 'nothing' | 'leaves'>> = {
  named: 'nothing',
  index: 'leaves',
  leaf: 'leaves',
  any: 'leaves',
  both: 'leaves',
};

for (const { signed, whole, arm64 } of ROWS) {
  for (const [at, mode] of MODES.entries()) {
    test(`signed ${signed.join(' and ') || 'nowhere'}, asked for ${mode}`, async () => {
      const { repository, nodes } = tree(signed);
      const placed = { source: repository, tagOrDigest: 'v1', tree: mode };
      const verdict = await judgeArtifact(lab, placed, asked);
      const text = renderFinding(verdict.finding).join('\n');
      assert.equal(verdict.finding.outcome, whole[at] === 'P' ? 'pass' : 'fail', text);
      assert.equal(verdict.digest, nodes.index.digest);
      const leaves = [nodes.amd64.digest, nodes.arm64.digest];
      const covers = whole[at] === 'P' && COVERED[mode] === 'leaves' ? leaves : [];
      assert.deepEqual(verdict.covers, covers);
      if (whole[at] === 'F') assert.ok(codesOf(verdict.finding).includes('signature.none'), text);
    });
    test(`signed ${signed.join(' and ') || 'nowhere'}, asked for ${mode} of one platform`, async () => {
      const { repository, nodes } = tree(signed);
      const source = { source: repository, tagOrDigest: 'v1', tree: mode };
      const verdict = await judgeArtifact(lab, { ...source, platform: 'linux/arm64' }, asked);
      const text = renderFinding(verdict.finding).join('\n');
      assert.equal(verdict.finding.outcome, arm64[at] === 'P' ? 'pass' : 'fail', text);
      // Only the chosen leaf is reported, never the index or the sibling.
      assert.equal(verdict.digest, nodes.arm64.digest);
      assert.ok(verdict.covers.every((digest) => digest === nodes.arm64.digest));
    });
  }
}

test('an index that is signed does not vouch for a leaf that is asked for by itself', async () => {
  const { repository, nodes } = tree(['index']);
  for (const mode of MODES) {
    const placed = { source: repository, tagOrDigest: nodes.amd64.digest, tree: mode };
    const { finding } = await judgeArtifact(lab, placed, asked);
    assert.equal(finding.outcome, 'fail', mode);
    assert.equal(finding.code, 'signature.none');
  }
});

test('a leaf that the registry lacks refuses', async () => {
  const { repository, nodes } = tree(['amd64', 'arm64']);
  repository.manifests.delete(nodes.arm64.digest);
  const placed = { source: repository, tagOrDigest: 'v1', tree: 'leaf' as const };
  const { finding } = await judgeArtifact(lab, placed, asked);
  assert.equal(finding.outcome, 'fail');
  assert.deepEqual(codesOf(finding), ['artifact.not-found']);
});

test('a leaf whose bytes are not those that the index lists refuses', async () => {
  const { repository, nodes } = tree(['amd64', 'arm64']);
  repository.faults = {
    manifest: (ref) => (ref === nodes.arm64.digest ? nodes.amd64 : undefined),
  };
  for (const choice of [null, 'linux/arm64']) {
    for (const mode of ['leaf', 'named'] as const) {
      if (mode === 'named' && choice === null) continue;
      const placed = { source: repository, tagOrDigest: 'v1', tree: mode, platform: choice };
      const { finding } = await judgeArtifact(lab, placed, asked);
      assert.equal(finding.outcome, 'fail', `${mode} ${choice}`);
      assert.deepEqual(codesOf(finding), ['registry.digest-mismatch']);
    }
  }
});

test('an index that runs nowhere does not pass by its leaves', async () => {
  const repository = openRepository();
  const buildx = putImage(repository, 'buildx');
  putIndex(repository, [{ of: buildx, more: BUILDX }], { tag: 'v1' });
  sign(repository, buildx);
  for (const mode of ['leaf', 'any', 'both'] as const) {
    const placed = { source: repository, tagOrDigest: 'v1', tree: mode };
    const { finding } = await judgeArtifact(lab, placed, asked);
    assert.equal(finding.outcome, 'fail', mode);
  }
});

const PLATFORMS: readonly {
  readonly name: string;
  readonly children: readonly (readonly [string, string?])[];
  readonly wanted: string;
  readonly expect: number | 'artifact.no-platform';
}[] = [
  { name: 'exact', children: [['amd64'], ['arm64']], wanted: 'linux/arm64', expect: 1 },
  {
    name: 'its only variant',
    children: [['amd64'], ['arm64', 'v8']],
    wanted: 'linux/arm64',
    expect: 1,
  },
  {
    name: 'exact before variants',
    children: [['arm', 'v6'], ['arm']],
    wanted: 'linux/arm',
    expect: 1,
  },
  {
    name: 'one of two variants',
    children: [
      ['arm', 'v6'],
      ['arm', 'v7'],
    ],
    wanted: 'linux/arm',
    expect: 'artifact.no-platform',
  },
  {
    name: 'twice the same',
    children: [['amd64'], ['amd64']],
    wanted: 'linux/amd64',
    expect: 'artifact.no-platform',
  },
  { name: 'no such', children: [['amd64']], wanted: 'linux/s390x', expect: 'artifact.no-platform' },
  {
    name: 'part of a name',
    children: [['arm64']],
    wanted: 'linux/arm',
    expect: 'artifact.no-platform',
  },
  {
    name: 'the attestation manifest',
    children: [['amd64']],
    wanted: 'unknown/unknown',
    expect: 'artifact.no-platform',
  },
];

for (const { name, children, wanted, expect } of PLATFORMS) {
  test(`a platform chooses a leaf: ${name}`, async () => {
    const repository = openRepository();
    const leaves = children.map(([architecture, variant], index) => ({
      of: putImage(repository, `${architecture} ${variant} ${index}`),
      more: platform(architecture, variant),
    }));
    const buildx = { of: putImage(repository, 'buildx'), more: BUILDX };
    putIndex(repository, [...leaves, buildx], { tag: 'v1' });
    for (const leaf of [...leaves, buildx]) sign(repository, leaf.of);
    const placed = { source: repository, tagOrDigest: 'v1', platform: wanted };
    const verdict = await judgeArtifact(lab, placed, asked);
    if (typeof expect === 'number') {
      assert.equal(verdict.finding.outcome, 'pass');
      assert.equal(verdict.digest, leaves[expect]?.of.digest);
    } else {
      assert.equal(verdict.finding.outcome, 'fail');
      assert.equal(verdict.finding.code, expect);
    }
  });
}

test('indexes that fan out without end are refused within a bound', async () => {
  const repository = openRepository();
  let children: readonly StoredManifest[] = [putImage(repository, 'leaf')];
  for (let level = 0; level < 4; level++) {
    children = Array.from({ length: 12 }, (_, at) =>
      putIndex(repository, [
        ...children.map((of) => ({ of })),
        { of: putImage(repository, `own leaf ${level} ${at}`) },
      ]),
    );
  }
  const root = putIndex(
    repository,
    children.map((of) => ({ of })),
  );
  const placed = { source: repository, tagOrDigest: root.digest, tree: 'leaf' as const };
  const { finding } = await judgeArtifact(lab, placed, asked);
  assert.equal(finding.outcome, 'fail');
  assert.ok(codesOf(finding).includes('registry.limit'));
  assert.ok(repository.calls.length < 5000, `${repository.calls.length} calls`);
});
