import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import { type Code, isCode } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest } from '@bulla/trust/oci/digest';
import { isClausePath, placedRequirements } from '@bulla/trust/policy/exceptions/clause-path';
import { EXCEPTION_PAYLOAD_TYPE } from '@bulla/trust/policy/exceptions/document';
import { parseException } from '@bulla/trust/policy/exceptions/parse';
import { signException, writeException } from '@bulla/trust/policy/exceptions/sign';
import { signatureProblem } from '@bulla/trust/policy/exceptions/signatures';
import { SURFACES } from '@bulla/trust/policy/parse/spec';
import fc from 'fast-check';
import { attested, signed } from '../../policy-lab/policy.ts';
import { minutes } from '../../sigstore-lab/lab.ts';
import { approved, KEYS, REPOSITORY, requested, signerOf } from './exception-lab.ts';

const DIGEST = `sha256:${'a'.repeat(64)}` as const;
const KEY = publicKeyPem(KEYS.requester.publicKey);

const SPEC = {
  kind: 'exception',
  repository: REPOSITORY,
  digest: DIGEST,
  lifts: [{ policy: 'prod', clauses: [{ path: 'require.all[1]', digest: DIGEST }] }],
  requester: { identity: 'dev@acme.example', key: KEY },
  reason: 'r',
  compensatingControl: 'c',
  issuedAt: '2026-11-21T11:00:00Z',
  expires: '2026-11-22T11:00:00Z',
};
const PAYLOAD = {
  apiVersion: 'bulla.dev/v1',
  kind: 'TrustException',
  metadata: { name: 'late-qa' },
  spec: SPEC,
};

function envelope(payload: unknown, more: object = {}): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      payloadType: EXCEPTION_PAYLOAD_TYPE,
      payload: encodeBase64(Buffer.from(JSON.stringify(payload))),
      signatures: [{ sig: 'AAAA' }],
      ...more,
    }),
  );
}

const clause = (path: string, more: object = {}) => ({ path, digest: DIGEST, ...more });
/** What is lifted of a policy each, where only what differs from the usual is said. */
const lifting = (...changes: readonly object[]) =>
  spec({
    lifts: changes.map((change) => ({ policy: 'prod', clauses: [clause('require')], ...change })),
  });
const spec = (more: object) => envelope({ ...PAYLOAD, spec: { ...SPEC, ...more } });

test('a document is read with all that it says, under the digest of what was signed', () => {
  const { id, exception, approval, request } = parseException(envelope(PAYLOAD), 'a');
  assert.equal(id, computeDigest(request.payload));
  assert.equal(approval, null);
  const { requester, ...rest } = exception;
  assert.equal(requester.key.id, KEYS.requester.publicKey.id);
  assert.deepEqual(rest, {
    name: 'late-qa',
    kind: 'exception',
    repository: REPOSITORY,
    digest: DIGEST,
    lifts: [{ policy: 'prod', clauses: [{ path: 'require.all[1]', digest: DIGEST }] }],
    surfaces: null,
    namespaces: null,
    reason: 'r',
    compensatingControl: 'c',
    issuedAt: new Date('2026-11-21T11:00:00Z'),
    expires: new Date('2026-11-22T11:00:00Z'),
  });
});

const REFUSED: readonly {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly code?: Code;
}[] = [
  { name: 'no JSON', bytes: Buffer.from('{'), code: 'json.malformed' },
  { name: 'no envelope', bytes: Buffer.from('[]') },
  { name: 'more than 256 KiB', bytes: Buffer.alloc((256 << 10) + 1, 32), code: 'json.limit' },
  {
    name: 'another payload type',
    bytes: envelope(PAYLOAD, { payloadType: 'application/vnd.in-toto+json' }),
  },
  { name: 'no signature', bytes: envelope(PAYLOAD, { signatures: [] }) },
  {
    name: 'two signatures',
    bytes: envelope(PAYLOAD, { signatures: [{ sig: 'AAAA' }, { sig: 'AAAA' }] }),
  },
  { name: 'an unknown member of the envelope', bytes: envelope(PAYLOAD, { recorded: true }) },
  { name: 'another version', bytes: envelope({ ...PAYLOAD, apiVersion: 'bulla.dev/v2' }) },
  { name: 'another kind', bytes: envelope({ ...PAYLOAD, kind: 'TrustPolicy' }) },
  { name: 'an unknown member of the payload', bytes: envelope({ ...PAYLOAD, approval: {} }) },
  { name: 'an unknown member of the spec', bytes: spec({ digests: [] }) },
  { name: 'a kind that it does not know', bytes: spec({ kind: 'permanent' }) },
  { name: 'no policy', bytes: spec({ lifts: [] }) },
  { name: 'a policy twice', bytes: lifting({ policy: 'prod' }, { policy: 'prod' }) },
  { name: 'a policy of no name', bytes: lifting({ policy: '*' }) },
  { name: 'an unknown member of what is lifted', bytes: lifting({ until: 'noon' }) },
  {
    name: 'over 64 policies',
    bytes: lifting(...Array.from({ length: 65 }, (_, n) => ({ policy: `p${n}` }))),
  },
  { name: 'no clause', bytes: lifting({ clauses: [] }) },
  { name: 'a clause by its name alone', bytes: lifting({ clauses: ['require'] }) },
  { name: 'a clause of no form', bytes: lifting({ clauses: [clause('require.all[*]')] }) },
  {
    name: 'a clause with a leading zero',
    bytes: lifting({ clauses: [clause('require.all[01]')] }),
  },
  {
    name: 'a clause twice, with two digests',
    bytes: lifting({
      clauses: [clause('require'), clause('require', { digest: `sha256:${'b'.repeat(64)}` })],
    }),
  },
  {
    name: 'a clause without a digest',
    bytes: lifting({ clauses: [clause('require', { digest: undefined })] }),
  },
  {
    name: 'a clause with half a digest',
    bytes: lifting({ clauses: [clause('require', { digest: 'sha256:aaaa' })] }),
  },
  {
    name: 'a clause with a digest of another algorithm',
    bytes: lifting({ clauses: [clause('require', { digest: `sha512:${'a'.repeat(128)}` })] }),
  },
  {
    name: 'a clause with an unknown member',
    bytes: lifting({ clauses: [clause('require', { any: true })] }),
  },
  { name: 'a surface that is none', bytes: spec({ surfaces: ['everywhere'] }) },
  { name: 'no surfaces, though they are named', bytes: spec({ surfaces: [] }) },
  { name: 'no namespaces, though they are named', bytes: spec({ namespaces: [] }) },
  { name: 'a namespace as a pattern', bytes: spec({ namespaces: ['shop-*'] }) },
  { name: 'a digest of no form', bytes: spec({ digest: 'sha256:abc' }) },
  { name: 'no reason', bytes: spec({ reason: ' ' }) },
  { name: 'a reason of over 4096 characters', bytes: spec({ reason: 'a'.repeat(4097) }) },
  { name: 'no compensating control', bytes: spec({ compensatingControl: undefined }) },
  { name: 'an end before its beginning', bytes: spec({ expires: '2026-11-21T11:00:00Z' }) },
  { name: 'a day that there is not', bytes: spec({ expires: '2027-02-30T11:00:00Z' }) },
  { name: 'an identity with a space', bytes: spec({ requester: { identity: 'a b', key: KEY } }) },
  {
    name: 'an identity of another alphabet',
    bytes: spec({ requester: { identity: 'dеv@acme', key: KEY } }),
  },
  { name: 'a requester without a key', bytes: spec({ requester: { identity: 'a' } }) },
  {
    name: 'a key with words around it',
    bytes: spec({ requester: { identity: 'a', key: `mine:\n${KEY}` } }),
  },
  { name: 'a short name of a repository', bytes: spec({ repository: 'nginx' }) },
  { name: 'a repository in upper case', bytes: spec({ repository: 'REGISTRY.example/app' }) },
  {
    name: 'a repository with the default port',
    bytes: spec({ repository: 'registry.example:443/app' }),
  },
  {
    name: "one of Docker Hub's other names",
    bytes: spec({ repository: 'index.docker.io/library/nginx' }),
  },
  { name: 'a repository with a tag', bytes: spec({ repository: 'registry.example/app:v1' }) },
  {
    name: 'a repository with a digest',
    bytes: spec({ repository: `registry.example/app@${DIGEST}` }),
  },
  { name: 'a pattern of repositories', bytes: spec({ repository: 'registry.example/*' }) },
  { name: 'no repository', bytes: spec({ repository: '' }) },
  ...[
    ['a letter of another alphabet', 'registry.example/\u0430pp'],
    ['a host of another alphabet', 'registry.ex\u0430mple/app'],
    ['a letter of full width', 'registry.example/\uff41pp'],
    ['a letter composed of two', 'registry.example/cafe\u0301'],
    ['nothing that is seen', 'registry.example/app\u200b'],
    ['an upper case path', 'registry.example/App'],
    ['a dot behind the host', 'registry.example./app'],
    ['a slash too many', 'registry.example//app'],
    ['a way up', 'registry.example/other/../app'],
    ['an escape', 'registry.example/%61pp'],
    ['a space before it', ' registry.example/app'],
    ['a line end', 'registry.example/app\n'],
  ].map(([name, repository]) => ({
    name: `a repository with ${name}`,
    bytes: spec({ repository }),
  })),
  ...['Prod', 'pr\u043ed', 'prod ', 'prod\u200b', 'prod.', 'prod\n'].map((policy) => ({
    name: `a policy that only looks alike: ${JSON.stringify(policy)}`,
    bytes: lifting({ policy }),
  })),
  {
    name: 'over 256 clauses of all policies',
    bytes: lifting(
      ...[0, 1, 2, 3, 4].map((n) => ({
        policy: `p${n}`,
        clauses: Array.from({ length: 52 }, (_, at) => clause(`require.all[${at}]`)),
      })),
    ),
  },
  {
    name: 'break-glass that was approved',
    bytes: envelope({
      apiVersion: 'bulla.dev/v1',
      kind: 'TrustExceptionApproval',
      spec: {
        approver: { identity: 'a', key: KEY },
        approvedAt: '2026-11-21T11:00:00Z',
        request: JSON.parse(Buffer.from(spec({ kind: 'break-glass' })).toString()),
      },
    }),
  },
  {
    name: 'an approval of an approval',
    bytes: envelope({
      apiVersion: 'bulla.dev/v1',
      kind: 'TrustExceptionApproval',
      spec: {
        approver: { identity: 'a', key: KEY },
        approvedAt: '2026-11-21T11:00:00Z',
        request: JSON.parse(
          Buffer.from(
            envelope({ apiVersion: 'bulla.dev/v1', kind: 'TrustExceptionApproval', spec: {} }),
          ).toString(),
        ),
      },
    }),
  },
];

for (const { name, bytes, code = 'exception.malformed' } of REFUSED) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => parseException(bytes, 'a'),
      (error) => error instanceof TrustFault && error.code === code,
    );
  });
}

const PRINTABLE = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme-ascii' });
const TEXT = fc
  .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
  .filter((text) => text.trim() !== '');
const NAME = fc.stringMatching(/^[a-z0-9]{1,12}(-[a-z0-9]{1,8})?$/);

/** Members alone are compared, and what is parsed has a prototype. */
const PLAIN = { noNullPrototype: true } as const;
const CLAUSES = fc.uniqueArray(
  fc.record(
    {
      path: fc.constantFrom('require', 'tags', 'rollback', 'require.of[999].any[0]'),
      digest: fc
        .uint8Array({ minLength: 32, maxLength: 32 })
        .map((bytes) => `sha256:${Buffer.from(bytes).toString('hex')}` as const),
    },
    PLAIN,
  ),
  { minLength: 1, selector: ({ path }) => path },
);

test('what is signed reads back as it was said, and its signature holds', async () => {
  const request = fc.record({
    name: NAME,
    kind: fc.constantFrom('exception' as const, 'break-glass' as const),
    repository: NAME.map((name) => `registry.example/${name}`),
    digest: fc.option(fc.constant(DIGEST)),
    lifts: fc.uniqueArray(fc.record({ policy: NAME, clauses: CLAUSES }, PLAIN), {
      minLength: 1,
      maxLength: 5,
      selector: ({ policy }) => policy,
    }),
    surfaces: fc.option(fc.uniqueArray(fc.constantFrom(...SURFACES), { minLength: 1 })),
    namespaces: fc.option(fc.uniqueArray(NAME, { minLength: 1, maxLength: 5 })),
    identity: PRINTABLE.map((text) => `x${text.replaceAll(' ', '')}`),
    reason: TEXT,
    compensatingControl: TEXT,
    issuedAt: fc.integer({ min: -1000, max: 0 }).map(minutes),
    expires: fc.integer({ min: 1, max: 1000 }).map(minutes),
  });
  await fc.assert(
    fc.asyncProperty(request, async (said) => {
      const document = await signException(said, signerOf(KEYS.requester));
      const again = parseException(writeException(document), 'again');
      assert.deepEqual(again.id, document.id);
      const { requester, ...rest } = again.exception;
      const { identity, ...expected } = said;
      assert.deepEqual(rest, expected);
      assert.equal(requester.identity, identity);
      assert.equal(await signatureProblem(again), null);
    }),
    { numRuns: 100 },
  );
});

test('an approval reads back with the request byte for byte, under the id of the request', async () => {
  const { document } = await approved(DIGEST);
  const again = parseException(writeException(document), 'again');
  assert.deepEqual(again.request.payload, document.request.payload);
  assert.equal(again.approval?.approver.identity, 'sec@acme.example');
  assert.equal(again.id, (await requested(DIGEST)).id);
  assert.equal(await signatureProblem(again), null);
});

test('no bytes make the parser throw anything but a TrustFault', () => {
  const refuses = (bytes: Uint8Array) => {
    try {
      parseException(bytes, 'a');
    } catch (error) {
      assert.ok(error instanceof TrustFault && isCode(error.code), String(error));
      assert.notEqual(error.code, 'internal.defect');
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), refuses));
  fc.assert(fc.property(fc.json(), (text) => refuses(Buffer.from(text))));
  fc.assert(fc.property(fc.jsonValue(), (payload) => refuses(envelope(payload))));
  const member = fc.constantFrom(...Object.keys(SPEC));
  fc.assert(
    fc.property(member, fc.jsonValue(), (name, value) => refuses(spec({ [name]: value }))),
    { numRuns: 1000 },
  );
});

test('the clauses of a requirement have the names of their places, which all are names', () => {
  const requirement = {
    kind: 'all',
    parts: [
      signed(['a']),
      { kind: 'any', parts: [signed(['a']), attested('vuln', ['b'])] },
      { kind: 'atLeast', atLeast: 1, parts: [{ kind: 'all', parts: [signed(['a'])] }] },
    ],
  } as const;
  const paths = placedRequirements(requirement).map(({ path }) => path);
  assert.deepEqual(paths, [
    'require',
    'require.all[0]',
    'require.all[1]',
    'require.all[1].any[0]',
    'require.all[1].any[1]',
    'require.all[2]',
    'require.all[2].of[0]',
    'require.all[2].of[0].all[0]',
  ]);
  assert.deepEqual(
    paths.filter((path) => !isClausePath(path)),
    [],
  );
  for (const none of [
    '',
    'all[0]',
    'require.',
    'require.all',
    'require.all[0]x',
    'requires',
    'tree',
  ]) {
    assert.equal(isClausePath(none), false, none);
  }
});
