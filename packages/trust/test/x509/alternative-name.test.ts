import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { writeDer, writeInteger, writeOid, writeSequence } from '@bulla/trust/bytes/der-writer';
import { makeCertificate, writeExtension } from './synthetic-certificate.ts';

const SAN = '2.5.29.17';

describe('alternative names', () => {
  const cases = [
    {
      name: 'e-mail',
      der: writeDer(0x81, Buffer.from('a@b.example')),
      expect: 'email a@b.example',
    },
    { name: 'DNS', der: writeDer(0x82, Buffer.from('b.example')), expect: 'dns b.example' },
    { name: 'IPv4', der: writeDer(0x87, Buffer.from([192, 0, 2, 1])), expect: 'ip 192.0.2.1' },
    {
      name: 'IPv6 with a run of zeros',
      der: writeDer(0x87, Buffer.from('20010db8000000000000000000000001', 'hex')),
      expect: 'ip 2001:db8::1',
    },
    { name: 'IPv6 unspecified', der: writeDer(0x87, Buffer.alloc(16)), expect: 'ip ::' },
    {
      name: 'an other-name that is no text',
      der: writeDer(0xa0, writeOid('1.2.3'), writeDer(0xa0, writeInteger(5))),
      expect: 'other-name #020105',
    },
    {
      name: 'a registered id, which names nobody',
      der: writeDer(0x88, Uint8Array.of(0x2a)),
      expect: '',
    },
  ];
  for (const { name, der, expect } of cases) {
    it(name, () => {
      const { alternativeNames } = makeCertificate({
        extensions: [writeExtension(SAN, writeSequence(der))],
      });
      assert.equal(alternativeNames.map(({ kind, value }) => `${kind} ${value}`).join(), expect);
    });
  }
});
