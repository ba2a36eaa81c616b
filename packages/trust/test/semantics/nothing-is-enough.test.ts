import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { TrustFault } from '@bulla/trust/fault/fault';
import { combineOutcomes } from '@bulla/trust/finding/combine';
import { openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle } from '../sigstore-lab/mint.ts';
import { type Asked, judgeArtifact, judgeBlob, keyed } from '../sigstore-lab/question.ts';
import { openRepository, putImage } from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 1: nothing is never enough.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const FILE = utf8('the file');
const GOOD = bundleEvidence(mintBundle(lab, { by: KEY, message: FILE }));
const two = [keyed(KEY, 'a'), keyed(testKey('ecdsa-p256'), 'b')];

const THRESHOLDS: readonly {
  readonly name: string;
  readonly asked: Asked;
  readonly code: string;
}[] = [
  { name: 'no authority', asked: { authorities: [] }, code: 'policy.nothing-checked' },
  {
    name: 'no authority, and none needed',
    asked: { authorities: [], atLeast: 0 },
    code: 'policy.nothing-checked',
  },
  { name: 'at least 0', asked: { authorities: two, atLeast: 0 }, code: 'policy.threshold-invalid' },
  {
    name: 'at least -1',
    asked: { authorities: two, atLeast: -1 },
    code: 'policy.threshold-invalid',
  },
  {
    name: 'at least 3 of 2',
    asked: { authorities: two, atLeast: 3 },
    code: 'policy.threshold-invalid',
  },
  {
    name: 'at least 1.5',
    asked: { authorities: two, atLeast: 1.5 },
    code: 'policy.threshold-invalid',
  },
  {
    name: 'at least NaN',
    asked: { authorities: two, atLeast: Number.NaN },
    code: 'policy.threshold-invalid',
  },
];

for (const { name, asked, code } of THRESHOLDS) {
  test(`an empty question is wrong use before anything is fetched: ${name}`, async () => {
    const source = openRepository();
    putImage(source, 'an image', { tag: 'v1' });
    const isWrongUse = (error: unknown) => error instanceof TrustFault && error.code === code;
    await assert.rejects(judgeBlob(lab, FILE, [GOOD], asked), isWrongUse);
    await assert.rejects(judgeArtifact(lab, { source, tagOrDigest: 'v1' }, asked), isWrongUse);
    assert.deepEqual(source.calls, []);
  });
}

test('a registry that answers with nothing is a refusal', async () => {
  const source = openRepository();
  putImage(source, 'an image', { tag: 'v1' });
  const asked = { authorities: [keyed(KEY)] };
  const { finding } = await judgeArtifact(lab, { source, tagOrDigest: 'v1' }, asked);
  assert.equal(finding.outcome, 'fail');
  assert.equal(finding.code, 'signature.none');
});

test('a registry that answers with no attestation is a refusal', async () => {
  const source = openRepository();
  putImage(source, 'an image', { tag: 'v1' });
  const wanted = { kind: 'attestation', predicateType: 'https://example.dev/x' } as const;
  const { finding } = await judgeArtifact(
    lab,
    { source, tagOrDigest: 'v1' },
    { authorities: [keyed(KEY)], wanted },
  );
  assert.equal(finding.outcome, 'fail');
  assert.equal(finding.code, 'statement.missing');
});

test('an artifact that is not there is a refusal', async () => {
  const { finding, digest } = await judgeArtifact(
    lab,
    { source: openRepository(), tagOrDigest: 'v1' },
    { authorities: [keyed(KEY)] },
  );
  assert.equal(finding.outcome, 'fail');
  assert.equal(finding.code, 'artifact.not-found');
  assert.equal(digest, null);
});

test('no evidence is a refusal', async () => {
  const { finding } = await judgeBlob(lab, FILE, [], { authorities: [keyed(KEY)] });
  assert.equal(finding.outcome, 'fail');
  assert.equal(finding.code, 'signature.none');
});

test('a check with no counted child fails', () => {
  for (const needs of ['all', 'any', 0, 1] as const) {
    assert.equal(combineOutcomes(needs, []), 'fail');
    assert.equal(combineOutcomes(needs, ['skipped', 'skipped']), 'fail');
  }
});

test('checks that are switched off do not make a pass of what was not signed', async () => {
  const evidence = bundleEvidence(mintBundle(lab, { by: testKey('ecdsa-p256'), message: FILE }));
  const { finding } = await judgeBlob(lab, FILE, [evidence], {
    authorities: [keyed(KEY)],
    requirements: { log: false, sct: false, timestamp: false, trustRoot: null },
  });
  assert.equal(finding.outcome, 'fail');
  assert.equal(finding.code, 'signature.invalid');
});
