import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeBoolean, writeDer, writeInteger, writeSequence } from '@bulla/trust/bytes/der-writer';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseTimestamp } from '@bulla/trust/timestamp/token';
import fc from 'fast-check';
import { VECTORS } from '../x509/material.ts';
import { KEYS, makeCertificate, utf8Value } from '../x509/synthetic-certificate.ts';
import { writeResponse, writeToken } from './synthetic-token.ts';

const SAMPLE = readFileSync(join(VECTORS, 'timestamp-authority/sha384-cert.tsr'));
const TOKEN = { signer: makeCertificate(), key: KEYS.privateKey, message: Buffer.from('m') };

function codeOf(bytes: Uint8Array): string {
  try {
    parseTimestamp(bytes);
  } catch (error) {
    assert.ok(error instanceof TrustFault, String(error));
    return error.code;
  }
  return 'accepted';
}

describe('parseTimestamp', () => {
  it('reads every field of a response', () => {
    const { policy, imprint, serial, genTime, accuracyMs, ordering, nonce, signedData } =
      parseTimestamp(SAMPLE);
    assert.equal(policy, '1.3.6.1.4.1.57264.2');
    assert.equal(imprint.hash, 'sha384');
    assert.equal(imprint.digest.length, 48);
    assert.ok(serial > 0n);
    assert.equal(genTime.toISOString(), '2026-11-21T00:51:23.000Z');
    assert.equal(accuracyMs, 1000);
    assert.equal(ordering, false);
    assert.equal(nonce, 0xf772f58d59e25dcan);
    assert.equal(signedData.certificates.length, 1);
  });

  const accuracy = (...parts: readonly Uint8Array[]) => ({ options: [writeSequence(...parts)] });
  const options = [
    { name: 'no accuracy', shape: {}, accuracyMs: null, ordering: false },
    {
      name: 'milliseconds and microseconds',
      shape: accuracy(writeDer(0x80, Uint8Array.of(5)), writeDer(0x81, Uint8Array.of(0x01, 0xf4))),
      accuracyMs: 5.5,
      ordering: false,
    },
    {
      name: 'ordering',
      shape: { options: [writeBoolean(true)] },
      accuracyMs: null,
      ordering: true,
    },
  ];
  for (const { name, shape, accuracyMs, ordering } of options) {
    it(name, () => {
      const timestamp = parseTimestamp(writeToken({ ...TOKEN, ...shape }));
      assert.equal(timestamp.accuracyMs, accuracyMs);
      assert.equal(timestamp.ordering, ordering);
    });
  }

  const token = writeToken(TOKEN);
  const text = writeSequence(utf8Value('no time'));
  const failure = writeDer(0x03, Uint8Array.of(1, 0, 2));
  const cases = [
    { name: 'granted', bytes: writeResponse(0, token), expect: 'accepted' },
    {
      name: 'granted with modifications and a text',
      bytes: writeResponse(1, token, text),
      expect: 'accepted',
    },
    { name: 'rejected', bytes: writeResponse(2, null, text, failure), expect: 'timestamp.refused' },
    {
      name: 'rejected, with a token all the same',
      bytes: writeResponse(2, token),
      expect: 'timestamp.refused',
    },
    {
      name: 'granted, with a failure',
      bytes: writeResponse(0, token, failure),
      expect: 'timestamp.refused',
    },
    {
      name: 'granted without a token',
      bytes: writeResponse(0, null),
      expect: 'timestamp.malformed',
    },
    {
      name: 'bytes after the response',
      bytes: Buffer.concat([writeResponse(0, token), Buffer.of(0)]),
      expect: 'timestamp.malformed',
    },
    {
      name: 'a request',
      bytes: readFileSync(join(VECTORS, 'timestamp-authority/sha256-cert.tsq')),
      expect: 'timestamp.malformed',
    },
    { name: 'nothing', bytes: new Uint8Array(), expect: 'timestamp.malformed' },
    {
      name: 'over 128 KiB',
      bytes: writeSequence(writeInteger(1n << 1_100_000n)),
      expect: 'timestamp.malformed',
    },
  ];
  for (const { name, bytes, expect } of cases) {
    it(`${name}: ${expect}`, () => assert.equal(codeOf(bytes), expect));
  }

  it('says why the authority refused', () => {
    assert.throws(
      () => parseTimestamp(writeResponse(2, null, text, failure)),
      /status 2 timeNotAvailable "no time"/,
    );
  });

  it('throws nothing but TrustFault', () => {
    const edit = fc.tuple(fc.nat(SAMPLE.length - 1), fc.nat(255));
    const edited = fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
      const bytes = Uint8Array.from(SAMPLE);
      for (const [at, value] of edits) bytes[at] = value;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), edited), (bytes) => {
        codeOf(bytes);
      }),
      { numRuns: 500 },
    );
  });
});
