import assert from 'node:assert/strict';
import test from 'node:test';
import { optional, readFields, required } from '@bulla/trust/bytes/yaml/fields';
import { nearestWord } from '@bulla/trust/bytes/yaml/nearest';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { durationMsOf, sizeBytesOf } from '@bulla/trust/bytes/yaml/quantity';
import {
  addProblem,
  addWarning,
  integerOf,
  keysOf,
  listOf,
  memberOf,
  oneOf,
  type Read,
  readBoolean,
  readDocument,
  readString,
  readText,
  recordOf,
  textOf,
} from '@bulla/trust/bytes/yaml/read';

function readFrom<T>(text: string, read: Read<T>) {
  const [node] = parseYamlDocuments(Buffer.from(text), 'f.yaml', 'policy.malformed').documents;
  assert.ok(node !== undefined);
  return readDocument(node, 'policy.malformed', read);
}

/** `expect` is the value, or the message of the one problem. */
const CASES: readonly {
  readonly name: string;
  readonly read: Read<unknown>;
  readonly text: string;
  readonly expect: unknown;
}[] = [
  { name: 'a string', read: readString, text: '"x"', expect: 'x' },
  { name: 'an empty string', read: readString, text: '""', expect: '' },
  {
    name: 'a number as a string',
    read: readString,
    text: '5',
    expect: /expected text .* found 5; put it in quotes/,
  },
  { name: 'empty text', read: readText, text: '""', expect: /not empty/ },
  { name: 'text of a form', read: textOf(/^[a-z]+$/, 'small letters'), text: 'abc', expect: 'abc' },
  {
    name: 'text of another form',
    read: textOf(/^[a-z]+$/, 'small letters'),
    text: 'aBc',
    expect: /small letters as the document, found "aBc"/,
  },
  { name: 'a boolean', read: readBoolean, text: 'true', expect: true },
  {
    name: 'yes as a boolean',
    read: readBoolean,
    text: 'yes',
    expect: /true or false .* found "yes"/,
  },
  { name: 'a number', read: integerOf(1, 9), text: '9', expect: 9 },
  { name: 'a number above', read: integerOf(1, 9), text: '10', expect: /from 1 to 9 .* found 10/ },
  { name: 'a number below', read: integerOf(1), text: '0', expect: /at least 1/ },
  { name: 'a fraction', read: integerOf(1, 9), text: '1.5', expect: /whole/ },
  { name: 'a number in quotes', read: integerOf(1, 9), text: '"5"', expect: /whole/ },
  { name: 'a word', read: oneOf(['enforce', 'warn']), text: 'warn', expect: 'warn' },
  {
    name: 'a word nearly',
    read: oneOf(['enforce', 'warn']),
    text: 'enforced',
    expect: /one of enforce, warn .* found "enforced" \(did you mean "enforce"\?\)/,
  },
  {
    name: 'another word',
    read: oneOf(['enforce', 'warn']),
    text: 'zzz',
    expect: /one of enforce, warn as the document, found "zzz"$/,
  },
  { name: 'a list', read: listOf(readString), text: '[a, b]', expect: ['a', 'b'] },
  {
    name: 'a list with a wrong item',
    read: listOf(readString),
    text: '[a, 1]',
    expect: /at \[1\]/,
  },
  {
    name: 'a list too short',
    read: listOf(readString, { min: 1 }),
    text: '[]',
    expect: /at least 1/,
  },
  {
    name: 'a list too long',
    read: listOf(readString, { max: 1 }),
    text: '[a, b]',
    expect: /at most 1/,
  },
  {
    name: 'a map as a list',
    read: listOf(readString),
    text: '{a: b}',
    expect: /a list .* found a map/,
  },
  { name: 'a record', read: recordOf(integerOf(0)), text: '{a: 1}', expect: { a: 1 } },
  {
    name: 'null as a record',
    read: recordOf(readString),
    text: '~',
    expect: /a map .* found null/,
  },
  { name: 'a time in days', read: durationMsOf(), text: '7d', expect: 7 * 86_400_000 },
  { name: 'a time in milliseconds', read: durationMsOf(), text: '500ms', expect: 500 },
  { name: 'a time without a unit', read: durationMsOf(), text: '15', expect: /with its unit/ },
  { name: 'a time in two units', read: durationMsOf(), text: '1h30m', expect: /a time such as/ },
  { name: 'no time', read: durationMsOf(), text: '0s', expect: /from 1ms to 3650d/ },
  {
    name: 'a time above the bound',
    read: durationMsOf({ maxMs: 60_000 }),
    text: '61s',
    expect: /to 1m/,
  },
  { name: 'a size', read: sizeBytesOf(), text: '64MiB', expect: 64 << 20 },
  { name: 'a size of thousands', read: sizeBytesOf(), text: '64MB', expect: /a size such as/ },
];

for (const { name, read, text, expect } of CASES) {
  test(`${name} is read or refused`, () => {
    const { value, problems } = readFrom(text, read);
    if (!(expect instanceof RegExp)) {
      assert.deepEqual(problems, []);
      assert.deepEqual(JSON.parse(JSON.stringify(value)), expect);
      return;
    }
    assert.equal(value, null);
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? '', expect);
  });
}

const PERSON = {
  name: required(readText),
  age: optional(integerOf(0, 150), 0),
  colours: optional(listOf(oneOf(['red', 'green']), { min: 1 }), null),
};
const readPerson: Read<unknown> = (at) => readFields(at, PERSON, 'policy.unknown-field');

test('a map is read by its table of fields, with defaults', () => {
  const { value } = readFrom('{name: x}', readPerson);
  assert.deepEqual({ ...Object(value) }, { name: 'x', age: 0, colours: null });
});

test('a map with many mistakes shows each of them at its place, in the order of the text', () => {
  const text = 'colors: [red]\nage: 200\ncolours: [gren, blue]\n';
  const { value, problems } = readFrom(text, readPerson);
  assert.equal(value, null);
  assert.deepEqual(
    problems.map(({ place, code }) => `${place.line}:${place.column} ${place.path} ${code}`),
    [
      '1:1 colors policy.unknown-field',
      '1:1 name policy.malformed',
      '2:6 age policy.malformed',
      '3:11 colours[0] policy.malformed',
      '3:17 colours[1] policy.malformed',
    ],
  );
  assert.match(problems[0]?.message ?? '', /did you mean "colours"/);
  assert.match(problems[1]?.message ?? '', /at name, found nothing/);
});

test('a field that is there as null does not take the default', () => {
  assert.equal(readFrom('name: x\nage:\n', readPerson).value, null);
});

test('keys that every object has are unknown fields too', () => {
  const { problems } = readFrom('name: x\n__proto__: 1\nconstructor: 2\ntoString: 3\n', readPerson);
  assert.deepEqual(
    problems.map(({ place }) => place.line),
    [2, 3, 4],
  );
});

test('an error without a failing read refuses the document, a warning does not', () => {
  const warned = readFrom('{name: x}', (at) => {
    addWarning(memberOf(at, 'name'), 'policy.authority-unused', 'a remark');
    return keysOf(at);
  });
  assert.deepEqual(warned.value, ['name']);
  assert.equal(warned.problems[0]?.severity, 'warning');
  const refused = readFrom('{name: x}', (at) => {
    addProblem(at, 'a mistake', { code: 'policy.file', remedy: 'mend it' });
    return 'value';
  });
  assert.equal(refused.value, null);
  assert.equal(refused.problems[0]?.code, 'policy.file');
  assert.equal(refused.problems[0]?.remedy, 'mend it');
});

const NEAR = [
  { found: 'exlude', expect: 'exclude' },
  { found: 'Exclude', expect: 'exclude' },
  { found: 'iamges', expect: 'images' },
  { found: 'excludes', expect: 'exclude' },
  { found: 'x', expect: null },
  { found: 'authority', expect: null },
  { found: '', expect: null },
  { found: 'i'.repeat(65), expect: null },
] as const;

for (const { found, expect } of NEAR) {
  test(`the word nearest to "${found.slice(0, 10)}" is ${expect}`, () => {
    assert.equal(nearestWord(found, ['images', 'exclude', 'surfaces']), expect);
  });
}
