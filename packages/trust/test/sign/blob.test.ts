import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { TrustFault } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { NO_SERVICES } from '@bulla/trust/proof/services';
import { attestBlob, bundleEvidence, detachedEvidence, signBlob } from '@bulla/trust/sign/blob';
import { codesOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import { judgeBlob, keyed } from '../sigstore-lab/question.ts';
import { garblingSigner, signerOf } from '../sigstore-lab/signer.ts';
import { testKey } from '../tlog/synthetic-log.ts';

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const FILE = utf8('the file');
const context = {
  signer: signerOf(KEY),
  services: NO_SERVICES,
  trustRoot: null,
  at: NOW,
  now: () => 0,
};
const asked = { authorities: [keyed(KEY)], requirements: { trustRoot: null } };

const KINDS = ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'ed25519'] as const;

for (const kind of KINDS) {
  test(`a file signed by ${kind} verifies by its bundle and by the bare signature`, async () => {
    const key = testKey(kind);
    const signed = await signBlob(FILE, { ...context, signer: signerOf(key) });
    const bare = utf8(`${signed.signature}\n`);
    const raw = Buffer.from(signed.signature, 'base64');
    for (const evidence of [
      bundleEvidence(signed.bundle),
      detachedEvidence(bare, 'base64'),
      detachedEvidence(raw, 'raw'),
    ]) {
      const question = { ...asked, authorities: [keyed(key)] };
      const good = await judgeBlob(lab, FILE, [evidence], question);
      assert.equal(good.finding.outcome, 'pass', renderFinding(good.finding).join('\n'));
      const bad = await judgeBlob(lab, utf8('another file'), [evidence], question);
      assert.equal(bad.finding.outcome, 'fail');
      assert.ok(codesOf(bad.finding).includes('signature.invalid'));
    }
  });
}

test('an empty file can be signed', async () => {
  const signed = await signBlob(new Uint8Array(), context);
  const { finding } = await judgeBlob(
    lab,
    new Uint8Array(),
    [bundleEvidence(signed.bundle)],
    asked,
  );
  assert.equal(finding.outcome, 'pass');
});

test('a statement about a file verifies as an attestation of its type only', async () => {
  const attestation = { name: 'file', message: FILE, type: 'custom', predicate: { Data: 'x' } };
  const { bundle } = await attestBlob(attestation, context);
  const ask = (predicateType: string) =>
    judgeBlob(lab, FILE, [bundleEvidence(bundle)], {
      ...asked,
      wanted: { kind: 'attestation', predicateType },
    });
  assert.equal((await ask('https://cosign.sigstore.dev/attestation/v1')).finding.outcome, 'pass');
  assert.equal((await ask('https://slsa.dev/provenance/v1')).finding.outcome, 'fail');
});

test('a signer that signs garbage gives out nothing', async () => {
  const signing = signBlob(FILE, { ...context, signer: garblingSigner(KEY) });
  await assert.rejects(
    signing,
    (error) => error instanceof TrustFault && error.code === 'sign.not-verified',
  );
});

test('a type that is neither a name nor a URI is wrong use', async () => {
  const attestation = { name: 'file', message: FILE, type: 'no such', predicate: {} };
  await assert.rejects(
    attestBlob(attestation, context),
    (error) => error instanceof TrustFault && error.code === 'usage.invalid',
  );
});

test('a detached signature that is garbage is refused', async () => {
  for (const bytes of [new Uint8Array(), Buffer.of(0, 1, 2), utf8('hello'), utf8('AAAA')]) {
    try {
      const evidence = detachedEvidence(bytes, 'the signature');
      const { finding } = await judgeBlob(lab, FILE, [evidence], asked);
      assert.equal(finding.outcome, 'fail');
    } catch (error) {
      assert.ok(error instanceof TrustFault && error.code === 'bytes.base64', String(error));
    }
  }
});
