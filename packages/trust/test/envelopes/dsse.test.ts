import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import {
  dsseEnvelopeJson,
  parseDsseEnvelope,
  preAuthenticationEncoding,
} from '@bulla/trust/envelopes/dsse';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { mutationsOf, set } from '../sigstore-lab/mutations.ts';

/** The examples of DSSE 1.0 protocol.md, and what follows from its definition. */
const ENCODINGS: readonly (readonly [type: string, payload: string, encoding: string])[] = [
  [
    'http://example.com/HelloWorld',
    'hello world',
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
  ],
  ['', '', 'DSSEv1 0  0 '],
  ['a', 'b c', 'DSSEv1 1 a 3 b c'],
  // Lengths are of bytes, not of characters.
  ['ä', '€', 'DSSEv1 2 ä 3 €'],
];

for (const [type, payload, encoding] of ENCODINGS) {
  test(`the encoding of ${JSON.stringify([type, payload])}`, () => {
    const found = preAuthenticationEncoding(type, utf8(payload));
    assert.equal(Buffer.from(found).toString(), encoding);
  });
}

test('two different contents never have one encoding', () => {
  const content = fc.tuple(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 20 }));
  fc.assert(
    fc.property(content, content, ([typeA, a], [typeB, b]) => {
      const same =
        Buffer.compare(preAuthenticationEncoding(typeA, a), preAuthenticationEncoding(typeB, b)) ===
        0;
      assert.equal(same, typeA === typeB && Buffer.compare(a, b) === 0);
    }),
  );
});

const GOOD = {
  payload: 'aGVsbG8=',
  payloadType: 'text/plain',
  signatures: [{ sig: 'AAEC', keyid: 'k' }],
};

function codeOf(document: unknown): string | null {
  try {
    parseDsseEnvelope(utf8(JSON.stringify(document)), 'a test');
    return null;
  } catch (error) {
    assert.ok(error instanceof TrustFault, String(error));
    return error.code;
  }
}

const ROWS: readonly {
  readonly name: string;
  readonly document: unknown;
  readonly code: string | null;
}[] = [
  { name: 'all of it', document: GOOD, code: null },
  { name: 'no key id', document: set(GOOD, 'signatures.0.keyid', undefined), code: null },
  {
    name: 'many signatures',
    document: set(GOOD, 'signatures', Array(64).fill({ sig: 'AAEC' })),
    code: null,
  },
  { name: 'no signature', document: set(GOOD, 'signatures', []), code: 'dsse.malformed' },
  {
    name: 'no list of signatures',
    document: set(GOOD, 'signatures', undefined),
    code: 'dsse.malformed',
  },
  {
    name: 'too many signatures',
    document: set(GOOD, 'signatures', Array(65).fill({ sig: 'AAEC' })),
    code: 'dsse.malformed',
  },
  {
    name: 'a payload that is no base64',
    document: set(GOOD, 'payload', '*'),
    code: 'dsse.malformed',
  },
  {
    name: 'a payload with stray bits',
    document: set(GOOD, 'payload', 'aGVsbG9='),
    code: 'dsse.malformed',
  },
  {
    name: 'a payload and a signature in the URL-safe alphabet, unpadded',
    document: set(set(GOOD, 'payload', '-_8'), 'signatures.0.sig', '_-8='),
    code: null,
  },
  {
    name: 'a payload in the URL-safe alphabet with stray bits',
    document: set(GOOD, 'payload', '-_9'),
    code: 'dsse.malformed',
  },
  { name: 'no payload', document: set(GOOD, 'payload', undefined), code: 'dsse.malformed' },
  {
    name: 'no payload type',
    document: set(GOOD, 'payloadType', undefined),
    code: 'dsse.malformed',
  },
  {
    name: 'a key id that is a number',
    document: set(GOOD, 'signatures.0.keyid', 1),
    code: 'dsse.malformed',
  },
];

for (const { name, document, code } of ROWS) {
  test(`an envelope with ${name}: ${code ?? 'read'}`, () => assert.equal(codeOf(document), code));
}

test('what is written is read back', () => {
  const signature = fc.record({
    signature: fc.uint8Array({ minLength: 1, maxLength: 80 }),
    keyId: fc.option(fc.string(), { nil: null }),
  });
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.string(),
      fc.array(signature, { minLength: 1, maxLength: 5 }),
      (payload, payloadType, signatures) => {
        const json = dsseEnvelopeJson({ payload, payloadType, signatures });
        const read = parseDsseEnvelope(utf8(JSON.stringify(json)), 'a test');
        assert.deepEqual(Buffer.from(read.payload), Buffer.from(payload));
        assert.equal(read.payloadType, payloadType);
        assert.deepEqual(
          read.signatures.map((one) => [Buffer.from(one.signature).toString('hex'), one.keyId]),
          signatures.map((one) => [Buffer.from(one.signature).toString('hex'), one.keyId]),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('no input throws anything but TrustFault', () => {
  const never = (bytes: Uint8Array) => {
    try {
      parseDsseEnvelope(bytes, 'a test');
    } catch (error) {
      assert.ok(error instanceof TrustFault && error.code !== 'internal.defect', String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), never));
  fc.assert(fc.property(fc.json(), (text) => never(utf8(text))));
  for (const { document } of mutationsOf(GOOD, {})) never(utf8(JSON.stringify(document)));
});
