import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { StoredManifest } from '@bulla/trust/oci/store';
import type { Evidence } from '@bulla/trust/proof/evidence';
import { nodesOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, LEGACY, mintBundle, mintLegacy, statement } from '../sigstore-lab/mint.ts';
import { flip, set } from '../sigstore-lab/mutations.ts';
import { DEV, judgeArtifact, keyed, keyless } from '../sigstore-lab/question.ts';
import {
  attachBundle,
  attachLayers,
  openRepository,
  putImage,
} from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

/** A thousand garbage signatures around one good one. */

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const issued = lab.ca.issue({ ...DEV, at: NOW });
const COUNT = 1000;
const authorities = [keyless(), keyed(KEY)];

function noise(seed: number, length: number): Buffer {
  const block = createHash('sha256').update(String(seed)).digest();
  return Buffer.concat(Array.from({ length: Math.ceil(length / 32) }, () => block)).subarray(
    0,
    length,
  );
}

/** Kinds of garbage in turn; each piece differs from the others. */
function garbageBundles(image: StoredManifest): readonly Uint8Array[] {
  const good = mintBundle(lab, { by: issued, payload: statement(image.digest) });
  const stranger = mintBundle(lab, { by: testKey('ecdsa-p256'), payload: statement(image.digest) });
  const other = mintBundle(lab, { by: KEY, payload: statement(`sha256:${'1'.repeat(64)}`) });
  const text = JSON.stringify(good);
  const kinds: readonly ((at: number) => Uint8Array)[] = [
    (at) => noise(at, 200),
    (at) => utf8(text.slice(0, 10 + at)),
    (at) => utf8(JSON.stringify(set(stranger, 'verificationMaterial.publicKey.hint', `${at}`))),
    (at) => utf8(JSON.stringify(set(other, 'verificationMaterial.publicKey.hint', `${at}`))),
    (at) => utf8(JSON.stringify(flip(good, 'dsseEnvelope.signatures.0.sig', -1 - (at % 30)))),
    (at) => utf8(`${'['.repeat(50 + at)}`),
    (at) => utf8(JSON.stringify({ ...good, [`member${at}`]: 1 })),
    (at) => utf8(`{"mediaType":"a","mediaType":"b${at}"}`),
    (at) =>
      utf8(
        JSON.stringify(
          set(good, 'verificationMaterial.certificate.rawBytes', noise(at, 300).toString('base64')),
        ),
      ),
  ];
  return Array.from(
    { length: COUNT },
    (_, at) => kinds[at % kinds.length]?.(at) ?? new Uint8Array(),
  );
}

function garbageLayers(image: StoredManifest): readonly Evidence[] {
  const good = mintLegacy(lab, { by: KEY, digest: image.digest });
  const { annotations } = good;
  const withAnnotations = (more: object): Evidence => ({
    ...good,
    annotations: { ...annotations, ...more },
  });
  const kinds: readonly ((at: number) => Evidence)[] = [
    (at) => withAnnotations({ [LEGACY.signature]: noise(at, 70).toString('base64') }),
    (at) => withAnnotations({ [LEGACY.certificate]: `x${at}` }),
    (at) => withAnnotations({ [LEGACY.bundle]: '{'.repeat(1 + (at % 70)) }),
    (at) =>
      withAnnotations({
        [LEGACY.timestamp]: `{"SignedRFC3161Timestamp":"${noise(at, 60).toString('base64')}"}`,
      }),
    (at) => ({ ...good, bytes: noise(at, 300) }),
    (at) => ({ ...good, mediaType: `text/${at}` }),
  ];
  return Array.from({ length: COUNT }, (_, at) => kinds[at % kinds.length]?.(at) ?? good);
}

test('the good bundle is found among a thousand garbage ones, and the garbage is reported', async (t) => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const garbage = garbageBundles(image);
  for (const [at, bytes] of garbage.entries()) {
    if (at === 600) {
      const good = mintBundle(lab, { by: issued, payload: statement(image.digest) });
      attachBundle(repository, image, bundleEvidence(good));
    }
    attachBundle(repository, image, { bytes });
  }
  const placed = { source: repository, tagOrDigest: 'v1' };
  const verdict = await judgeArtifact(lab, placed, { authorities });
  t.diagnostic(`${COUNT} garbage bundles: ${Math.round(verdict.durationMs)} ms`);
  assert.equal(verdict.finding.outcome, 'pass', renderFinding(verdict.finding).join('\n'));
  const found = [...nodesOf(verdict.finding)].filter(({ check }) => check === 'sigstore-bundle');
  const failed = found.filter(({ outcome }) => outcome === 'fail');
  assert.equal(found.length - failed.length, 1);
  assert.equal(failed.length, 2 * new Set(garbage.map(String)).size + 1);
  assert.ok(failed.every(({ code }) => code !== undefined && code !== 'internal.defect'));
  // The passing one is drawn, whatever the garbage.
  assert.ok(renderFinding(verdict.finding).some((line) => line.includes('pass  sigstore-bundle')));
});

test('the good layer is found among a thousand garbage ones, and the garbage is reported', async (t) => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const good = mintLegacy(lab, { by: issued, digest: image.digest, loggedAt: NOW });
  const garbage = garbageLayers(image);
  attachLayers(repository, image.digest, 'sig', [
    ...garbage.slice(0, 700),
    good,
    ...garbage.slice(700),
  ]);
  const placed = { source: repository, tagOrDigest: 'v1' };
  const verdict = await judgeArtifact(lab, placed, { authorities });
  t.diagnostic(`${COUNT} garbage layers: ${Math.round(verdict.durationMs)} ms`);
  assert.equal(verdict.finding.outcome, 'pass', renderFinding(verdict.finding).join('\n'));
  const found = [...nodesOf(verdict.finding)].filter(({ check }) => check === 'cosign-legacy');
  assert.equal(found.length, 2 * (COUNT + 1));
  assert.ok(found.every(({ code }) => code !== 'internal.defect'));
});

test('garbage alone is a refusal, never a pass and never a throw', async () => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  for (const bytes of garbageBundles(image).slice(0, 90))
    attachBundle(repository, image, { bytes });
  attachLayers(
    repository,
    image.digest,
    'sig',
    garbageLayers(image).slice(0, 2).concat(garbageLayers(image).slice(4, 6)),
  );
  const placed = { source: repository, tagOrDigest: 'v1' };
  const { finding } = await judgeArtifact(lab, placed, { authorities });
  assert.equal(finding.outcome, 'fail');
});

test('more signatures than are looked at is a failed finding that hides no good one', async () => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const good = mintLegacy(lab, { by: KEY, digest: image.digest });
  const bad = { ...good, mediaType: 'text/plain' };
  const layers = [good, ...Array.from({ length: 4000 }, () => bad)];
  attachLayers(repository, image.digest, 'sig', layers);
  const placed = { source: repository, tagOrDigest: 'v1' };
  const { finding } = await judgeArtifact(lab, placed, {
    authorities: [keyed(KEY)],
    requirements: { log: false },
  });
  assert.equal(finding.outcome, 'pass');
  assert.ok([...nodesOf(finding)].some(({ code }) => code === 'signature.limit'));
});
