import assert from 'node:assert/strict';
import test from 'node:test';
import { parseJson } from '@bulla/trust/bytes/json';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';

function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}

const READ = [
  {
    name: 'strings that look like structure',
    text: '{"a":"{\\"b\\":1,:[{]}"}',
    expect: { a: '{"b":1,:[{]}' },
  },
  {
    name: 'a string of backslashes',
    text: '{"a":"\\\\","b":"\\\\\\""}',
    expect: { a: '\\', b: '\\"' },
  },
  { name: 'a colon after an escaped quote', text: '["\\":\\\\\\":"]', expect: ['":\\":'] },
  {
    name: 'equal keys in different objects',
    text: '{"a":{"x":1},"b":{"x":1}}',
    expect: { a: { x: 1 }, b: { x: 1 } },
  },
  { name: 'keys that differ by case', text: '{"a":1,"A":2}', expect: { a: 1, A: 2 } },
  { name: 'keys that look alike', text: '{"é":1,"e\u0301":2}', expect: { é: 1, 'e\u0301': 2 } },
  { name: 'integers as keys', text: '{"1":1,"01":2}', expect: { 1: 1, '01': 2 } },
  { name: 'white space of each kind', text: ' \t\r\n{ "a" :\n1 }\r\n', expect: { a: 1 } },
  { name: 'a scalar', text: '"a"', expect: 'a' },
  { name: 'null', text: 'null', expect: null },
  { name: 'a pair of surrogates as a key', text: '{"\\ud83d\\ude00":1}', expect: { '😀': 1 } },
  { name: 'a lone surrogate as a value', text: '{"a":"\\ud800"}', expect: { a: '\ud800' } },
  { name: 'an empty key', text: '{"":1}', expect: { '': 1 } },
  { name: '64 levels', text: '['.repeat(64) + ']'.repeat(64), expect: 'not compared' },
] as const;

for (const { name, text, expect } of READ) {
  test(`JSON with ${name} is read`, () => {
    const value = parseJson(bytesOf(text), 'document');
    if (expect !== 'not compared') assert.deepEqual(value, expect);
  });
}

const REFUSED = [
  { name: 'a key twice', text: '{"a":1,"a":1}', expect: 'json.duplicate-key' },
  { name: 'a key twice, once escaped', text: '{"a":1,"\\u0061":2}', expect: 'json.duplicate-key' },
  {
    name: 'a key twice, once with an escaped slash',
    text: '{"a/b":1,"a\\/b":2}',
    expect: 'json.duplicate-key',
  },
  {
    name: 'an escaped pair of surrogates twice',
    text: '{"😀":1,"\\uD83D\\uDE00":2}',
    expect: 'json.duplicate-key',
  },
  { name: '__proto__ twice', text: '{"__proto__":1,"__proto__":2}', expect: 'json.duplicate-key' },
  {
    name: '__proto__ twice, once escaped',
    text: '{"__proto__":{},"\\u005f_proto__":{}}',
    expect: 'json.duplicate-key',
  },
  {
    name: 'a key twice, deep in arrays',
    text: '[[{"a":[{"b":0,"c":1,"b":2}]}]]',
    expect: 'json.duplicate-key',
  },
  {
    name: 'a key twice, of which one is dropped with others',
    text: '{"a":{"x":1,"y":2},"a":{"z":{}}}',
    expect: 'json.duplicate-key',
  },
  { name: 'an empty key twice', text: '{"":1,"":2}', expect: 'json.duplicate-key' },
  { name: 'an index twice', text: '{"1":1,"1":2}', expect: 'json.duplicate-key' },
  { name: 'a key that is a lone surrogate', text: '{"\\ud800":1}', expect: 'json.malformed' },
  {
    name: 'two keys that other readers take for one',
    text: '[{"a\\uDC00":1,"a\\uDC01":2}]',
    expect: 'json.malformed',
  },
  { name: 'a byte-order mark', text: '\ufeff{}', expect: 'json.malformed' },
  { name: 'bytes after the value', text: '{}x', expect: 'json.malformed' },
  { name: 'two values', text: '{} {}', expect: 'json.malformed' },
  { name: 'a NUL after the value', text: '{}\0', expect: 'json.malformed' },
  { name: 'NaN', text: '{"a":NaN}', expect: 'json.malformed' },
  { name: 'Infinity', text: '[-Infinity]', expect: 'json.malformed' },
  { name: 'a leading zero', text: '[01]', expect: 'json.malformed' },
  { name: 'a plus sign', text: '[+1]', expect: 'json.malformed' },
  { name: 'a hexadecimal number', text: '[0x1]', expect: 'json.malformed' },
  { name: 'a trailing comma', text: '{"a":1,}', expect: 'json.malformed' },
  { name: 'a comment', text: '{/* */}', expect: 'json.malformed' },
  { name: 'single quotes', text: "{'a':1}", expect: 'json.malformed' },
  { name: 'a bare key', text: '{a:1}', expect: 'json.malformed' },
  { name: 'a raw line break in a string', text: '"a\nb"', expect: 'json.malformed' },
  { name: 'an open string', text: '{"a":"b', expect: 'json.malformed' },
  { name: 'a string that ends in a backslash', text: '"\\', expect: 'json.malformed' },
  { name: 'an open object', text: '{"a":1', expect: 'json.malformed' },
  { name: 'nothing', text: '', expect: 'json.malformed' },
  { name: 'white space of another kind', text: '\u00a0{}', expect: 'json.malformed' },
  { name: '65 levels', text: '['.repeat(65) + ']'.repeat(65), expect: 'json.limit' },
  { name: '100,000 levels of objects', text: '{"a":'.repeat(100_000), expect: 'json.limit' },
] as const;

for (const { name, text, expect } of REFUSED) {
  test(`JSON with ${name} is refused`, () => {
    assert.throws(() => parseJson(bytesOf(text), 'document'), { code: expect });
  });
}

const NOT_UTF8 = [
  { name: 'a lone continuation', bytes: [0x22, 0x80, 0x22] },
  { name: 'an overlong slash', bytes: [0x22, 0xc0, 0xaf, 0x22] },
  { name: 'an encoded surrogate', bytes: [0x22, 0xed, 0xa0, 0x80, 0x22] },
  { name: 'a cut character', bytes: [0x22, 0xe2, 0x82, 0x22] },
  { name: 'a point above U+10FFFF', bytes: [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22] },
  { name: 'UTF-16', bytes: [0xff, 0xfe, 0x22, 0x00, 0x22, 0x00] },
] as const;

for (const { name, bytes } of NOT_UTF8) {
  test(`JSON with ${name} is refused`, () => {
    assert.throws(() => parseJson(Uint8Array.from(bytes), 'document'), { code: 'json.malformed' });
  });
}

test('__proto__ is an ordinary member and changes no prototype', () => {
  const value = parseJson(bytesOf('{"__proto__":{"polluted":true}}'), 'document');
  assert.ok(typeof value === 'object' && value !== null);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
  assert.deepEqual(Object.keys(value), ['__proto__']);
  assert.equal('polluted' in value, false);
});

test('limits are inclusive and are the caller’s', () => {
  assert.equal(parseJson(bytesOf('"ab"'), 'document', { maxBytes: 4 }), 'ab');
  const cases = [
    { text: '"abc"', limits: { maxBytes: 4 } },
    { text: '"é"', limits: { maxBytes: 3 } },
    { text: '[[]]', limits: { maxDepth: 1 } },
  ];
  for (const { text, limits } of cases) {
    assert.throws(() => parseJson(bytesOf(text), 'document', limits), { code: 'json.limit' });
  }
  assert.throws(() => parseJson(new Uint8Array((4 << 20) + 1), 'document'), { code: 'json.limit' });
});

test('what JSON.stringify writes is read back', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = JSON.stringify(value);
      fc.pre(value !== undefined && text.isWellFormed());
      assert.deepEqual(parseJson(bytesOf(text), 'document'), JSON.parse(text));
    }),
  );
});

test('an object in which one member is repeated is refused, wherever it stands', () => {
  const key = fc.oneof(fc.constantFrom('a', '__proto__', ':', '"', '\\', '{"a":1}'), fc.string());
  const entry = fc.tuple(key, fc.jsonValue({ maxDepth: 2 }));
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1 }),
      fc.nat(),
      fc.boolean(),
      (entries, at, spelled) => {
        const repeated = entries[at % entries.length] ?? entries[0];
        const members = [...entries, repeated].map(
          ([name, value] = ['', 0], index) =>
            `${index === entries.length && spelled ? escaped(name) : JSON.stringify(name)}:${JSON.stringify(value)}`,
        );
        assert.throws(() => parseJson(bytesOf(`[{${members.join()}}]`), 'document'), TrustFault);
      },
    ),
  );
});

function escaped(name: string): string {
  const units = name.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
}

test('no bytes throw anything but a fault, and only JSON.parse’s texts pass', () => {
  const near = fc
    .array(fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', '\\"', 'a', '1', 'null', ' '))
    .map((parts) => bytesOf(parts.join('')));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), near), (bytes) => {
      try {
        const value = parseJson(bytes, 'document');
        assert.deepEqual(value, JSON.parse(Buffer.from(bytes).toString()));
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
