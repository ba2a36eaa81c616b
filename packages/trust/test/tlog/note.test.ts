import assert from 'node:assert/strict';
import test from 'node:test';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { encodeHex } from '@bulla/trust/bytes/hex';
import { ALGORITHMS } from '@bulla/trust/crypto/algorithm';
import { parseSpki } from '@bulla/trust/crypto/public-key';
import { verifySignature } from '@bulla/trust/crypto/verify-signature';
import { TrustFault } from '@bulla/trust/fault/fault';
import { noteKeyHints, parseNote } from '@bulla/trust/tlog/note';
import fc from 'fast-check';

// The example of Go’s sumdb/note package, from which the C2SP format comes.
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const KEY = parseSpki(
  Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'base64').subarray(1),
  ]),
  'the example',
);

test('the example of the format is read and verifies', async () => {
  const note = parseNote(`${TEXT}\n${LINE}`);
  assert.equal(note.text, TEXT);
  const [line] = note.signatures;
  assert.ok(line);
  assert.equal(line.name, 'PeterNeumann');
  assert.equal(encodeHex(line.keyHint), 'c74f20a3');
  assert.deepEqual(noteKeyHints('PeterNeumann', KEY).map(encodeHex)[0], 'c74f20a3');
  const { ed25519 } = ALGORITHMS;
  assert.ok(await verifySignature(KEY, ed25519, Buffer.from(note.text), line.signature));
});

test('the last empty line divides, and the text may have others', () => {
  assert.equal(parseNote(`a\n\nb\n\n${LINE}`).text, 'a\n\nb\n');
});

test('text of bytes and of a string is the same', () => {
  const text = `Ognuno sta solo\n\n${LINE}`;
  assert.deepEqual(parseNote(Buffer.from(text)), parseNote(text));
});

for (const count of [1, 16, 64]) {
  test(`${count} signatures are read`, () => {
    assert.equal(parseNote(`a\n\n${LINE.repeat(count)}`).signatures.length, count);
  });
}

const REFUSED = [
  { name: 'nothing', note: '' },
  { name: 'no empty line', note: `a\n${LINE}` },
  { name: 'no signature', note: 'a\n\n' },
  { name: 'a text without end', note: `a${LINE}` },
  { name: 'a signature line without end', note: `a\n\n${LINE.trimEnd()}` },
  { name: 'something after the signatures', note: `a\n\n${LINE}b\n` },
  { name: 'an en dash', note: `a\n\n${LINE.replace('—', '–')}` },
  { name: 'a hyphen', note: `a\n\n${LINE.replace('—', '-')}` },
  { name: 'two spaces', note: `a\n\n${LINE.replace(' ', '  ')}` },
  { name: 'a name with a plus', note: `a\n\n${LINE.replace('Peter', 'Peter+')}` },
  { name: 'a name with a Unicode space', note: `a\n\n${LINE.replace('Peter', 'Peter\u2003')}` },
  { name: 'no name', note: `a\n\n${LINE.replace('PeterNeumann', '')}` },
  { name: 'no base64', note: 'a\n\n— name !!!!\n' },
  { name: 'base64 without padding', note: `a\n\n${LINE.replace('=', '')}` },
  { name: 'a hint alone', note: `a\n\n— name ${encodeBase64(new Uint8Array(4))}\n` },
  { name: '65 signatures', note: `a\n\n${LINE.repeat(65)}` },
  { name: 'a carriage return', note: `a\r\n\n${LINE}` },
  { name: 'a NUL', note: `a\0\n\n${LINE}` },
  { name: 'a lone surrogate', note: `a\ud800\n\n${LINE}` },
  { name: 'half a megabyte', note: `${'a'.repeat(600_000)}\n\n${LINE}` },
  { name: 'bytes that are not UTF-8', note: Buffer.from([0xff, 0x0a, 0x0a]) },
] as const;

for (const { name, note } of REFUSED) {
  test(`a note with ${name} is refused`, () => {
    assert.throws(() => parseNote(note), { code: 'tlog.note-malformed' });
  });
}

const NAME = fc.stringMatching(/^[a-zA-Z0-9./-]{1,30}$/);
const LINES = fc.array(fc.tuple(NAME, fc.uint8Array({ minLength: 5, maxLength: 80 })), {
  minLength: 1,
  maxLength: 64,
});

test('what is read writes back to the same note', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[ -~]{0,20}$/), { minLength: 1 }),
      LINES,
      (body, lines) => {
        const text = `${body.join('\n')}\n`;
        const written = lines.map(([name, bytes]) => `— ${name} ${encodeBase64(bytes)}\n`).join('');
        const note = parseNote(`${text}\n${written}`);
        assert.equal(note.text, text);
        const again = note.signatures.map(
          ({ name, keyHint, signature }) =>
            `— ${name} ${encodeBase64(Buffer.concat([keyHint, signature]))}\n`,
        );
        assert.equal(again.join(''), written);
      },
    ),
  );
});

test('no bytes make the parser throw anything but a fault', () => {
  const seeds = fc.constantFrom(`a\n\n${LINE}`, 'a\n1\nAAAA\n\n— b AAAAAAA=\n');
  const edited = fc
    .tuple(seeds, fc.nat(200), fc.string({ maxLength: 5 }))
    .map(([seed, at, insert]) => seed.slice(0, at) + insert + seed.slice(at + insert.length));
  const inputs: fc.Arbitrary<string | Uint8Array> = fc.oneof(fc.uint8Array(), fc.string(), edited);
  fc.assert(
    fc.property(inputs, (input) => {
      try {
        parseNote(input);
      } catch (error) {
        assert.ok(error instanceof TrustFault);
        assert.equal(error.code, 'tlog.note-malformed');
      }
    }),
    { numRuns: 2000 },
  );
});
