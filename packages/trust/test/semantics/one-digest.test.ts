import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { NO_SERVICES } from '@bulla/trust/proof/services';
import { attestArtifact, signArtifact } from '@bulla/trust/sign';
import { codesOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, mintLegacy, statement } from '../sigstore-lab/mint.ts';
import { judgeArtifact, judgeBlob, keyed } from '../sigstore-lab/question.ts';
import {
  attachBundle,
  attachLayers,
  openRepository,
  putImage,
} from '../sigstore-lab/repository.ts';
import { signerOf } from '../sigstore-lab/signer.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 5: the digest that was verified is the digest that is reported, from the same bytes.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const asked = { authorities: [keyed(KEY)] };

/** A signed image and an unsigned one, and a tag that changes between two requests. */
function movingTag(first: 'signed' | 'unsigned') {
  const repository = openRepository();
  const signed = putImage(repository, 'the signed image');
  const unsigned = putImage(repository, 'the image of an attacker');
  const payload = statement(signed.digest);
  attachBundle(repository, signed, bundleEvidence(mintBundle(lab, { by: KEY, payload })));
  const answers = first === 'signed' ? [signed, unsigned] : [unsigned, signed];
  repository.faults = { manifest: (ref) => (ref === 'v1' ? answers.shift() : undefined) };
  return { repository, signed, unsigned };
}

test('a tag is resolved once, and the verdict is about what it was then', async () => {
  const { repository, signed } = movingTag('signed');
  const verdict = await judgeArtifact(lab, { source: repository, tagOrDigest: 'v1' }, asked);
  assert.equal(verdict.finding.outcome, 'pass');
  assert.equal(verdict.digest, signed.digest);
  assert.equal(verdict.artifact, `registry.example/app@${signed.digest}`);
  assert.equal(repository.calls.filter((call) => call === 'manifest v1').length, 1);
});

test('the signature of what the tag names later does not help what it names now', async () => {
  const { repository, unsigned } = movingTag('unsigned');
  const verdict = await judgeArtifact(lab, { source: repository, tagOrDigest: 'v1' }, asked);
  assert.equal(verdict.finding.outcome, 'fail');
  assert.equal(verdict.finding.code, 'signature.none');
  assert.equal(verdict.digest, unsigned.digest);
});

test('a source that calls bytes by the digest of other bytes is refused', async () => {
  const { repository, signed, unsigned } = movingTag('signed');
  for (const tagOrDigest of ['v1', signed.digest]) {
    repository.faults = { manifest: () => ({ ...unsigned, digest: signed.digest }) };
    const verdict = await judgeArtifact(lab, { source: repository, tagOrDigest }, asked);
    assert.equal(verdict.finding.outcome, 'fail', tagOrDigest);
    assert.equal(verdict.finding.code, 'registry.digest-mismatch');
  }
});

test('a source that answers a digest with another artifact is refused', async () => {
  const { repository, signed, unsigned } = movingTag('signed');
  repository.faults = { manifest: (ref) => (ref === unsigned.digest ? signed : undefined) };
  const placed = { source: repository, tagOrDigest: unsigned.digest };
  const verdict = await judgeArtifact(lab, placed, asked);
  assert.equal(verdict.finding.outcome, 'fail');
  assert.equal(verdict.finding.code, 'registry.digest-mismatch');
});

test('a genuine signature of another artifact is refused in either format', async () => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const other = putImage(repository, 'another image');
  const bundle = mintBundle(lab, { by: KEY, payload: statement(other.digest) });
  attachBundle(repository, image, bundleEvidence(bundle));
  attachLayers(repository, image.digest, 'sig', [
    mintLegacy(lab, { by: KEY, digest: other.digest, loggedAt: NOW }),
  ]);
  const verdict = await judgeArtifact(lab, { source: repository, tagOrDigest: 'v1' }, asked);
  assert.equal(verdict.finding.outcome, 'fail');
  assert.deepEqual(codesOf(verdict.finding), [
    'statement.subject-mismatch',
    'signature.digest-mismatch',
  ]);
});

test('what is signed is the digest that the tag had when it was resolved', async () => {
  for (const sign of ['sign', 'attest'] as const) {
    const { repository, signed, unsigned } = movingTag('unsigned');
    const signer = signerOf(KEY);
    const context = {
      target: repository,
      tagOrDigest: 'v1',
      signer,
      services: NO_SERVICES,
      trustRoot: null,
      at: NOW,
      now: () => 0,
      upload: true,
    };
    const [document] =
      sign === 'sign'
        ? await signArtifact({
            ...context,
            dockerReference: 'registry.example/app',
            formats: ['sigstore-bundle'],
            annotations: {},
            recursive: false,
          })
        : [await attestArtifact({ ...context, subjectName: 'app', type: 'custom', predicate: {} })];
    assert.equal(document?.subject, unsigned.digest);
    assert.notEqual(document?.subject, signed.digest);
  }
});

test('the digest alone is never checked against a digest of another algorithm', async () => {
  // Over an empty digest anybody can make an ECDSA signature: r = x(Q), s = r.
  const jwk = KEY.publicKey.object.export({ format: 'jwk' });
  const r = Buffer.from(jwk.x ?? '', 'base64url');
  const integer = (r[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), r]) : r;
  const part = Buffer.concat([Buffer.of(2, integer.length), integer]);
  const forged = Buffer.concat([Buffer.of(0x30, 2 * part.length), part, part]);
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: '' } },
    messageSignature: { signature: forged.toString('base64') },
  };
  const digest = `sha512:${'0'.repeat(128)}` as const;
  const { finding } = await judgeBlob(lab, digest, [bundleEvidence(bundle)], {
    ...asked,
    requirements: { trustRoot: null },
  });
  assert.equal(finding.outcome, 'fail', renderFinding(finding).join('\n'));
  assert.deepEqual(codesOf(finding), ['signature.invalid']);
});
