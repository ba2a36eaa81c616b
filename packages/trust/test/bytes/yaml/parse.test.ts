import assert from 'node:assert/strict';
import test from 'node:test';
import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { problemLine } from '@bulla/trust/bytes/yaml/problem';
import fc from 'fast-check';

function read(text: string | Uint8Array) {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  return parseYamlDocuments(bytes, 'file.yaml', 'policy.malformed');
}

const READ = [
  {
    name: 'a map',
    text: 'a: 1\nb: [x, true, null, 1.5]\n',
    expect: [{ a: 1, b: ['x', true, null, 1.5] }],
  },
  { name: 'JSON', text: '{"a": {"b": [1, "x"]}}', expect: [{ a: { b: [1, 'x'] } }] },
  { name: 'JSON indented by tabs', text: '{\n\t"a": [\n\t\t1\n\t]\n}\n', expect: [{ a: [1] }] },
  { name: 'two documents', text: 'a: 1\n---\nb: 2\n', expect: [{ a: 1 }, { b: 2 }] },
  {
    name: 'documents of which some are empty',
    text: '---\n---\na: 1\n---\n# only this\n',
    expect: [{ a: 1 }],
  },
  { name: 'nothing', text: '', expect: [] },
  { name: 'comments only', text: '# nothing\n', expect: [] },
  {
    name: 'words that YAML 1.1 takes for booleans',
    text: '[yes, no, on, off, y]',
    expect: [['yes', 'no', 'on', 'off', 'y']],
  },
  { name: 'text that looks like a date', text: 'a: 2026-01-01', expect: [{ a: '2026-01-01' }] },
  { name: 'a block of text', text: 'a: |\n  x\n  y\n', expect: [{ a: 'x\ny\n' }] },
  {
    name: '__proto__ as a key',
    text: '{"__proto__": 1}',
    expect: [JSON.parse('{"__proto__": 1}')],
  },
  { name: 'a byte-order mark', text: '\ufeffa: 1', expect: [{ a: 1 }] },
  { name: 'a merge sign in quotes', text: '"<<": 1', expect: [{ '<<': 1 }] },
  { name: 'windows line ends', text: 'a: 1\r\nb: 2\r\n', expect: [{ a: 1, b: 2 }] },
  { name: 'an ampersand within text', text: 'a: x&y *z !w', expect: [{ a: 'x&y *z !w' }] },
] as const;

for (const { name, text, expect } of READ) {
  test(`YAML with ${name} is read`, () => {
    const { documents, problems } = read(text);
    assert.deepEqual(problems.map(problemLine), []);
    assert.deepEqual(JSON.parse(JSON.stringify(documents.map(plainValue))), expect);
  });
}

/** Line and column of the first problem. */
const REFUSED = [
  { name: 'a key twice', text: 'a: 1\nb: 2\na: 3\n', at: '3:1', says: /line 1/ },
  { name: 'a key twice, once in quotes', text: 'a: 1\n"a": 3\n', at: '2:1', says: /once/ },
  {
    name: 'a key twice in JSON, once escaped',
    text: '{"a": 1, "\\u0061": 2}',
    at: '1:10',
    says: /once/,
  },
  { name: 'an anchor', text: 'a: &x 1\n', at: '1:4', says: /anchor/ },
  { name: 'an anchor on a map', text: 'a: &x\n  b: 1\n', at: '1:4', says: /anchor/ },
  { name: 'an anchor on a key', text: '&x a: 1\n', at: '1:1', says: /anchor/ },
  { name: 'an alias', text: 'a: 1\nb: *x\n', at: '2:4', says: /alias/ },
  { name: 'an alias as a key', text: '*x : 1\n', at: '1:1', says: /alias/ },
  { name: 'a merge key', text: 'a:\n  <<: {b: 1}\n', at: '2:3', says: /merge/ },
  { name: 'a tag', text: 'a: !!str 1\n', at: '1:4', says: /tag/ },
  { name: 'a local tag on a list', text: 'a: !x [1]\n', at: '1:4', says: /tag/ },
  { name: 'a directive', text: '%YAML 1.1\n---\na: yes\n', at: '1:1', says: /directive/ },
  {
    name: 'a directive after a document',
    text: 'a: 1\n...\n%YAML 1.1\n---\na: yes\n',
    at: '3:1',
    says: /directive/,
  },
  { name: 'a number as a key', text: 'a: 1\n1: 2\n', at: '2:1', says: /key/ },
  { name: 'a map as a key', text: '? {a: 1}\n: 2\n', at: '1:3', says: /key/ },
  { name: 'null as a key', text: 'a:\n  : 2\n', at: '2:3', says: /key/ },
  { name: 'NaN', text: 'a: .nan\n', at: '1:4', says: /finite/ },
  { name: 'an infinity', text: 'a: -.inf\n', at: '1:4', says: /finite/ },
  { name: 'a number beyond doubles', text: 'a: 1e999\n', at: '1:4', says: /finite/ },
  {
    name: 'a whole number that doubles round',
    text: 'a: 9007199254740993\n',
    at: '1:4',
    says: /2\^53/,
  },
  { name: 'half of a surrogate pair', text: 'a: "\\ud800"\n', at: '1:4', says: /surrogate/ },
  { name: 'a text that is not closed', text: 'a: "x\nb: 1\n', at: '3:1', says: /YAML/ },
  { name: 'a list that is not closed', text: 'a: [x, y\n', at: '2:1', says: /YAML/ },
  {
    name: 'indentation that leads nowhere',
    text: 'a:\n    b: 1\n  c: 2\n',
    at: '3:1',
    says: /YAML/,
  },
  { name: 'two values in one line', text: 'a: b: c\n', at: '1:4', says: /YAML/ },
  { name: 'a control character', text: 'a: "x\u0007"\n', at: '1:6', says: /printable/ },
  {
    name: 'a hidden change of direction',
    text: 'a: x # \u202egnihton\n',
    at: '1:8',
    says: /printable/,
  },
  { name: 'a line that ends in CR alone', text: 'a: 1 # b\rc: 2\n', at: '1:9', says: /printable/ },
  { name: 'a line end of YAML 1.1', text: 'a: 1 # b\u2028c: 2\n', at: '1:9', says: /printable/ },
  { name: 'a byte-order mark within', text: 'a: 1\n\ufeffb: 2\n', at: '2:1', says: /printable/ },
  {
    name: '65 levels',
    text: `a: ${'['.repeat(64)}${']'.repeat(64)}`,
    at: '1:67',
    says: /64 levels/,
  },
  {
    name: '100,000 levels that are not closed',
    text: '['.repeat(100_000),
    at: '1:65',
    says: /64 levels/,
  },
  { name: '100,000 levels of dashes', text: '- '.repeat(100_000), at: '1:129', says: /64 levels/ },
  { name: 'too many values', text: `[${'a,'.repeat(100_001)}]`, at: '1:1', says: /100000 values/ },
  {
    name: 'too many documents',
    text: '--- a\n'.repeat(50_001),
    at: '33334:1',
    says: /100000 values/,
  },
  {
    name: 'bytes that are not UTF-8',
    text: Buffer.from([0x61, 0x3a, 0x20, 0xff]),
    at: '1:1',
    says: /UTF-8/,
  },
  { name: 'more than 1 MiB', text: `# ${'x'.repeat(1 << 20)}`, at: '1:1', says: /bytes/ },
] as const;

for (const { name, text, at, says } of REFUSED) {
  test(`YAML with ${name} is refused at its place`, () => {
    const [problem] = read(text).problems;
    assert.ok(problem !== undefined);
    assert.equal(problem.severity, 'error');
    assert.equal(problem.code, 'policy.malformed');
    assert.match(problem.message, says);
    assert.equal(`${problem.place.line}:${problem.place.column}`, at);
  });
}

test('several mistakes of one file are all reported', () => {
  const { problems } = read('a: 1\na: 2\n3: x\nb: .nan\n');
  assert.deepEqual(
    problems.map(({ place }) => place.line),
    [2, 3, 4],
  );
});

test('values know line, column and path', () => {
  const { documents } = read(
    'spec:\n  require:\n    all:\n      - signed: { of: [a, "b c"] }\n    "x.y": 1\n',
  );
  const places: string[] = [];
  JSON.stringify(documents[0], (key, value) => {
    if (key === 'place') places.push(`${value.line}:${value.column} ${value.path}`);
    return value;
  });
  for (const place of [
    '1:1 ',
    '2:3 spec.require',
    '4:9 spec.require.all[0]',
    '4:17 spec.require.all[0].signed',
    '4:23 spec.require.all[0].signed.of',
    '4:27 spec.require.all[0].signed.of[1]',
    '5:5 spec.require["x.y"]',
  ]) {
    assert.ok(places.includes(place), `${place} in ${places.join(', ')}`);
  }
});

test('what a file of hostile text says stays in one line without controls', () => {
  for (const { problems } of [
    read('"\\u001b[31m\\n": 1\n"\\u001b[31m\\n": 2'),
    read('a: @\u009b\n'),
  ]) {
    assert.ok(problems.length > 0);
    for (const problem of problems) assert.doesNotMatch(problemLine(problem), /\p{Cc}/u);
  }
});

const fragment = fc.constantFrom(
  ...'- |: |a|"|\'|[|]|{|}|,|\n|\n  |\t|#|&a |*a |!t |---\n|...\n|%|?|>|\\|1|.nan|<<: |~|\u0000|é|\r'.split(
    '|',
  ),
  '|',
);

test('no input makes the reader of YAML throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ unit: 'binary', maxLength: 100 }).map((text) => Buffer.from(text)),
        fc.array(fragment, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
      ),
      (bytes) => {
        const { documents, problems } = read(bytes);
        assert.ok(documents.every((node) => plainValue(node) !== undefined));
        for (const problem of problems) assert.ok(!problemLine(problem).includes('\n'));
      },
    ),
    { numRuns: 2000 },
  );
});

test('every JSON text of printable strings is read as JSON.parse reads it', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.maxSafeInteger(),
        fc.float({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
      ),
      fc.array(tie('value'), { maxLength: 5 }),
      fc.dictionary(fc.string(), tie('value'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(value, fc.constantFrom(0, 2, '\t'), (made, indent) => {
      const text = JSON.stringify(made, null, indent);
      fc.pre(!/\d{16,}|e\+/.test(text));
      const { documents, problems } = read(text);
      assert.deepEqual(problems, []);
      assert.deepEqual(JSON.parse(JSON.stringify(documents.map(plainValue))), [JSON.parse(text)]);
    }),
    { numRuns: 1000 },
  );
});
