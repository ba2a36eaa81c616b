import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { computeDigest } from '@bulla/trust/oci/digest';
import { codesOf, outcomeOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab, trustRootOf } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, mintLegacy, statement } from '../sigstore-lab/mint.ts';
import { DEV, judgeArtifact, judgeBlob, keyed, keyless } from '../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 11: nothing is fetched or trusted on first use.

const lab = openLab();
const stranger = openLab();
const FILE = utf8('the file');
const DIGEST = computeDigest(FILE);
const issued = lab.ca.issue({ ...DEV, at: NOW });
const evidence = bundleEvidence(mintBundle(lab, { by: issued, payload: statement(DIGEST) }));
const authorities = [keyless()];

test('an identity without a trust root is refused, not believed', async () => {
  const requirements = { trustRoot: null };
  const { finding } = await judgeBlob(lab, FILE, [evidence], { authorities, requirements });
  assert.equal(finding.outcome, 'fail');
  assert.deepEqual(codesOf(finding), ['proof.no-trust-root']);
});

test('an empty trust root trusts nobody', async () => {
  const trustRoot = trustRootOf(lab, {
    without: ['tlogs', 'ctlogs', 'certificateAuthorities', 'timestampAuthorities'],
  });
  const { finding } = await judgeBlob(lab, FILE, [evidence], {
    authorities,
    requirements: { trustRoot },
  });
  assert.equal(finding.outcome, 'fail');
  assert.ok(codesOf(finding).includes('x509.untrusted'));
});

test('a whole Sigstore of a stranger proves nothing', async () => {
  const by = stranger.ca.issue({ ...DEV, at: NOW });
  const theirs = [
    bundleEvidence(mintBundle(stranger, { by, payload: statement(DIGEST) })),
    mintLegacy(stranger, { by, digest: DIGEST, loggedAt: NOW, stampedAt: NOW }),
  ];
  const { finding } = await judgeBlob(lab, FILE, theirs, { authorities });
  assert.equal(finding.outcome, 'fail');
  assert.deepEqual(codesOf(finding), ['x509.untrusted', 'tlog.log-unknown']);
});

test('the root that a signature brings along is no anchor', async () => {
  // The chain annotation of the tag scheme and chains of bundle 0.2 may carry a root.
  const by = stranger.ca.issue({ ...DEV, at: NOW });
  const layer = mintLegacy({ ...lab, ca: stranger.ca }, { by, digest: DIGEST, stampedAt: NOW });
  const bundle = mintBundle(lab, { by, payload: statement(DIGEST), version: '0.2' });
  const rawBytes = (raw: Uint8Array) => ({ rawBytes: Buffer.from(raw).toString('base64') });
  const chain = [rawBytes(by.certificate.raw), rawBytes(stranger.ca.root.raw)];
  const material = bundle['verificationMaterial'] as object;
  const chained = {
    ...bundle,
    verificationMaterial: { ...material, x509CertificateChain: { certificates: chain } },
  };
  for (const piece of [layer, bundleEvidence(chained)]) {
    const { finding } = await judgeBlob(lab, FILE, [piece], {
      authorities,
      requirements: { log: false },
    });
    assert.equal(finding.outcome, 'fail');
    assert.deepEqual(codesOf(finding), ['x509.untrusted']);
  }
});

test('a key that a bundle hints at is not believed', async () => {
  const mine = testKey('ecdsa-p256');
  const theirs = testKey('ecdsa-p256');
  const bundle = mintBundle(lab, { by: theirs, payload: statement(DIGEST) });
  const { finding } = await judgeBlob(lab, FILE, [bundleEvidence(bundle)], {
    authorities: [keyed(mine)],
  });
  assert.equal(finding.outcome, 'fail');
  assert.equal(outcomeOf(finding, 'signature'), 'fail');
});

test('nothing but the artifact and its evidence is asked for', async () => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const payload = statement(image.digest);
  attachBundle(repository, image, bundleEvidence(mintBundle(lab, { by: issued, payload })));
  const placed = { source: repository, tagOrDigest: 'v1' };
  const verdict = await judgeArtifact(lab, placed, { authorities });
  assert.equal(verdict.finding.outcome, 'pass');
  const [bundle] = verdict.evidence;
  const referrer = [...repository.manifests.keys()].find((digest) => digest !== image.digest);
  assert.deepEqual(
    [...repository.calls].sort(),
    [
      'manifest v1',
      `referrers ${image.digest}`,
      `manifest ${image.digest.replace(':', '-')}.sig`,
      `manifest ${referrer}`,
      `blob ${bundle}`,
    ].sort(),
  );
});

test('the verdict names the trust root by its digest', async () => {
  const verdict = await judgeBlob(lab, FILE, [evidence], { authorities });
  assert.equal(verdict.trustRoot, `the lab ${lab.trustRoot.digest}`);
});
