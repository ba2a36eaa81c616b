import assert from 'node:assert/strict';
import test from 'node:test';
import { decodeBase64, encodeBase64 } from '@bulla/trust/bytes/base64';
import { decodeHex, encodeHex } from '@bulla/trust/bytes/hex';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';

/** RFC 4648 §10. */
const VECTORS = [
  ['', ''],
  ['f', 'Zg=='],
  ['fo', 'Zm8='],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg=='],
  ['fooba', 'Zm9vYmE='],
  ['foobar', 'Zm9vYmFy'],
] as const;

for (const [text, expect] of VECTORS) {
  test(`base64 of ${JSON.stringify(text)}`, () => {
    assert.equal(encodeBase64(Buffer.from(text)), expect);
    assert.equal(Buffer.from(decodeBase64(expect)).toString(), text);
  });
}

const REFUSED = [
  { name: 'no padding', text: 'Zg' },
  { name: 'half the padding', text: 'Zg=' },
  { name: 'padding too many', text: 'Zm8==' },
  { name: 'padding only', text: '====' },
  { name: 'padding alone', text: '=' },
  { name: 'padding inside', text: 'Zg==Zg==' },
  { name: 'stray bits before ==', text: 'Zh==' },
  { name: 'stray bits before =', text: 'Zm9=' },
  { name: 'a line break', text: 'Zm9v\nYmFy' },
  { name: 'a line break at the end', text: 'Zm9v\n' },
  { name: 'a space', text: 'Zm 9v' },
  { name: 'the URL alphabet', text: '-_-_' },
  { name: 'another character', text: 'Zm9é' },
  { name: 'a NUL', text: 'Zm9\0' },
  { name: 'full-width letters', text: 'Ｚｇ==' },
] as const;

for (const { name, text } of REFUSED) {
  test(`base64 with ${name} is refused`, () => {
    assert.throws(() => decodeBase64(text), { code: 'bytes.base64' });
  });
}

test('base64 of megabytes is decoded, and refused for its last character, without overflow', () => {
  const text = 'A'.repeat(24 << 20);
  assert.equal(decodeBase64(text).length, 18 << 20);
  assert.throws(() => decodeBase64(`${text.slice(4)}AAA!`), { code: 'bytes.base64' });
  assert.throws(() => decodeHex(`${text}!!`), { code: 'bytes.hex' });
});

test('a decoded text is the only spelling of its bytes', () => {
  const near = fc
    .array(fc.constantFrom('A', 'b', '/', '+', '=', '==', '8', '\n', '-'))
    .map((all) => all.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.base64String(), near), (text) => {
      try {
        assert.equal(encodeBase64(decodeBase64(text)), text);
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});

test('bytes come back from base64 and from hexadecimal', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(3), (bytes, offset) => {
      // A view that does not begin where its buffer begins.
      const view = bytes.subarray(Math.min(offset, bytes.length));
      assert.deepEqual(Uint8Array.from(decodeBase64(encodeBase64(view))), Uint8Array.from(view));
      assert.deepEqual(Uint8Array.from(decodeHex(encodeHex(view))), Uint8Array.from(view));
    }),
  );
});

for (const text of ['0', 'zz', '0x00', ' 00', '00 ', '0g', '00\n', '٠٠']) {
  test(`${JSON.stringify(text)} is no hexadecimal`, () => {
    assert.throws(() => decodeHex(text), { code: 'bytes.hex' });
  });
}

test('hexadecimal is read in both cases and written in the lower', () => {
  assert.equal(encodeHex(decodeHex('DEADbeef')), 'deadbeef');
});
