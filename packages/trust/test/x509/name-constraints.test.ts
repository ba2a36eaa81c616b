import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeDer, writeOid, writeSequence } from '@bulla/trust/bytes/der-writer';
import type { Certificate } from '@bulla/trust/x509/certificate';
import { checkNameConstraints } from '@bulla/trust/x509/name-constraints';
import {
  caExtensions,
  commonName,
  leafExtensions,
  makeCa,
  makeCertificate,
  utf8Value,
  writeExtension,
  writeName,
} from './synthetic-certificate.ts';

const EMAIL = 0x81;
const DNS = 0x82;
const URI = 0x86;
const ORGANIZATION = '2.5.4.10';
const COMMON_NAME = '2.5.4.3';

const text = (tag: number, value: string) => writeDer(tag, Buffer.from(value));
const directory = (name: Uint8Array) => writeDer(0xa4, name);
const subtree = (name: Uint8Array) => writeSequence(name);
const permitted = (...names: readonly Uint8Array[]) => writeDer(0xa0, ...names.map(subtree));
const excluded = (...names: readonly Uint8Array[]) => writeDer(0xa1, ...names.map(subtree));
const otherName = writeDer(0xa0, writeOid('1.3.6.1.4.1.57264.1.7'), writeDer(0xa0, utf8Value('a')));

function leaf(subject: Uint8Array, ...names: readonly Uint8Array[]): Certificate {
  const extension = writeExtension('2.5.29.17', writeSequence(...names));
  return makeCertificate({
    subject,
    extensions: names.length === 0 ? leafExtensions() : [...leafExtensions(), extension],
  });
}

function ca(constraints: Uint8Array, critical = true): Certificate {
  const extension = writeExtension('2.5.29.30', constraints, critical);
  return makeCa('root', { extensions: [...caExtensions(), extension] });
}

const EMPTY = writeSequence();
const acme = writeName([ORGANIZATION, 'Acme']);
const acmeApp = writeName([ORGANIZATION, 'Acme'], [COMMON_NAME, 'app']);
const emailSubject = writeName(['1.2.840.113549.1.9.1', 'a@evil.example']);

describe('checkNameConstraints', () => {
  const cases = [
    {
      name: 'no constraints',
      issuer: makeCa('root'),
      leaf: leaf(EMPTY, text(DNS, 'a.example')),
      expect: 'pass',
    },
    {
      name: 'a directory name below',
      issuer: ca(writeSequence(permitted(directory(acme)))),
      leaf: leaf(acmeApp),
      expect: 'pass',
    },
    {
      name: 'a directory name elsewhere',
      issuer: ca(writeSequence(permitted(directory(acme)))),
      leaf: leaf(commonName('app')),
      expect: 'x509.name-constraints',
    },
    {
      name: 'a directory name in the alternative names',
      issuer: ca(writeSequence(permitted(directory(acme)))),
      leaf: leaf(EMPTY, directory(commonName('app'))),
      expect: 'x509.name-constraints',
    },
    {
      name: 'an empty subject is no name',
      issuer: ca(writeSequence(permitted(directory(acme)))),
      leaf: leaf(EMPTY, text(DNS, 'a.example')),
      expect: 'pass',
    },
    {
      name: 'an excluded directory name',
      issuer: ca(writeSequence(excluded(directory(acme)))),
      leaf: leaf(acmeApp),
      expect: 'x509.name-constraints',
    },
    {
      name: 'an e-mail address in the subject',
      issuer: ca(writeSequence(permitted(text(EMAIL, 'acme.example')))),
      leaf: leaf(emailSubject),
      expect: 'x509.name-constraints',
    },
    {
      name: 'constraints that are not critical',
      issuer: ca(writeSequence(permitted(text(DNS, 'b.example'))), false),
      leaf: leaf(EMPTY, text(DNS, 'a.example')),
      expect: 'x509.name-constraints',
    },
    {
      name: 'one mailbox',
      issuer: ca(writeSequence(permitted(text(EMAIL, 'a@acme.example')))),
      leaf: leaf(EMPTY, text(EMAIL, 'a@ACME.example')),
      expect: 'pass',
    },
    {
      name: 'another mailbox',
      issuer: ca(writeSequence(permitted(text(EMAIL, 'a@acme.example')))),
      leaf: leaf(EMPTY, text(EMAIL, 'A@acme.example')),
      expect: 'x509.name-constraints',
    },
    {
      name: 'a URI with another host behind an @',
      issuer: ca(writeSequence(permitted(text(URI, 'acme.example')))),
      leaf: leaf(EMPTY, text(URI, 'https://acme.example@evil.example/')),
      expect: 'x509.name-constraints',
    },
    {
      name: 'a URI without a host',
      issuer: ca(writeSequence(excluded(text(URI, 'acme.example')))),
      leaf: leaf(EMPTY, text(URI, 'urn:acme')),
      expect: 'x509.name-constraints',
    },
    {
      name: 'a URI with an address',
      issuer: ca(writeSequence(excluded(text(URI, 'acme.example')))),
      leaf: leaf(EMPTY, text(URI, 'https://192.0.2.1/')),
      expect: 'x509.name-constraints',
    },
    {
      name: 'a kind of name that is not known',
      issuer: ca(writeSequence(excluded(otherName))),
      leaf: leaf(EMPTY, otherName),
      expect: 'x509.name-constraints',
    },
    {
      name: 'one of several permitted',
      issuer: ca(writeSequence(permitted(text(DNS, 'b.example'), text(DNS, 'a.example')))),
      leaf: leaf(EMPTY, text(DNS, 'x.a.example')),
      expect: 'pass',
    },
    {
      name: 'permitted and excluded',
      issuer: ca(
        writeSequence(permitted(text(DNS, 'a.example')), excluded(text(DNS, 'x.a.example'))),
      ),
      leaf: leaf(EMPTY, text(DNS, 'x.a.example')),
      expect: 'x509.name-constraints',
    },
    {
      name: 'empty constraints',
      issuer: ca(writeSequence()),
      leaf: leaf(EMPTY),
      expect: 'x509.malformed',
    },
    {
      name: 'a maximum',
      issuer: ca(
        writeSequence(
          writeDer(0xa0, writeSequence(text(DNS, 'a'), writeDer(0x81, Uint8Array.of(1)))),
        ),
      ),
      leaf: leaf(EMPTY),
      expect: 'x509.malformed',
    },
    {
      name: 'an unknown part',
      issuer: ca(writeSequence(writeDer(0xa2))),
      leaf: leaf(EMPTY),
      expect: 'x509.malformed',
    },
  ];
  for (const { name, issuer, leaf: bound, expect } of cases) {
    it(`${name}: ${expect}`, () => {
      const finding = checkNameConstraints([bound, issuer]);
      assert.equal(finding.outcome === 'pass' ? 'pass' : finding.code, expect);
    });
  }

  it('bounds what many names may cost', () => {
    const names = Array.from({ length: 100 }, (_, at) => text(DNS, `${at}.example`));
    const finding = checkNameConstraints([
      leaf(EMPTY, ...names),
      ca(writeSequence(permitted(...names))),
    ]);
    assert.equal(finding.code, 'x509.limit');
  });
});
