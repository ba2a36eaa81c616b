import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeDer, writeOid, writeSequence } from '@bulla/trust/bytes/der-writer';
import { commonName, makeCertificate, writeName } from './synthetic-certificate.ts';

describe('names as RFC 4514 writes them', () => {
  const cases = [
    {
      name: 'most specific part first',
      der: writeName(['2.5.4.6', 'DE'], ['2.5.4.10', 'Acme'], ['2.5.4.3', 'app']),
      expect: 'CN=app,O=Acme,C=DE',
    },
    {
      name: 'escapes',
      der: commonName(' #a,b+c"d\\e<f>g;h '),
      expect: 'CN=\\ #a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h\\ ',
    },
    { name: 'a leading number sign', der: commonName('#1'), expect: 'CN=\\#1' },
    { name: 'NUL', der: commonName('a\0b'), expect: 'CN=a\\00b' },
    { name: 'one space', der: commonName(' '), expect: 'CN=\\ ' },
    {
      name: 'a type without a short name',
      der: writeName(['1.2.840.113549.1.9.1', 'a@b']),
      expect: '1.2.840.113549.1.9.1=#0c03614062',
    },
    {
      name: 'several attributes in one part',
      der: writeSequence(
        writeDer(
          0x31,
          writeSequence(writeOid('2.5.4.3'), writeDer(0x0c, Buffer.from('a'))),
          writeSequence(writeOid('2.5.4.10'), writeDer(0x13, Buffer.from('b'))),
        ),
      ),
      expect: 'CN=a+O=b',
    },
    {
      name: 'a value that is no text',
      der: writeSequence(
        writeDer(0x31, writeSequence(writeOid('2.5.4.3'), writeDer(0x1e, Uint8Array.of(0, 65)))),
      ),
      expect: 'CN=#1e020041',
    },
  ];
  for (const { name, der, expect } of cases) {
    it(name, () => assert.equal(makeCertificate({ subject: der }).subjectText, expect));
  }
});
