import assert from 'node:assert/strict';
import test from 'node:test';
import { decodePem, encodePem } from '@bulla/trust/bytes/pem';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';

const BLOCK = '-----BEGIN THING-----\nAAEC\n-----END THING-----\n';

const READ = [
  { name: 'one block', text: BLOCK, expect: ['THING:000102'] },
  { name: 'two blocks', text: BLOCK + BLOCK, expect: ['THING:000102', 'THING:000102'] },
  { name: 'no block', text: 'hello', expect: [] },
  { name: 'nothing', text: '', expect: [] },
  {
    name: 'text around it',
    text: `Bag Attributes\n  a: b\n${BLOCK}after`,
    expect: ['THING:000102'],
  },
  { name: 'CRLF', text: BLOCK.replaceAll('\n', '\r\n'), expect: ['THING:000102'] },
  { name: 'CR alone', text: BLOCK.replaceAll('\n', '\r'), expect: ['THING:000102'] },
  { name: 'no last line break', text: BLOCK.trimEnd(), expect: ['THING:000102'] },
  { name: 'spaces at line ends', text: BLOCK.replaceAll('\n', ' \t\n'), expect: ['THING:000102'] },
  { name: 'blank lines', text: BLOCK.replaceAll('\n', '\n\n'), expect: ['THING:000102'] },
  { name: 'an empty body', text: BLOCK.replace('AAEC\n', ''), expect: ['THING:'] },
  { name: 'short lines', text: BLOCK.replace('AAEC', 'A\nAE\nC'), expect: ['THING:000102'] },
] as const;

for (const { name, text, expect } of READ) {
  test(`PEM with ${name} is read`, () => {
    const blocks = decodePem(text);
    assert.deepEqual(
      blocks.map(({ label, bytes }) => `${label}:${Buffer.from(bytes).toString('hex')}`),
      expect,
    );
  });
}

const REFUSED = [
  { name: 'no end', text: BLOCK.slice(0, 30) },
  { name: 'a cut end', text: BLOCK.slice(0, -3) },
  { name: 'another label at its end', text: BLOCK.replace('END THING', 'END OTHER') },
  { name: 'a block inside', text: BLOCK.replace('AAEC', BLOCK) },
  { name: 'a second beginning', text: `-----BEGIN A-----\n${BLOCK}` },
  { name: 'a damaged body', text: BLOCK.replace('AAEC', 'AAE') },
  { name: 'the URL alphabet', text: BLOCK.replace('AAEC', '-_-_') },
  { name: 'its body on the first line', text: BLOCK.replace('-----\n', '-----') },
  { name: 'a label in lower case', text: BLOCK.replaceAll('THING', 'thing') },
  { name: 'an empty label', text: BLOCK.replaceAll('THING', '') },
  { name: 'a header after the body', text: BLOCK.replace('AAEC', 'AAEC\nA: b') },
  { name: 'a header twice', text: BLOCK.replace('AAEC', 'A: b\nA: c\n\nAAEC') },
  { name: 'padding inside', text: BLOCK.replace('AAEC', 'AA==\nAA==') },
  { name: 'more than 1 MiB', text: `${' '.repeat(1 << 20)}${BLOCK}` },
] as const;

for (const { name, text } of REFUSED) {
  test(`PEM with ${name} is refused`, () => {
    assert.throws(() => decodePem(text), { code: 'bytes.pem' });
  });
}

test('headers are kept, and their hyphens end no block', () => {
  const headers = 'Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00FF\n\nAAEC';
  const [block] = decodePem(BLOCK.replace('AAEC', headers));
  assert.equal(block?.headers['Proc-Type'], '4,ENCRYPTED');
  assert.equal(block?.headers['DEK-Info'], 'AES-256-CBC,00FF');
  assert.deepEqual(Buffer.from(block?.bytes ?? []), Buffer.from([0, 1, 2]));
});

test('a header named __proto__ or constructor is only a header', () => {
  const [block] = decodePem(BLOCK.replace('AAEC', 'constructor: x\n\nAAEC'));
  assert.deepEqual(Object.keys(block?.headers ?? {}), ['constructor']);
});

test('a fault never quotes the body, which may be a private key', () => {
  assert.throws(
    () => decodePem(BLOCK.replace('AAEC', 'SECRETSECRET!')),
    (error) => {
      assert.ok(error instanceof TrustFault);
      assert.ok(!error.message.includes('SECRET') && error.cause === undefined);
      return true;
    },
  );
});

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      const text = encodePem('SOME THING', bytes);
      assert.ok(text.split('\n').every((line) => line.length <= 64));
      const [block, ...rest] = decodePem(text);
      assert.deepEqual(rest, []);
      assert.deepEqual(Uint8Array.from(block?.bytes ?? []), bytes);
    }),
  );
});

test('no text throws anything but a fault', () => {
  const parts = [
    '-----BEGIN A-----',
    '-----END A-----',
    '-----END B-----',
    '-----',
    'AAAA',
    'A: b',
    '\n',
    '\r\n',
    ' ',
    '=',
  ];
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...parts), fc.string())), (all) => {
      try {
        decodePem(all.join(''));
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
      }
    }),
    { numRuns: 1000 },
  );
});
