import assert from 'node:assert/strict';
import test from 'node:test';
import { plainValue } from '@bulla/trust/bytes/yaml/node';
import { parseYamlDocuments } from '@bulla/trust/bytes/yaml/parse';
import {
  type ExportedFiles,
  exportContainersPolicy,
} from '@bulla/trust/policy/export/containers-policy/export';
import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { A, B, data, lab, PLACE, policy } from '../ground.ts';

const OPTIONS = { mirrors: [], namespaces: [], keyLists: true };
const ALL = { glob: 'r.example/**' };
const signed = (...of: readonly string[]) => ({ signed: { of } });
const REJECT = [{ type: 'reject' }];
const by = (key: typeof A) => ({
  type: 'sigstoreSigned',
  keyData: data(key),
  signedIdentity: { type: 'matchRepository' },
});

function exported(policies: readonly ReadyPolicy[], more: object = {}, place = {}): ExportedFiles {
  return exportContainersPolicy(policies, { ...PLACE, ...place }, { ...OPTIONS, ...more });
}

function scopes({ files }: ExportedFiles, path = 'policy.json'): Record<string, unknown> {
  const file = JSON.parse(files.get(path) ?? '');
  assert.deepEqual(file.default, REJECT);
  return file.transports?.docker ?? {};
}

test('a key of a registry, and a policy of one repository beside it', () => {
  const wide = policy([ALL], signed('a'));
  const narrow = policy([{ exact: 'r.example/prod/app' }], signed('b'), {}, 'q');
  const found = scopes(exported([wide, narrow]));
  // The most specific scope alone is looked at, so it holds what both ask for.
  const identity = { type: 'exactRepository', dockerRepository: 'r.example/prod/app' };
  assert.deepEqual(found, {
    'r.example': [by(A)],
    'r.example/prod/app': [
      { ...by(A), signedIdentity: identity },
      { ...by(B), signedIdentity: identity },
    ],
  });
});

/** Clause by clause: what a scope comes to; null where it must refuse. */
const CLAUSES: readonly (readonly [string, object, object, readonly object[] | null])[] = [
  ['one key', signed('a'), {}, [by(A)]],
  ['two keys, both', { signed: { atLeast: 2, of: ['a', 'b'] } }, {}, [by(A), by(B)]],
  ['all of two', { all: [signed('a'), signed('b')] }, {}, [by(A), by(B)]],
  ['a threshold below its number', { signed: { atLeast: 2, of: ['a', 'b', 'email'] } }, {}, null],
  ['one key twice for two (semantics 8)', { signed: { atLeast: 2, of: ['a', 'again'] } }, {}, null],
  ['any of unlike signers', signed('a', 'email'), {}, null],
  ['any of a key and one under a log', signed('b', 'logged'), {}, null],
  ['an annotation', { signed: { of: ['a'], annotations: { env: 'prod' } } }, {}, null],
  ['an attestation', { attested: { type: 'vuln', by: ['a'] } }, {}, null],
  [
    'an attestation beside a key',
    { all: [signed('a'), { attested: { type: 'vuln', by: ['a'] } }] },
    {},
    null,
  ],
  [
    'any of a key and an attestation',
    { any: [signed('a'), { attested: { type: 'vuln', by: ['a'] } }] },
    {},
    null,
  ],
  ['an authority that refuses', signed('static'), {}, null],
  ['an SCT', signed('sct'), {}, null],
  ['an identity that is no address', signed('uri'), {}, null],
  ['a pattern of identities', signed('pattern'), {}, null],
  ['claims', signed('claims'), {}, null],
  ['a certificate without a log', signed('unlogged'), {}, null],
  ['the index must be signed', signed('a'), { tree: 'index' }, null],
  ['both must be signed', signed('a'), { tree: 'both' }, null],
  ['what was named must be signed', signed('a'), { tree: 'named' }, null],
  ['tags are refused', signed('a'), { tags: 'refuse' }, null],
  ['older digests are refused', signed('a'), { rollback: 'refuse' }, null],
];

for (const [name, require, more, expect] of CLAUSES) {
  test(`a policy with ${name}: ${expect === null ? 'refuses' : 'is said'}`, () => {
    const result = exported([policy([ALL], require, more)]);
    assert.deepEqual(scopes(result), { 'r.example': expect ?? REJECT });
    const rejects = result.notes.filter(({ effect }) => effect === 'reject');
    assert.equal(rejects.length, expect === null ? 1 : 0);
    for (const { scope } of rejects) assert.equal(scope, 'r.example');
  });
}

test('any of some keys is a list, and a refusal for versions that know none', () => {
  const either = policy([ALL], signed('a', 'b'));
  const [one] = Object.values(scopes(exported([either]))).flat();
  assert.deepEqual(Object(one)['keyDatas'].toSorted(), [data(A), data(B)].toSorted());
  const old = exported([either], { keyLists: false });
  assert.deepEqual(scopes(old), { 'r.example': REJECT });
  assert.deepEqual(
    old.notes.map(({ effect }) => effect),
    ['reject'],
  );
});

test('a log and a certificate authority come along with their keys', () => {
  const { ecdsa, noneEcdsa } = {
    ecdsa: lab.trustRoot.tlogs.filter(({ key }) => key.kind.startsWith('ecdsa')),
    noneEcdsa: lab.trustRoot.tlogs.filter(({ key }) => !key.kind.startsWith('ecdsa')),
  };
  assert.ok(ecdsa.length > 0);
  const [logged] = Object.values(scopes(exported([policy([ALL], signed('logged'))]))).flat();
  const rekor = Object(logged);
  assert.ok('rekorPublicKeyData' in rekor || 'rekorPublicKeyDatas' in rekor);
  const [email] = Object.values(scopes(exported([policy([ALL], signed('email'))]))).flat();
  const { oidcIssuer, subjectEmail, caData } = Object(email).fulcio;
  assert.deepEqual([oidcIssuer, subjectEmail], ['https://issuer.example', 'dev@acme.example']);
  assert.match(Buffer.from(caData, 'base64').toString(), /^-----BEGIN CERTIFICATE-----/);
  // A log that signs no promises that can be checked there leaves nothing to ask for.
  const bare = { ...lab.trustRoot, tlogs: noneEcdsa.length > 0 ? noneEcdsa : [] };
  const without = policy([ALL], signed('email'), {}, 'p', bare);
  assert.deepEqual(scopes(exported([without])), { 'r.example': REJECT });
});

/** Patterns, and the scopes that they come to; a part of a scope refuses all of it. */
const PATTERNS: readonly (readonly [string, object, Record<string, 'said' | 'reject'>])[] = [
  ['every name', { glob: '**' }, { '': 'said' }],
  ['a registry', { glob: 'r.example/**' }, { 'r.example': 'said' }],
  ['a namespace', { glob: 'r.example/a/b/**' }, { 'r.example/a/b': 'said' }],
  ['a repository', { exact: 'r.example/a' }, { 'r.example/a': 'said' }],
  ['one component', { glob: 'r.example/a/*' }, { 'r.example/a': 'reject' }],
  ['a beginning', { glob: 'r.example/a/b-*' }, { 'r.example/a': 'reject' }],
  ['hosts', { glob: '*.example/**' }, { '': 'reject' }],
  ['an end', { glob: '**/app' }, { '': 'reject' }],
  ['an expression', { regex: 'r\\.example/.*' }, { '': 'reject' }],
];

for (const [name, image, expect] of PATTERNS) {
  test(`a pattern of ${name}`, () => {
    const found = scopes(exported([policy([image], signed('a'))]));
    const words = Object.entries(found).map(([scope, row]) => [
      scope,
      JSON.stringify(row) === JSON.stringify(REJECT) ? 'reject' : 'said',
    ]);
    assert.deepEqual(Object.fromEntries(words), expect);
  });
}

test('a part of a scope refuses under another policy too, which would say less', () => {
  const wide = policy([ALL], signed('a'));
  const part = policy([{ glob: 'r.example/prod/*' }], signed('b'), {}, 'q');
  assert.deepEqual(scopes(exported([wide, part])), {
    'r.example': [by(A)],
    'r.example/prod': REJECT,
  });
  // An expression can mean any name: no scope is free of it.
  const any = policy([{ regex: '.*' }], signed('b'), {}, 'q');
  assert.deepEqual(scopes(exported([wide, any])), { '': REJECT, 'r.example': REJECT });
});

test('what a policy excludes refuses, unless others cover it', () => {
  const cut = policy([ALL], signed('a'), { exclude: [{ glob: 'r.example/scratch/**' }] });
  assert.deepEqual(scopes(exported([cut])), { 'r.example': [by(A)], 'r.example/scratch': REJECT });
});

test('a policy that warns or records refuses, for the file cannot warn', () => {
  for (const mode of ['warn', 'audit']) {
    const result = exported([policy([ALL], signed('a'), { mode })]);
    assert.deepEqual(scopes(result), { 'r.example': [by(A)] });
    assert.deepEqual(
      result.notes.map(({ effect }) => effect),
      ['stricter'],
    );
  }
});

test('a namespace has a file of its own; where none is known, what refuses holds', () => {
  const prod = policy([ALL], signed('a'), { namespaces: [{ exact: 'prod' }] });
  const watch = policy([ALL], signed('b'), { namespaces: [{ exact: 'dev' }], mode: 'warn' }, 'q');
  const result = exported([prod, watch], { namespaces: ['prod', 'dev'] });
  assert.deepEqual(scopes(result), { 'r.example': [by(A)] });
  assert.deepEqual(scopes(result, 'policies/prod.json'), { 'r.example': [by(A)] });
  assert.deepEqual(scopes(result, 'policies/dev.json'), { 'r.example': [by(B)] });
  // On another surface nothing covers anything, and nothing is admitted.
  const gate = policy([ALL], signed('a'), { surfaces: ['gate'] });
  assert.deepEqual(scopes(exported([gate])), {});
});

test('signatures are read at each scope and at each mirror by its own name', () => {
  const mirrors = [
    { from: 'mirror.example/r', to: 'r.example' },
    { from: 'near.example', to: 'r.example/prod/deep' },
    { from: 'other.example', to: 'elsewhere.example' },
  ];
  const policies = [policy([{ glob: 'r.example/prod/**' }], signed('a'))];
  const text = exported(policies, { mirrors }).files.get('registries.d/bulla.yaml') ?? '';
  const { documents, problems } = parseYamlDocuments(Buffer.from(text), 'r', 'policy.malformed');
  assert.deepEqual(problems, []);
  const reads = { 'use-sigstore-attachments': true };
  assert.deepEqual(JSON.parse(JSON.stringify(documents.map(plainValue))), [
    { docker: { 'mirror.example/r/prod': reads, 'near.example': reads, 'r.example/prod': reads } },
  ]);
  const every = exported([policy([{ glob: '**' }], signed('a'))]);
  assert.match(every.files.get('registries.d/bulla.yaml') ?? '', /^default-docker:/);
});

test('nothing is ever accepted without a signature', () => {
  const images = [ALL, { exact: 'r.example/a' }, { glob: '**' }, { regex: 'x.*' }];
  for (const mode of ['enforce', 'warn', 'audit']) {
    for (const image of images) {
      const { files } = exported([policy([image], signed('a'), { mode })]);
      for (const text of files.values()) assert.doesNotMatch(text, /insecureAcceptAnything/);
    }
  }
});
