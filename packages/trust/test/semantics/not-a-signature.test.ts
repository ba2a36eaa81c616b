import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { Pattern } from '@bulla/trust/policy/pattern';
import type { Evidence } from '@bulla/trust/proof/evidence';
import { codesOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import {
  bundleEvidence,
  mintBundle,
  mintLegacy,
  mintLegacyEnvelope,
  SIGN_PREDICATE,
  statement,
} from '../sigstore-lab/mint.ts';
import { DEV, judgeBlob, keyed, keyless } from '../sigstore-lab/question.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 9: an identity is issuer and subject, patterns are whole, an attestation is no signature.

const lab = openLab();
const FILE = utf8('the file');
const DIGEST = computeDigest(FILE);
const KEY = testKey('ecdsa-p256');
const bundle = (payload: Uint8Array) => bundleEvidence(mintBundle(lab, { by: KEY, payload }));

const NO_SIGNATURES: readonly {
  readonly name: string;
  readonly evidence: Evidence;
  readonly code: string;
}[] = [
  {
    name: 'SLSA provenance',
    evidence: bundle(statement(DIGEST, 'https://slsa.dev/provenance/v1')),
    code: 'signature.not-a-signature',
  },
  {
    name: 'a custom attestation',
    evidence: bundle(statement(DIGEST, 'https://cosign.sigstore.dev/attestation/v1')),
    code: 'signature.not-a-signature',
  },
  {
    name: 'a type that begins like the sign statement',
    evidence: bundle(statement(DIGEST, `${SIGN_PREDICATE}/more`)),
    code: 'signature.not-a-signature',
  },
  {
    name: 'the sign statement about another artifact',
    evidence: bundle(statement(computeDigest(utf8('x')))),
    code: 'statement.subject-mismatch',
  },
  {
    name: 'a provenance in the tag scheme',
    evidence: mintLegacyEnvelope(statement(DIGEST, 'https://slsa.dev/provenance/v1'), [KEY]),
    code: 'signature.not-a-signature',
  },
  {
    name: 'a GPG payload',
    evidence: mintLegacy(lab, {
      by: KEY,
      digest: DIGEST,
      critical: { type: 'atomic container signature' },
    }),
    code: 'payload.type',
  },
];

for (const { name, evidence, code } of NO_SIGNATURES) {
  test(`${name} is no signature`, async () => {
    const { finding } = await judgeBlob(lab, FILE, [evidence], {
      authorities: [keyed(KEY)],
      requirements: { log: false },
    });
    assert.equal(finding.outcome, 'fail', renderFinding(finding).join('\n'));
    assert.deepEqual(codesOf(finding), [code]);
  });
}

test('a signature is no attestation', async () => {
  const wanted = { kind: 'attestation', predicateType: 'https://slsa.dev/provenance/v1' } as const;
  for (const evidence of [
    bundle(statement(DIGEST)),
    bundleEvidence(mintBundle(lab, { by: KEY, message: FILE })),
    mintLegacy(lab, { by: KEY, digest: DIGEST, loggedAt: NOW }),
  ]) {
    const { finding } = await judgeBlob(lab, FILE, [evidence], {
      authorities: [keyed(KEY)],
      wanted,
    });
    assert.equal(finding.outcome, 'fail');
    assert.deepEqual(codesOf(finding), ['statement.type-mismatch']);
  }
});

interface Signer {
  readonly issuer: string;
  readonly subject: string;
}

const IDENTITIES: readonly {
  readonly name: string;
  readonly issuer: string | Pattern;
  readonly subject: string | Pattern;
  readonly signer: Signer;
  readonly passes: boolean;
}[] = [
  { name: 'both', issuer: DEV.issuer, subject: DEV.subject, signer: DEV, passes: true },
  {
    name: 'the subject of another issuer',
    issuer: DEV.issuer,
    subject: DEV.subject,
    signer: { ...DEV, issuer: 'https://evil.example' },
    passes: false,
  },
  {
    name: 'the issuer of another subject',
    issuer: DEV.issuer,
    subject: DEV.subject,
    signer: { ...DEV, subject: 'eve@acme.example' },
    passes: false,
  },
  {
    name: 'an issuer that begins the same',
    issuer: DEV.issuer,
    subject: DEV.subject,
    signer: { ...DEV, issuer: `${DEV.issuer}.evil.example` },
    passes: false,
  },
  {
    name: 'a regex found in the middle',
    issuer: DEV.issuer,
    subject: { regex: 'dev@acme\\.example' },
    signer: { ...DEV, subject: 'not-dev@acme.example.evil.example' },
    passes: false,
  },
  {
    name: 'a regex of alternatives, unanchored by its writer',
    issuer: DEV.issuer,
    subject: { regex: 'a@x\\.example|dev@acme\\.example' },
    signer: { ...DEV, subject: 'dev@acme.example.evil' },
    passes: false,
  },
  {
    name: 'a dot that is a dot',
    issuer: DEV.issuer,
    subject: 'dev@acme.example',
    signer: { ...DEV, subject: 'dev@acmeXexample' },
    passes: false,
  },
  {
    name: 'a glob that stays within a slash',
    issuer: DEV.issuer,
    subject: { glob: 'https://ci.example/acme/*' },
    signer: { ...DEV, subject: 'https://ci.example/acme/app/evil' },
    passes: false,
  },
  {
    name: 'a glob that fits',
    issuer: DEV.issuer,
    subject: { glob: 'https://ci.example/acme/*' },
    signer: { ...DEV, subject: 'https://ci.example/acme/app' },
    passes: true,
  },
  {
    name: 'another case',
    issuer: DEV.issuer,
    subject: DEV.subject,
    signer: { ...DEV, subject: 'Dev@acme.example' },
    passes: false,
  },
];

for (const { name, issuer, subject, signer, passes } of IDENTITIES) {
  test(`an identity: ${name}`, async () => {
    const by = lab.ca.issue({ ...signer, at: NOW });
    const evidence = bundleEvidence(mintBundle(lab, { by, payload: statement(DIGEST) }));
    const { finding } = await judgeBlob(lab, FILE, [evidence], {
      authorities: [keyless({ issuer, subject })],
    });
    assert.equal(finding.outcome, passes ? 'pass' : 'fail', renderFinding(finding).join('\n'));
    if (!passes) assert.deepEqual(codesOf(finding), ['proof.identity-mismatch']);
  });
}

test('an identity is not satisfied by a bare key, nor a key by a certificate of another key', async () => {
  const signed = [
    { evidence: bundle(statement(DIGEST)), authority: keyless() },
    {
      evidence: bundleEvidence(
        mintBundle(lab, { by: lab.ca.issue({ ...DEV, at: NOW }), payload: statement(DIGEST) }),
      ),
      authority: keyed(KEY),
    },
  ];
  for (const { evidence, authority } of signed) {
    const { finding } = await judgeBlob(lab, FILE, [evidence], { authorities: [authority] });
    assert.equal(finding.outcome, 'fail');
    assert.ok(codesOf(finding).includes('proof.material-mismatch'));
  }
});

test('an annotation that is asked for must be signed with that value', async () => {
  const annotated = mintLegacy(lab, {
    by: KEY,
    digest: DIGEST,
    optional: { env: 'prod', number: 1, constructor: 'x' },
    loggedAt: NOW,
  });
  const rows: readonly { readonly wanted: Record<string, string>; readonly passes: boolean }[] = [
    { wanted: { env: 'prod' }, passes: true },
    { wanted: { constructor: 'x' }, passes: true },
    { wanted: { env: 'test' }, passes: false },
    { wanted: { env: 'prod', team: 'a' }, passes: false },
    { wanted: { number: '1' }, passes: false },
    { wanted: { toString: 'x' }, passes: false },
  ];
  for (const { wanted, passes } of rows) {
    const { finding } = await judgeBlob(lab, FILE, [annotated], {
      authorities: [keyed(KEY)],
      wanted: { kind: 'signature', annotations: wanted },
    });
    assert.equal(finding.outcome, passes ? 'pass' : 'fail', JSON.stringify(wanted));
    if (!passes) assert.deepEqual(codesOf(finding), ['signature.annotation-mismatch']);
  }
});
