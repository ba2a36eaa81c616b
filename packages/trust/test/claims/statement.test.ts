import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { buildStatement, parseStatement, subjectWithDigest } from '@bulla/trust/claims/statement';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { mutationsOf } from '../sigstore-lab/mutations.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const GOOD = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [
    { name: 'app', digest: { sha256: 'a'.repeat(64) }, annotations: { env: 'prod', n: 1 } },
  ],
  predicateType: 'https://example.dev/x',
  predicate: { ok: true },
};

const parse = (document: unknown) => parseStatement(utf8(JSON.stringify(document)), 'a test');

function codeOf(document: unknown): string | null {
  try {
    parse(document);
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
  { name: 'v1', document: GOOD, code: null },
  { name: 'v0.1', document: { ...GOOD, _type: 'https://in-toto.io/Statement/v0.1' }, code: null },
  {
    name: 'no predicate (cosign 3.0.0 to 3.0.4)',
    document: { ...GOOD, predicate: undefined },
    code: null,
  },
  { name: 'unknown members', document: { ...GOOD, more: 1 }, code: null },
  {
    name: 'a subject without a name',
    document: { ...GOOD, subject: [{ digest: { sha256: 'ab' } }] },
    code: null,
  },
  {
    name: 'a subject by a git commit',
    document: { ...GOOD, subject: [{ digest: { gitCommit: 'AB' } }] },
    code: null,
  },
  {
    name: 'another version',
    document: { ...GOOD, _type: 'https://in-toto.io/Statement/v2' },
    code: 'statement.malformed',
  },
  { name: 'no type', document: { ...GOOD, _type: undefined }, code: 'statement.malformed' },
  { name: 'no subject', document: { ...GOOD, subject: [] }, code: 'statement.malformed' },
  {
    name: 'no list of subjects',
    document: { ...GOOD, subject: undefined },
    code: 'statement.malformed',
  },
  {
    name: 'a subject without a digest',
    document: { ...GOOD, subject: [{ name: 'x' }] },
    code: 'statement.malformed',
  },
  {
    name: 'a digest in upper case',
    document: { ...GOOD, subject: [{ digest: { sha256: 'AB' } }] },
    code: 'statement.malformed',
  },
  {
    name: 'a digest that is no hex',
    document: { ...GOOD, subject: [{ digest: { sha512: 'x' } }] },
    code: 'statement.malformed',
  },
  {
    name: 'a digest that is a number',
    document: { ...GOOD, subject: [{ digest: { sha256: 7 } }] },
    code: 'statement.malformed',
  },
  {
    name: 'no predicate type',
    document: { ...GOOD, predicateType: undefined },
    code: 'statement.malformed',
  },
  {
    name: 'too many subjects',
    document: { ...GOOD, subject: Array.from({ length: 10_001 }, () => GOOD.subject[0]) },
    code: 'statement.malformed',
  },
  { name: 'a list', document: [], code: 'statement.malformed' },
];

for (const { name, document, code } of ROWS) {
  test(`a statement with ${name}: ${code ?? 'read'}`, () => assert.equal(codeOf(document), code));
}

test('a subject is found by its own algorithm only', () => {
  const two = parse({
    ...GOOD,
    subject: [{ digest: { sha512: 'a'.repeat(64) } }, { digest: { sha256: 'a'.repeat(64) } }],
  });
  assert.equal(subjectWithDigest(two, DIGEST), two.subjects[1]);
  assert.equal(subjectWithDigest(two, `sha256:${'b'.repeat(64)}`), null);
  for (const odd of ['', ':', 'sha256:', 'constructor:x', '__proto__:x', 'toString:']) {
    assert.equal(subjectWithDigest(two, odd), null, odd);
  }
});

test('annotations that are no strings are not there to be asked for', () => {
  assert.deepEqual({ ...parse(GOOD).subjects[0]?.annotations }, { env: 'prod' });
});

test('what is built is read back', () => {
  const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
  fc.assert(
    fc.property(
      fc.array(fc.record({ name: fc.string(), hex }, { noNullPrototype: true }), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.webUrl(),
      fc.jsonValue(),
      (subjects, predicateType, predicate) => {
        const bytes = buildStatement({
          subjects: subjects.map((one) => ({ name: one.name, digest: `sha256:${one.hex}` })),
          predicateType,
          predicate,
        });
        const read = parseStatement(bytes, 'a test');
        assert.deepEqual(
          read.subjects.map((one) => ({ name: one.name, hex: one.digest['sha256'] })),
          subjects,
        );
        assert.equal(read.predicateType, predicateType);
        // JSON has no negative zero.
        assert.deepEqual(read.predicate, JSON.parse(JSON.stringify(predicate)));
      },
    ),
    { numRuns: 200 },
  );
});

test('no input throws anything but TrustFault', () => {
  const never = (bytes: Uint8Array) => {
    try {
      parseStatement(bytes, 'a test');
    } catch (error) {
      assert.ok(error instanceof TrustFault && error.code !== 'internal.defect', String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), never));
  fc.assert(fc.property(fc.json(), (text) => never(utf8(text))));
  for (const { document } of mutationsOf(GOOD, { _type: 'x', subject: [7], predicateType: [] })) {
    never(utf8(JSON.stringify(document)));
  }
});
