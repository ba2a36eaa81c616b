import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import { codesOf, nodesOf } from '../sigstore-lab/findings.ts';
import { minutes, openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, mintLegacyEnvelope, statement } from '../sigstore-lab/mint.ts';
import { type Asked, judgeArtifact, keyed } from '../sigstore-lab/question.ts';
import {
  attachBundle,
  attachLayers,
  type LabRepository,
  openRepository,
  putImage,
} from '../sigstore-lab/repository.ts';
import { type TestKey, testKey } from '../tlog/synthetic-log.ts';

// Semantics 13: of several statements the newest by trusted time decides.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const OTHER_KEY = testKey('ecdsa-p256');
const TYPE = 'https://example.dev/scan/v1';
const runner = openExpressionRunner();
after(() => runner[Symbol.asyncDispose]());

const asked: Asked = {
  authorities: [keyed(KEY)],
  wanted: { kind: 'attestation', predicateType: TYPE },
  condition: { expression: 'predicate.critical == 0.0', runner, deadlineMs: 5000 },
};

interface Scan {
  readonly critical: number;
  /** Minutes from NOW; null for a statement without a trusted time. */
  readonly at: number | null;
  readonly by?: TestKey;
  readonly about?: string;
  readonly type?: string;
}

function scanned(scans: readonly Scan[]): LabRepository {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  for (const { critical, at, by = KEY, about = image.digest, type = TYPE } of scans) {
    const stampedAt = at === null ? [] : [minutes(at)];
    const payload = statement(about, type, { critical });
    attachBundle(repository, image, bundleEvidence(mintBundle(lab, { by, payload, stampedAt })));
  }
  return repository;
}

const CLEAN = { critical: 0 } as const;
const BAD = { critical: 3 } as const;
const ELSEWHERE = `sha256:${'1'.repeat(64)}`;

const ROWS: readonly {
  readonly name: string;
  readonly scans: readonly Scan[];
  readonly expect: readonly string[];
}[] = [
  { name: 'a clean scan', scans: [{ ...CLEAN, at: 0 }], expect: [] },
  { name: 'a bad scan', scans: [{ ...BAD, at: 0 }], expect: ['statement.where-false'] },
  {
    name: 'an old clean scan beside a newer bad one',
    scans: [
      { ...CLEAN, at: 0 },
      { ...BAD, at: 5 },
    ],
    expect: ['statement.where-false'],
  },
  {
    name: 'the same in the other order',
    scans: [
      { ...BAD, at: 5 },
      { ...CLEAN, at: 0 },
    ],
    expect: ['statement.where-false'],
  },
  {
    name: 'an old bad scan beside a newer clean one',
    scans: [
      { ...BAD, at: 0 },
      { ...CLEAN, at: 5 },
    ],
    expect: [],
  },
  {
    name: 'two of the same time, one bad',
    scans: [
      { ...CLEAN, at: 5 },
      { ...BAD, at: 5 },
    ],
    expect: ['statement.where-false'],
  },
  {
    name: 'two of the same time, both clean',
    scans: [
      { ...CLEAN, at: 5 },
      { critical: 0, at: 5 },
    ],
    expect: [],
  },
  {
    name: 'a bad scan without a time beside a clean one',
    scans: [
      { ...BAD, at: null },
      { ...CLEAN, at: 5 },
    ],
    expect: ['statement.where-false'],
  },
  {
    name: 'a clean scan without a time beside a bad one',
    scans: [
      { ...CLEAN, at: null },
      { ...BAD, at: 5 },
    ],
    expect: ['statement.where-false'],
  },
  {
    name: 'two without a time, one bad',
    scans: [
      { ...CLEAN, at: null },
      { ...BAD, at: null },
    ],
    expect: ['statement.where-false'],
  },
  { name: 'one without a time', scans: [{ ...CLEAN, at: null }], expect: [] },
  {
    name: 'a newer clean scan of another artifact',
    scans: [
      { ...BAD, at: 0 },
      { ...CLEAN, at: 5, about: ELSEWHERE },
    ],
    expect: ['statement.where-false', 'statement.subject-mismatch'],
  },
  {
    name: 'a newer clean scan by somebody else',
    scans: [
      { ...BAD, at: 0 },
      { ...CLEAN, at: 5, by: OTHER_KEY },
    ],
    expect: ['statement.where-false', 'signature.invalid', 'tlog.entry-mismatch'],
  },
  {
    name: 'a newer bad scan by somebody else',
    scans: [
      { ...CLEAN, at: 0 },
      { ...BAD, at: 5, by: OTHER_KEY },
    ],
    expect: ['signature.invalid', 'tlog.entry-mismatch'],
  },
  {
    name: 'only a scan of another artifact',
    scans: [{ ...CLEAN, at: 0, about: ELSEWHERE }],
    expect: ['statement.subject-mismatch'],
  },
  {
    name: 'a newer clean statement of another type',
    scans: [
      { ...BAD, at: 0 },
      { ...CLEAN, at: 5, type: 'https://example.dev/other' },
    ],
    expect: ['statement.where-false', 'statement.type-mismatch'],
  },
];

/** Rows whose codes stand beside a pass: what did not count is shown too. */
const PASSES = new Set(['a newer bad scan by somebody else']);

for (const { name, scans, expect } of ROWS) {
  test(`${name}: ${expect.length === 0 || PASSES.has(name) ? 'pass' : 'refusal'}`, async () => {
    const placed = { source: scanned(scans), tagOrDigest: 'v1' };
    const { finding } = await judgeArtifact(lab, placed, asked);
    const tree = renderFinding(finding).join('\n');
    const passes = expect.length === 0 || PASSES.has(name);
    assert.equal(finding.outcome, passes ? 'pass' : 'fail', tree);
    assert.deepEqual(new Set(codesOf(finding)), new Set(expect), tree);
  });
}

test('a superseded statement is shown as skipped', async () => {
  const placed = {
    source: scanned([
      { ...BAD, at: 0 },
      { ...CLEAN, at: 5 },
    ]),
    tagOrDigest: 'v1',
  };
  const { finding } = await judgeArtifact(lab, placed, asked);
  const superseded = [...nodesOf(finding)].filter(({ says }) => says.includes('superseded'));
  assert.equal(superseded.length, 1);
  assert.equal(superseded[0]?.outcome, 'skipped');
});

test('each authority has a newest statement of its own', async () => {
  const source = scanned([
    { ...CLEAN, at: 0 },
    { ...BAD, at: 5, by: OTHER_KEY },
  ]);
  const both = { ...asked, authorities: [keyed(KEY, 'a'), keyed(OTHER_KEY, 'b')] };
  const placed = { source, tagOrDigest: 'v1' };
  const one = await judgeArtifact(lab, placed, { ...both, atLeast: 1 });
  assert.equal(one.finding.outcome, 'pass', renderFinding(one.finding).join('\n'));
  const two = await judgeArtifact(lab, placed, { ...both, atLeast: 2 });
  assert.equal(two.finding.outcome, 'fail');
});

test('the formats are one list: a newer bad statement in the tag scheme decides', async () => {
  const repository = scanned([{ ...CLEAN, at: 0 }]);
  const [image] = repository.manifests.values();
  assert.ok(image !== undefined);
  const layer = mintLegacyEnvelope(statement(image.digest, TYPE, BAD), [KEY]);
  attachLayers(repository, image.digest, 'att', [layer]);
  const { finding } = await judgeArtifact(
    lab,
    { source: repository, tagOrDigest: 'v1' },
    { ...asked, requirements: { log: false } },
  );
  assert.equal(finding.outcome, 'fail', renderFinding(finding).join('\n'));
});

const away = () => {
  throw new TrustFault('registry.server-error', 'the registry is away');
};

test('an outage while attestations are fetched is inconclusive, never a pass', async () => {
  for (const gone of ['referrers', '.att', 'blob'] as const) {
    const repository = scanned([
      { ...CLEAN, at: 0 },
      { ...CLEAN, at: 5 },
    ]);
    const blobs = [...repository.blobs.keys()];
    repository.faults = {
      ...(gone === 'referrers' ? { referrers: away } : {}),
      manifest: (ref) => (gone === '.att' && ref.endsWith('.att') ? away() : undefined),
      blob: (digest) => (gone === 'blob' && digest === blobs.at(-1) ? away() : undefined),
    };
    const placed = { source: repository, tagOrDigest: 'v1' };
    const { finding } = await judgeArtifact(lab, placed, asked);
    assert.equal(finding.outcome, 'inconclusive', `${gone}\n${renderFinding(finding).join('\n')}`);
    assert.ok(codesOf(finding).includes('registry.server-error'));
  }
});

test('a limit that may hide a newer statement refuses', async () => {
  const repository = scanned([{ ...CLEAN, at: 0 }]);
  const [image] = repository.manifests.values();
  assert.ok(image !== undefined);
  const huge = { ...mintLegacyEnvelope(statement(image.digest, TYPE, BAD), [KEY]) };
  const layer = attachLayers(repository, image.digest, 'att', [huge]);
  const document = JSON.parse(Buffer.from(layer.bytes).toString());
  document.layers[0].size = 300 << 20;
  repository.plant(document, { tag: `${image.digest.replace(':', '-')}.att` });
  const { finding } = await judgeArtifact(lab, { source: repository, tagOrDigest: 'v1' }, asked);
  assert.equal(finding.outcome, 'fail', renderFinding(finding).join('\n'));
  assert.ok(codesOf(finding).includes('signature.limit'));
});
