import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import { parseJson } from '@bulla/trust/bytes/json';
import fc from 'fast-check';
import { vectorsFolder } from '../../../../test/peers.ts';

test('the public vectors of RFC 8785 come out byte for byte', (t) => {
  const folder = vectorsFolder(t, 'jcs');
  if (folder === null) return;
  const names = readdirSync(join(folder, 'input'));
  assert.ok(names.length >= 6);
  for (const name of names) {
    const value = parseJson(readFileSync(join(folder, 'input', name)), name);
    const expected: string = readFileSync(join(folder, 'output', name), 'utf8');
    assert.equal(canonicalizeJcs(value), expected, name);
  }
});

/** RFC 8785 appendix B: IEEE 754 bits and how they are written. */
const NUMBERS = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
] as const;

for (const [bits, expect] of NUMBERS) {
  test(`the number ${bits} is written ${expect}`, () => {
    assert.equal(canonicalizeJcs(Buffer.from(bits, 'hex').readDoubleBE()), expect);
  });
}

const REFUSED = [
  { name: 'NaN', value: Number.NaN, expect: 'json.number' },
  { name: 'Infinity', value: [Number.POSITIVE_INFINITY], expect: 'json.number' },
  { name: 'a lone surrogate', value: { a: '\ud800' }, expect: 'json.malformed' },
  { name: 'a lone surrogate as a key', value: { '\udc00': 1 }, expect: 'json.malformed' },
  { name: 'a bigint', value: 1n, expect: 'json.malformed' },
  { name: 'undefined in an array', value: [undefined], expect: 'json.malformed' },
  { name: 'a function', value: () => 1, expect: 'json.malformed' },
  { name: 'a Date', value: { at: new Date(0) }, expect: 'json.malformed' },
  { name: 'bytes', value: new Uint8Array(2), expect: 'json.malformed' },
  { name: 'a Map', value: new Map([['a', 1]]), expect: 'json.malformed' },
] as const;

for (const { name, value, expect } of REFUSED) {
  test(`${name} has no canonical form`, () => {
    assert.throws(() => canonicalizeJcs(value), { code: expect });
  });
}

test('members are sorted by UTF-16 code units and __proto__ is one of them', () => {
  const value = parseJson(Buffer.from('{"\ufb33":1,"😀":2,"a":3,"":4,"__proto__":5,"B":6}'), 'x');
  assert.equal(canonicalizeJcs(value), '{"":4,"B":6,"__proto__":5,"a":3,"😀":2,"\ufb33":1}');
});

test('the canonical form reads back to the same value and is its own canonical form', () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false }), (text) => {
      const value: unknown = JSON.parse(text);
      fc.pre(text.isWellFormed());
      const canonical = canonicalizeJcs(value);
      const again = parseJson(Buffer.from(canonical), 'document');
      assert.deepEqual(
        again,
        JSON.parse(text, (_, item) => (Object.is(item, -0) ? 0 : item)),
      );
      assert.equal(canonicalizeJcs(again), canonical);
    }),
  );
});
