import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNodeAnswer, parseVerifierRequest } from '@bulla/server/node-agent/parse';
import { TrustFault } from '@bulla/trust/fault/fault';
import fc from 'fast-check';
import { faultOf } from '../storage/expectations.ts';
import { DESCRIPTOR, DIGEST, descriptorOf, lineOf, NAME, OTHER, passOf, RUN_INPUT } from './kit.ts';

test('what containerd asks at a pull is read', () => {
  const expected = { name: NAME, digest: DIGEST, operation: 'pull' };
  assert.deepEqual(parseVerifierRequest(lineOf()), expected);
});

test('and what it asks before a run, whose annotations say nothing', () => {
  const input = {
    descriptor: descriptorOf(),
    operation: 'run',
    annotations: { 'io.kubernetes.cri.image-name': 'registry.example/trusted' },
  };
  for (const operation of ['', 'run']) {
    const read = parseVerifierRequest(lineOf({ type: RUN_INPUT, input, operation }));
    assert.deepEqual(read, { name: NAME, digest: DIGEST, operation: 'run' });
  }
});

test('a descriptor may have more members, and a name the digest itself', () => {
  const input = { ...descriptorOf(), annotations: { a: 'b' }, platform: { os: 'linux' } };
  const name = `${NAME}@${DIGEST}`;
  assert.equal(parseVerifierRequest(lineOf({ input, name })).name, name);
});

const MISMATCH = 'node.digest-mismatch';
const INVALID = 'node.request-invalid';
const REFUSED: readonly {
  readonly name: string;
  readonly line: Uint8Array;
  readonly code: 'node.digest-mismatch' | 'node.request-invalid';
}[] = [
  { name: 'nothing', line: Buffer.alloc(0), code: INVALID },
  { name: 'no JSON', line: Buffer.from('{"v":1'), code: INVALID },
  {
    name: 'two lines',
    line: Buffer.concat([lineOf(), Buffer.from('\n'), lineOf()]),
    code: INVALID,
  },
  { name: 'null', line: Buffer.from('null'), code: INVALID },
  { name: 'a list', line: Buffer.from('[]'), code: INVALID },
  { name: 'another version', line: lineOf({ v: 2 }), code: INVALID },
  { name: 'an unknown member', line: lineOf({ allow: true }), code: INVALID },
  { name: 'no name', line: lineOf({ name: undefined }), code: INVALID },
  { name: 'an empty name', line: lineOf({ name: '' }), code: INVALID },
  { name: 'a long name', line: lineOf({ name: 'a'.repeat(4097) }), code: INVALID },
  { name: 'a digest that is none', line: lineOf({ digest: 'sha256:abc' }), code: INVALID },
  { name: 'a digest in upper case', line: lineOf({ digest: DIGEST.toUpperCase() }), code: INVALID },
  { name: 'an unknown media type', line: lineOf({ type: 'application/json' }), code: INVALID },
  { name: 'an unknown operation', line: lineOf({ operation: 'push' }), code: INVALID },
  { name: 'standard input that is no base64', line: lineOf({ stdin: '%' }), code: INVALID },
  { name: 'no standard input', line: lineOf({ input: '' }), code: INVALID },
  { name: 'half a descriptor', line: lineOf({ input: '{"mediaType":"a"' }), code: INVALID },
  { name: 'a descriptor that is a list', line: lineOf({ input: [] }), code: INVALID },
  { name: 'a descriptor without a digest', line: lineOf({ input: { size: 1 } }), code: INVALID },
  {
    name: 'a descriptor of a negative size',
    line: lineOf({ input: { ...descriptorOf(), size: -1 } }),
    code: INVALID,
  },
  {
    name: 'a descriptor that names its digest twice',
    line: lineOf({
      input: `{"mediaType":"a","size":1,"digest":"${OTHER}","digest":"${DIGEST}"}`,
    }),
    code: INVALID,
  },
  {
    name: 'a wrapped descriptor under the type of a bare one',
    line: lineOf({ input: { descriptor: descriptorOf() } }),
    code: INVALID,
  },
  {
    name: 'a bare descriptor under the type of a wrapped one',
    line: lineOf({ type: RUN_INPUT }),
    code: INVALID,
  },
  {
    name: 'two operations',
    line: lineOf({
      type: RUN_INPUT,
      operation: 'pull',
      input: { descriptor: descriptorOf(), operation: 'run' },
    }),
    code: INVALID,
  },
  // Semantics 5: an attacker shows the descriptor of a signed image beside the digest of another.
  {
    name: 'the descriptor of another image',
    line: lineOf({ input: descriptorOf(OTHER) }),
    code: MISMATCH,
  },
  {
    name: 'the wrapped descriptor of another image',
    line: lineOf({ type: RUN_INPUT, input: { descriptor: descriptorOf(OTHER) } }),
    code: MISMATCH,
  },
  {
    name: 'the name of another digest',
    line: lineOf({ name: `${NAME}@${OTHER}` }),
    code: MISMATCH,
  },
];

for (const { name, line, code } of REFUSED) {
  test(`a question is refused: ${name}`, () => {
    assert.throws(() => parseVerifierRequest(line), faultOf(code));
  });
}

test('no question throws anything but TrustFault', () => {
  const line = fc.oneof(
    fc.uint8Array(),
    fc.json().map(Buffer.from),
    fc.json().map((input) => lineOf({ input, type: DESCRIPTOR })),
  );
  fc.assert(
    fc.property(line, (bytes) => {
      try {
        parseVerifierRequest(bytes);
      } catch (error) {
        assert.ok(error instanceof TrustFault);
      }
    }),
  );
});

const QUESTION = { name: NAME, digest: DIGEST };

test('an answer is read, and what is fresh for longer than a node believes is cut', () => {
  const answer = passOf(DIGEST, { freshForMs: 3_600_000, validUntil: '2027-01-01T00:00:00.000Z' });
  const read = parseNodeAnswer(JSON.parse(JSON.stringify(answer)), QUESTION);
  assert.deepEqual(read, { ...answer, freshForMs: 60_000 });
});

const ANSWERS: Readonly<Record<string, unknown>> = {
  nothing: null,
  'a list': [],
  'another outcome': { ...passOf(DIGEST), outcome: 'allow' },
  'an outcome in upper case': { ...passOf(DIGEST), outcome: 'ADMIT' },
  'no outcome': { ...passOf(DIGEST), outcome: undefined },
  'another digest': passOf(OTHER),
  'no digest': { ...passOf(DIGEST), digest: null },
  'a time that is none': { ...passOf(DIGEST), validUntil: 'tomorrow' },
  'a negative time': { ...passOf(DIGEST), freshForMs: -1 },
  'a text for a truth': { ...passOf(DIGEST), mayStandIn: 'yes' },
  'no generation': { ...passOf(DIGEST), generation: undefined },
  'warnings that are one text': { ...passOf(DIGEST), warnings: 'x' },
};

for (const [name, document] of Object.entries(ANSWERS)) {
  test(`an answer is refused: ${name}`, () => {
    assert.throws(() => parseNodeAnswer(document, QUESTION), faultOf('node.answer-malformed'));
  });
}
