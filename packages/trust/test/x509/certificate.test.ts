import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  writeBoolean,
  writeDer,
  writeInteger,
  writeNull,
  writeOctetString,
  writeOid,
  writeSequence,
} from '@bulla/trust/bytes/der-writer';
import { encodePem } from '@bulla/trust/bytes/pem';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseCertificate, parseCertificatesPem } from '@bulla/trust/x509/certificate';
import fc from 'fast-check';
import { vectorsFolder } from '../../../../test/peers.ts';
import { labLeaf, readBundle, readTrustRoot } from './material.ts';
import {
  ECDSA_SHA256,
  generalizedTime,
  writeCertificate,
  writeExtension,
} from './synthetic-certificate.ts';

const SAN = '2.5.29.17';
const KEY_USAGE = '2.5.29.15';
const RSA_SHA256 = '1.2.840.113549.1.1.11';

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof TrustFault, `threw ${error}`);
    return error.code;
  }
  return 'accepted';
}

describe('parseCertificate', () => {
  it('reads a Fulcio certificate field by field', () => {
    const leaf = labLeaf('keyless-ci');
    assert.equal(leaf.serial.toString(16), '2f1086669f567fb1c2280013d5ea7292272c24a6');
    assert.equal(leaf.issuerText, 'CN=Acme Fixture Lab Fulcio Root,O=Acme Fixture Lab');
    assert.equal(leaf.subjectText, '');
    assert.equal(leaf.notBefore.toISOString(), '2026-11-21T00:48:00.000Z');
    assert.equal(leaf.notAfter.toISOString(), '2026-11-21T00:58:00.000Z');
    assert.equal(leaf.isCa, false);
    assert.deepEqual([...(leaf.keyUsage ?? [])], ['digitalSignature']);
    assert.deepEqual(leaf.extendedKeyUsage, ['1.3.6.1.5.5.7.3.3']);
    assert.deepEqual(leaf.alternativeNames, [
      {
        kind: 'uri',
        value: 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main',
      },
    ]);
    assert.equal(leaf.publicKey.kind, 'ecdsa-p256');
    assert.equal(leaf.signatureAlgorithm.name, 'ecdsa-sha256');
    assert.equal(
      Buffer.from(leaf.authorityKeyId ?? [])
        .toString('hex')
        .slice(0, 8),
      '0ae27bbf',
    );
  });

  it('reads what Node reads in every certificate of the public suites', (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    let seen = 0;
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const path = join(folder, file);
      const certificates = file.startsWith('trusted-root')
        ? [
            ...readTrustRoot(path).certificateAuthorities,
            ...readTrustRoot(path).timestampAuthorities,
          ].flatMap(({ chain }) => chain)
        : [readBundle(path)].flatMap(({ leaf, intermediates }) =>
            leaf === null ? [] : [leaf, ...intermediates],
          );
      for (const certificate of certificates) {
        const peer = new X509Certificate(certificate.raw);
        assert.equal(certificate.serial, BigInt(`0x${peer.serialNumber}`));
        assert.equal(certificate.isCa, peer.ca);
        assert.equal(certificate.notAfter.getTime(), peer.validToDate.getTime());
        assert.equal(certificate.notBefore.getTime(), peer.validFromDate.getTime());
        assert.ok(certificate.publicKey.object.equals(peer.publicKey));
        seen++;
      }
    }
    assert.ok(seen >= 15, `only ${seen} certificates were seen`);
  });

  it('reads a username of Fulcio as an other-name', (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    const { leaf } = readBundle(join(folder, 'othername.sigstore.json'));
    assert.deepEqual(leaf?.alternativeNames, [
      { kind: 'other-name', value: 'foo!oidc.local', oid: '1.3.6.1.4.1.57264.1.7' },
    ]);
  });

  const san = (...names: readonly Uint8Array[]) => ({
    extensions: [writeExtension(SAN, writeSequence(...names))],
  });
  const extensions = (...list: readonly Uint8Array[]) => ({ extensions: list });
  const usage = writeExtension(KEY_USAGE, Uint8Array.of(3, 2, 7, 0x80));
  const shapes = [
    { name: 'a plain certificate', shape: {}, expect: 'accepted' },
    { name: 'no extensions at all', shape: { extensions: null }, expect: 'accepted' },
    {
      name: 'version 1 without extensions',
      shape: { version: new Uint8Array(), extensions: null },
      expect: 'accepted',
    },
    {
      name: 'version 1 with extensions',
      shape: { version: new Uint8Array() },
      expect: 'x509.malformed',
    },
    {
      name: 'version 2',
      shape: { version: writeDer(0xa0, writeInteger(1)), extensions: null },
      expect: 'x509.malformed',
    },
    {
      name: 'version 4',
      shape: { version: writeDer(0xa0, writeInteger(3)) },
      expect: 'x509.malformed',
    },
    {
      name: 'a negative serial number',
      shape: { serial: Uint8Array.of(2, 1, 0x80) },
      expect: 'x509.malformed',
    },
    {
      name: 'a serial number of 20 octets',
      shape: { serial: writeInteger((1n << 159n) - 1n) },
      expect: 'accepted',
    },
    {
      name: 'a serial number of 21 octets',
      shape: { serial: writeInteger(1n << 159n) },
      expect: 'x509.malformed',
    },
    {
      name: 'another algorithm outside than inside',
      shape: { outer: writeSequence(writeOid('1.2.840.10045.4.3.3')) },
      expect: 'x509.malformed',
    },
    {
      name: 'the same algorithm outside with other parameters',
      shape: { outer: writeSequence(writeOid('1.2.840.10045.4.3.2'), writeNull()) },
      expect: 'x509.malformed',
    },
    {
      name: 'ECDSA with NULL parameters',
      shape: { inner: writeSequence(writeOid('1.2.840.10045.4.3.2'), writeNull()) },
      expect: 'x509.malformed',
    },
    {
      name: 'RSA with NULL parameters',
      shape: { inner: writeSequence(writeOid(RSA_SHA256), writeNull()) },
      expect: 'accepted',
    },
    {
      name: 'RSA with other parameters',
      shape: { inner: writeSequence(writeOid(RSA_SHA256), writeInteger(1)) },
      expect: 'x509.malformed',
    },
    {
      name: 'ECDSA with SHA-1',
      shape: { inner: writeSequence(writeOid('1.2.840.10045.4.1')) },
      expect: 'crypto.algorithm-unknown',
    },
    {
      name: 'RSA with MD5',
      shape: { inner: writeSequence(writeOid('1.2.840.113549.1.1.4'), writeNull()) },
      expect: 'crypto.algorithm-unknown',
    },
    {
      name: 'RSASSA-PSS that leaves its defaults, which are SHA-1',
      shape: { inner: writeSequence(writeOid('1.2.840.113549.1.1.10'), writeSequence()) },
      expect: 'x509.malformed',
    },
    { name: 'an extension twice', shape: extensions(usage, usage), expect: 'x509.malformed' },
    { name: 'an empty list of extensions', shape: extensions(), expect: 'x509.malformed' },
    {
      name: 'fields after the key out of order',
      shape: { tail: [writeDer(0x82, Uint8Array.of(0)), writeDer(0x81, Uint8Array.of(0))] },
      expect: 'x509.malformed',
    },
    {
      name: 'an unknown field after the key',
      shape: { tail: [writeDer(0x84, Uint8Array.of(0))] },
      expect: 'x509.malformed',
    },
    {
      name: 'a path length without being a CA',
      shape: extensions(writeExtension('2.5.29.19', writeSequence(writeInteger(1)))),
      expect: 'x509.malformed',
    },
    {
      name: 'a negative path length',
      shape: extensions(
        writeExtension('2.5.29.19', writeSequence(writeBoolean(true), Uint8Array.of(2, 1, 0xff))),
      ),
      expect: 'x509.malformed',
    },
    {
      name: 'an empty key usage',
      shape: extensions(writeExtension(KEY_USAGE, Uint8Array.of(3, 2, 7, 0))),
      expect: 'x509.malformed',
    },
    {
      name: 'a key usage with unused bits that are set',
      shape: extensions(writeExtension(KEY_USAGE, Uint8Array.of(3, 2, 7, 0x81))),
      expect: 'x509.malformed',
    },
    {
      name: 'an empty extended key usage',
      shape: extensions(writeExtension('2.5.29.37', writeSequence())),
      expect: 'x509.malformed',
    },
    { name: 'empty alternative names', shape: san(), expect: 'x509.malformed' },
    {
      name: 'a NUL in an e-mail name',
      shape: san(writeDer(0x81, Buffer.from('a@b.example\0.evil'))),
      expect: 'x509.malformed',
    },
    {
      name: 'UTF-8 in an e-mail name',
      shape: san(writeDer(0x81, Buffer.from('ä@b.example'))),
      expect: 'x509.malformed',
    },
    {
      name: 'an address of 5 bytes',
      shape: san(writeDer(0x87, Buffer.alloc(5))),
      expect: 'x509.malformed',
    },
    {
      name: 'trailing bytes in an extension',
      shape: extensions(
        writeExtension('2.5.29.37', Buffer.concat([writeSequence(ECDSA_SHA256), Buffer.of(0)])),
      ),
      expect: 'der.malformed',
    },
    {
      name: 'a time with an offset',
      shape: { notBefore: generalizedTime('20260101000000+0100') },
      expect: 'der.malformed',
    },
    {
      name: 'a time that does not exist',
      shape: { notAfter: generalizedTime('20260231000000Z') },
      expect: 'der.malformed',
    },
    {
      name: 'a name with an empty part',
      shape: { subject: writeSequence(writeDer(0x31)) },
      expect: 'x509.malformed',
    },
    {
      name: 'a key on a curve that is not in the table',
      shape: { key: generateKeyPairSync('ec', { namedCurve: 'secp256k1' }) },
      expect: 'crypto.key-unsupported',
    },
    {
      name: 'over 64 KiB',
      shape: extensions(writeExtension('1.2.3', writeOctetString(Buffer.alloc(70_000)))),
      expect: 'x509.limit',
    },
  ];
  for (const { name, shape, expect } of shapes) {
    it(`${name}: ${expect}`, () => {
      const der = writeCertificate(shape);
      assert.equal(
        codeOf(() => parseCertificate(der, 'test')),
        expect,
      );
    });
  }

  it('keeps the bytes as received', () => {
    const der = writeCertificate();
    const certificate = parseCertificate(der, 'test');
    assert.deepEqual(Buffer.from(certificate.raw), Buffer.from(der));
    assert.equal(certificate.tbs.buffer, certificate.raw.buffer);
  });

  it('throws nothing but TrustFault for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        codeOf(() => parseCertificate(bytes, 'any'));
      }),
      { numRuns: 300 },
    );
  });

  it('throws nothing but TrustFault for a certificate with a few bytes changed', () => {
    const { raw } = labLeaf('keyless-ci');
    const edit = fc.tuple(fc.nat(raw.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const bytes = Uint8Array.from(raw);
        for (const [at, value] of edits) bytes[at] = value;
        codeOf(() => parseCertificate(bytes, 'edited'));
      }),
      { numRuns: 300 },
    );
  });
});

describe('parseCertificatesPem', () => {
  const pem = encodePem('CERTIFICATE', writeCertificate());
  const cases = [
    {
      name: 'two certificates and a key',
      text: `${pem}${encodePem('PUBLIC KEY', Uint8Array.of(1))}${pem}`,
      expect: 2,
    },
    { name: 'none', text: 'nothing here', expect: 0 },
    {
      name: 'a block that is no certificate',
      text: encodePem('CERTIFICATE', Uint8Array.of(5, 0)),
      expect: 'der.malformed',
    },
    { name: '65 certificates', text: pem.repeat(65), expect: 'x509.limit' },
  ];
  for (const { name, text, expect } of cases) {
    it(name, () => {
      if (typeof expect === 'number') {
        assert.equal(parseCertificatesPem(text, 'test').length, expect);
      } else {
        assert.equal(
          codeOf(() => parseCertificatesPem(text, 'test')),
          expect,
        );
      }
    });
  }
});
