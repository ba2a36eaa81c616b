import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bytesOfKey, keyOfBytes, rangeOfPrefix } from '../../src/storage/cell-key.ts';

/** Well-formed text in which pairs, the characters around them and NUL are frequent. */
const KEY = fc
  .array(
    fc.oneof(
      fc.constantFrom('\0', '/', 'a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}', 'é'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

const order = (one: number): number => Math.sign(one);
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

test('bytes of a key lead back to it, and are in its order', () => {
  fc.assert(
    fc.property(KEY, KEY, (one, other) => {
      assert.equal(keyOfBytes(bytesOfKey(one)), one);
      const bytes = order(Buffer.compare(bytesOfKey(one), bytesOfKey(other)));
      assert.equal(bytes, compare(one, other));
    }),
  );
});

test('the range of a prefix holds the keys below it and no other', () => {
  fc.assert(
    fc.property(KEY, KEY, (folder, key) => {
      const prefix = `${folder}/`;
      const { from, to } = rangeOfPrefix(prefix);
      const bytes = bytesOfKey(key);
      const within =
        Buffer.compare(bytes, from) >= 0 && to !== null && Buffer.compare(bytes, to) < 0;
      assert.equal(within, key.startsWith(prefix));
      const below = bytesOfKey(prefix + key);
      assert.ok(Buffer.compare(below, from) >= 0 && to !== null && Buffer.compare(below, to) < 0);
    }),
  );
});
