import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  writeDer,
  writeInteger,
  writeNull,
  writeOid,
  writeSequence,
} from '@bulla/trust/bytes/der-writer';
import type { Finding } from '@bulla/trust/finding/finding';
import { verifyTimestamp } from '@bulla/trust/timestamp/verify';
import type { CertificateAuthority } from '@bulla/trust/x509/authority';
import type { Certificate } from '@bulla/trust/x509/certificate';
import {
  commonName,
  KEYS,
  makeCa,
  makeCertificate,
  writeExtension,
} from '../x509/synthetic-certificate.ts';
import {
  attribute,
  issuerSerial,
  referenceV1,
  referenceV2,
  SHA1,
  SHA256,
  stamperExtensions,
  type TokenShape,
  writeResponse,
  writeToken,
} from './synthetic-token.ts';

function outcome(finding: Finding): string {
  return finding.outcome === 'pass' ? 'pass' : `${finding.code}`;
}

function failing(finding: Finding): readonly string[] {
  return (finding.because ?? [])
    .filter((child) => child.outcome !== 'pass')
    .map((child) => `${child.check} ${child.code}`);
}

describe('verifyTimestamp on timestamps of every shape', () => {
  const root = makeCa('root', { serial: writeInteger(1) });
  const signer = makeCertificate({ extensions: stamperExtensions() });
  const sibling = makeCertificate({ extensions: stamperExtensions(), serial: writeInteger(8) });
  const message = Buffer.from('signature');
  const shape: TokenShape = { signer, key: KEYS.privateKey, message, certificates: [signer.raw] };
  const authority = (...chain: readonly Certificate[]): CertificateAuthority => ({
    name: 'synthetic',
    chain,
    validFor: { start: null, end: null },
  });
  const withSigner = (certificate: Certificate): TokenShape => ({
    ...shape,
    signer: certificate,
    certificates: [certificate.raw],
  });
  const notCritical = makeCertificate({ extensions: stamperExtensions(false) });
  const forCode = makeCertificate();
  const twoPurposes = makeCertificate({
    extensions: [
      writeExtension(
        '2.5.29.37',
        writeSequence(writeOid('1.3.6.1.5.5.7.3.8'), writeOid('1.3.6.1.5.5.7.3.3')),
        true,
      ),
    ],
  });
  const keyId = Uint8Array.of(1, 2, 3);
  const withKeyId = makeCertificate({
    extensions: [...stamperExtensions(), writeExtension('2.5.29.14', writeDer(4, keyId))],
  });
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const noise = (tag: number) => writeDer(tag, Uint8Array.of(1));
  const extensions = (critical: boolean) =>
    writeDer(0xa1, writeExtension('1.2.3', writeNull(), critical));
  const critical = (flag: boolean) => ({ ...shape, options: [extensions(flag)] });
  const cases: readonly {
    name: string;
    token: TokenShape;
    chain?: readonly Certificate[];
    expect: string;
  }[] = [
    { name: 'a plain one', token: shape, expect: 'pass' },
    {
      name: 'the signer’s certificate from the trust root',
      token: { ...shape, certificates: [] },
      chain: [signer, root],
      expect: 'pass',
    },
    {
      name: 'the signer’s certificate nowhere',
      token: { ...shape, certificates: [] },
      expect: 'timestamp.untrusted',
    },
    {
      name: 'certificates without the signer’s',
      token: { ...shape, certificates: [root.raw] },
      chain: [signer, root],
      expect: 'timestamp.untrusted',
    },
    {
      name: 'an embedded certificate that cannot be read',
      token: { ...shape, certificates: [writeSequence(), signer.raw] },
      expect: 'pass',
    },
    {
      name: '17 certificates',
      token: { ...shape, certificates: Array.from({ length: 17 }, () => signer.raw) },
      expect: 'x509.limit',
    },
    {
      name: 'another certificate of the authority than the one that is named',
      token: shape,
      chain: [sibling, root],
      expect: 'timestamp.untrusted',
    },
    {
      name: 'SHA-1 imprint',
      token: { ...shape, imprint: { hash: 'sha1', oid: '1.3.14.3.2.26' } },
      expect: 'timestamp.digest-refused',
    },
    {
      name: 'MD5 imprint',
      token: { ...shape, imprint: { hash: 'md5', oid: '1.2.840.113549.2.5' } },
      expect: 'timestamp.digest-refused',
    },
    {
      name: 'an imprint of SHA-512 called SHA-256',
      token: { ...shape, imprint: { hash: 'sha512', oid: '2.16.840.1.101.3.4.2.1' } },
      expect: 'timestamp.imprint-mismatch',
    },
    {
      name: 'expired at its own time',
      token: { ...shape, genTime: '20280101000000Z' },
      expect: 'x509.expired',
    },
    {
      name: 'stamped before the certificate',
      token: { ...shape, genTime: '20250101000000Z' },
      expect: 'x509.not-yet-valid',
    },
    {
      name: 'a fraction of a second',
      token: { ...shape, genTime: '20260601000000.5Z' },
      expect: 'pass',
    },
    {
      name: 'a local time',
      token: { ...shape, genTime: '20260601000000' },
      expect: 'timestamp.malformed',
    },
    {
      name: 'a purpose that is not critical',
      token: withSigner(notCritical),
      expect: 'x509.usage',
    },
    { name: 'a certificate for code', token: withSigner(forCode), expect: 'x509.usage' },
    { name: 'two purposes', token: withSigner(twoPurposes), expect: 'x509.usage' },
    {
      name: 'the signature of another key',
      token: { ...shape, key: stranger.privateKey },
      expect: 'timestamp.signature-invalid',
    },
    {
      name: 'the digest of another content',
      token: { ...shape, messageDigest: Buffer.alloc(32) },
      expect: 'timestamp.content-mismatch',
    },
    {
      name: 'attributes about another type',
      token: { ...shape, attributeContentType: '1.2.840.113549.1.7.1' },
      expect: 'timestamp.content-mismatch',
    },
    {
      name: 'another type of content',
      token: { ...shape, contentType: '1.2.840.113549.1.7.1' },
      expect: 'timestamp.malformed',
    },
    {
      name: 'no signing-certificate attribute',
      token: { ...shape, reference: null },
      expect: 'timestamp.malformed',
    },
    {
      name: 'a reference to another certificate',
      token: { ...shape, reference: referenceV2(sibling) },
      expect: 'timestamp.certificate-mismatch',
    },
    {
      name: 'a reference with issuer and serial',
      token: {
        ...shape,
        reference: referenceV2(signer, issuerSerial(signer.issuer, signer.serial)),
      },
      expect: 'pass',
    },
    {
      name: 'a reference with another serial',
      token: { ...shape, reference: referenceV2(signer, issuerSerial(signer.issuer, 8n)) },
      expect: 'timestamp.certificate-mismatch',
    },
    {
      name: 'a reference with another issuer',
      token: { ...shape, reference: referenceV2(signer, issuerSerial(commonName('x'), 7n)) },
      expect: 'timestamp.certificate-mismatch',
    },
    {
      name: 'a reference of version 1',
      token: { ...shape, reference: referenceV1(signer) },
      expect: 'pass',
    },
    {
      name: 'a reference of version 1 to another',
      token: { ...shape, reference: referenceV1(sibling) },
      expect: 'timestamp.certificate-mismatch',
    },
    {
      name: 'references of both versions that disagree',
      token: { ...shape, extraAttributes: [referenceV1(sibling)] },
      expect: 'timestamp.certificate-mismatch',
    },
    {
      name: 'an attribute twice',
      token: { ...shape, extraAttributes: [referenceV2(signer)] },
      expect: 'timestamp.malformed',
    },
    {
      name: 'an attribute without a value',
      token: { ...shape, extraAttributes: [attribute('1.2.3')] },
      expect: 'timestamp.malformed',
    },
    {
      name: 'the signer by key identifier',
      token: { ...withSigner(withKeyId), signerId: writeDer(0x80, keyId), signerVersion: 3 },
      expect: 'pass',
    },
    {
      name: 'the signer by key identifier in version 1',
      token: { ...withSigner(withKeyId), signerId: writeDer(0x80, keyId) },
      expect: 'timestamp.malformed',
    },
    {
      name: 'two certificates of one name and number',
      token: {
        ...shape,
        certificates: [
          makeCertificate({ extensions: stamperExtensions(), key: stranger }).raw,
          signer.raw,
        ],
      },
      expect: 'pass',
    },
    { name: 'CMS version 1', token: { ...shape, version: 1 }, expect: 'timestamp.malformed' },
    { name: 'no signer', token: { ...shape, signers: 0 }, expect: 'timestamp.malformed' },
    { name: 'two signers', token: { ...shape, signers: 2 }, expect: 'timestamp.malformed' },
    {
      name: 'a signer’s digest that the list lacks',
      token: { ...shape, digests: [SHA1] },
      expect: 'timestamp.malformed',
    },
    {
      name: 'a signer’s digest of SHA-1',
      token: { ...shape, digest: SHA1, digests: [SHA1, SHA256] },
      expect: 'crypto.algorithm-unknown',
    },
    {
      name: 'a signature algorithm with SHA-1',
      token: { ...shape, algorithm: writeSequence(writeOid('1.2.840.10045.4.1')) },
      expect: 'crypto.algorithm-unknown',
    },
    {
      name: 'an RSA algorithm for an EC key',
      token: { ...shape, algorithm: writeSequence(writeOid('1.2.840.113549.1.1.1'), writeNull()) },
      expect: 'timestamp.signature-invalid',
    },
    {
      name: 'TSTInfo version 2',
      token: { ...shape, infoVersion: 2 },
      expect: 'timestamp.malformed',
    },
    {
      name: 'fields out of order',
      token: { ...shape, options: [writeInteger(1), writeSequence(writeInteger(1))] },
      expect: 'timestamp.malformed',
    },
    {
      name: 'an unknown field',
      token: { ...shape, options: [noise(0xa2)] },
      expect: 'timestamp.malformed',
    },
    {
      name: 'an accuracy of 1000 ms in its field for milliseconds',
      token: { ...shape, options: [writeSequence(writeDer(0x80, Uint8Array.of(3, 0xe8)))] },
      expect: 'timestamp.malformed',
    },
    { name: 'an extension that is not critical', token: critical(false), expect: 'pass' },
    { name: 'an unknown critical extension', token: critical(true), expect: 'timestamp.malformed' },
  ];
  for (const { name, token, chain = [root], expect } of cases) {
    it(`${name}: ${expect}`, async () => {
      const timestamp = writeToken(token);
      const authorities = [authority(...chain)];
      for (const bytes of [timestamp, writeResponse(0, timestamp)]) {
        const answer = await verifyTimestamp({ timestamp: bytes, signature: message, authorities });
        assert.equal(outcome(answer.finding), expect, JSON.stringify(answer.finding));
        assert.equal(answer.time !== null, expect === 'pass');
      }
    });
  }

  it('shows every check that can be computed', async () => {
    const token = writeToken({
      ...shape,
      key: stranger.privateKey,
      genTime: '20280101000000Z',
      messageDigest: Buffer.alloc(32),
      reference: referenceV2(sibling),
    });
    const { finding } = await verifyTimestamp({
      timestamp: token,
      signature: Buffer.from('other'),
      authorities: [authority(root)],
    });
    assert.deepEqual(failing(finding), [
      'timestamp.imprint timestamp.imprint-mismatch',
      'timestamp.content timestamp.content-mismatch',
      'timestamp.signing-certificate timestamp.certificate-mismatch',
      'timestamp.signature timestamp.signature-invalid',
      'timestamp.chain x509.expired',
    ]);
  });
});
