import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import { parsePolicyTest } from '@bulla/trust/policy/cases/parse';
import fc from 'fast-check';
import { violations } from '../../../../../journeys/json-schema.ts';

const SCHEMA = JSON.parse(
  readFileSync(
    new URL('../../../../../docs/schemas/policy-test.schema.json', import.meta.url),
    'utf8',
  ),
);
const HASH = `sha256:${'a'.repeat(64)}`;

const WHOLE = `policy: [../a.yaml, ../b]
trustRoots: { acme: roots/acme.json }
cases:
  - name: an image
    image: oci:images/app:v1
    as: Registry.Example/prod/app:v1
    surface: pull
    namespace: shop
    environment: eu
    platform: linux/arm64
    at: 2026-11-21T12:00:00Z
    rollback: { newer: "${HASH}", since: 2026-11-20T12:00:00Z }
    exceptions: [exceptions/late.json, ../all]
    expect: { outcome: admit, effect: warn, code: tag.rollback, policy: prod }
  - name: its evidence
    dossier: evidence.jsonl
    digest: "${HASH}"
    as: registry.example/prod/app:v1
    expect: deny
`;

const SMALL = `policy: p.yaml
cases:
  - { name: one, image: nginx, expect: admit }
`;

function parse(text: string) {
  return parsePolicyTest(Buffer.from(text), 'a.test.yaml');
}

function schemaViolations(text: string): readonly string[] {
  const [document] = parseYamlDocuments(Buffer.from(text), 'a', 'policy.test-malformed').documents;
  return document === undefined ? ['nothing'] : violations(SCHEMA, plainValue(document));
}

test('every field of a file is read', () => {
  const { test: parsed, problems } = parse(WHOLE);
  assert.deepEqual(problems, []);
  assert.deepEqual(schemaViolations(WHOLE), []);
  assert.deepEqual(parsed?.policies, ['../a.yaml', '../b']);
  assert.deepEqual({ ...parsed?.trustRoots }, { acme: 'roots/acme.json' });
  assert.deepEqual(
    parsed?.cases.map((one) => ({ ...one, expect: { ...one.expect } })),
    [
      {
        name: 'an image',
        subject: { kind: 'image', reference: 'oci:images/app:v1' },
        as: 'Registry.Example/prod/app:v1',
        surface: 'pull',
        namespace: 'shop',
        environment: 'eu',
        platform: 'linux/arm64',
        at: new Date('2026-11-21T12:00:00Z'),
        rollback: { newer: HASH, newerSince: new Date('2026-11-20T12:00:00Z') },
        exceptions: ['exceptions/late.json', '../all'],
        expect: { outcome: 'admit', effect: 'warn', code: 'tag.rollback', policy: 'prod' },
      },
      {
        name: 'its evidence',
        subject: { kind: 'dossier', file: 'evidence.jsonl', digest: HASH },
        as: 'registry.example/prod/app:v1',
        surface: 'gate',
        namespace: null,
        environment: null,
        platform: null,
        at: null,
        rollback: null,
        exceptions: [],
        expect: { outcome: 'deny', effect: 'deny', code: null, policy: null },
      },
    ],
  );
});

test('a word says outcome and effect', () => {
  for (const [word, outcome, effect] of [
    ['admit', 'admit', 'pass'],
    ['warn', 'admit', 'warn'],
    ['audit', 'admit', 'audit'],
    ['deny', 'deny', 'deny'],
  ]) {
    const { expect } = parse(SMALL.replace('admit', word ?? '')).test?.cases[0] ?? {};
    assert.deepEqual({ ...expect }, { outcome, effect, code: null, policy: null });
  }
});

/** Each with its line and column, and whether the published schema can say it too. */
const WRONG: readonly (readonly [string, string, string, boolean])[] = [
  ['nothing', '', '1:1', true],
  ['no YAML', 'a: [', '1:5', true],
  ['two documents', `${SMALL}---\n${SMALL}`, '5:1', false],
  ['no policy', SMALL.replace('policy: p.yaml\n', ''), '1:1', true],
  ['an empty list of policies', SMALL.replace('p.yaml', '[]'), '1:9', false],
  ['no cases', SMALL.replace(/cases:[\s\S]*/, ''), '1:1', true],
  ['an empty list of cases', SMALL.replace(/cases:[\s\S]*/, 'cases: []\n'), '2:8', false],
  ['an unknown field', SMALL.replace('policy:', 'polices: a\npolicy:'), '1:1', true],
  ['an unknown field of a case', SMALL.replace('image:', 'imag: a, image:'), '3:18', true],
  ['no name', SMALL.replace('name: one, ', ''), '3:5', true],
  ['a name twice', `${SMALL}  - { name: one, image: b, expect: deny }\n`, '3:3', false],
  ['neither image nor dossier', SMALL.replace('image: nginx, ', ''), '3:5', false],
  ['image and dossier', SMALL.replace('image:', 'as: a, dossier: a, image:'), '3:5', false],
  ['a digest beside an image', SMALL.replace('image:', `digest: "${HASH}", image:`), '3:5', false],
  ['a dossier without a reference', SMALL.replace('image: nginx', 'dossier: a'), '3:5', false],
  [
    'a platform of a dossier',
    SMALL.replace('image: nginx', 'dossier: a, as: a, platform: linux/arm64'),
    '3:5',
    false,
  ],
  ['no reference', SMALL.replace('nginx', '"a b"'), '3:25', false],
  ['a layout for policies', SMALL.replace('image:', 'as: "oci:a", image:'), '3:22', false],
  ['another surface', SMALL.replace('image:', 'surface: door, image:'), '3:27', true],
  [
    'a day that is none',
    SMALL.replace('image:', 'at: 2026-02-30T00:00:00Z, image:'),
    '3:22',
    false,
  ],
  [
    'an instant without zone',
    SMALL.replace('image:', 'at: 2026-02-03T00:00:00, image:'),
    '3:22',
    true,
  ],
  ['another word', SMALL.replace('admit', 'refuse'), '3:40', true],
  ['another outcome', SMALL.replace('admit', '{ outcome: warn }'), '3:51', true],
  [
    'an unknown code',
    SMALL.replace('admit', '{ outcome: deny, code: signature.non }'),
    '3:63',
    false,
  ],
  [
    'half of a rollback',
    SMALL.replace('image:', `rollback: { newer: "${HASH}" }, image:`),
    '3:28',
    true,
  ],
];

for (const [name, text, place, inSchema] of WRONG) {
  test(`no test is made of ${name}, and its place is named`, () => {
    const { test: parsed, problems } = parse(text);
    assert.equal(parsed, null);
    const [first] = problems;
    assert.equal(first?.code, 'policy.test-malformed');
    assert.equal(`${first.place.line}:${first.place.column}`, place, first.message);
    if (inSchema) assert.notDeepEqual(schemaViolations(text), []);
  });
}

test('a misspelt code names the nearest', () => {
  const { problems } = parse(SMALL.replace('admit', '{ outcome: deny, code: signature.non }'));
  assert.match(problems[0]?.message ?? '', /did you mean "signature\.none"\?/);
});

test('no input throws, and what is read has a case', () => {
  const pieces = fc.constantFrom(
    ...['policy: a\n', 'cases:\n', '  - name: a\n', '    image: a\n', '    expect: ', 'admit\n'],
    ...[
      '{ outcome: deny }\n',
      '---\n',
      '    at: 2026\n',
      'x',
      '[',
      '&a ',
      '\u0000',
      '    dossier: b\n',
    ],
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const { test: parsed, problems } = parse(parts.join(''));
      assert.equal(parsed === null, problems.length > 0);
      if (parsed !== null) assert.ok(parsed.cases.length > 0);
    }),
  );
});
