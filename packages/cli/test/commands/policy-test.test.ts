import assert from 'node:assert/strict';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { violations } from '../../../../journeys/json-schema.ts';
import { call } from './call.ts';
import { emptyFolder, vector } from './run.ts';

const POLICY = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: prod }
spec:
  images: [{ glob: "registry.example/prod/**" }]
  environments: [production]
  authorities: { dev: { key: { ref: keys/p256.pub } } }
  require: { signed: { of: [dev] } }
---
apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: second-signer }
spec:
  images: [{ glob: "registry.example/**" }]
  mode: warn
  authorities: { second: { key: { ref: keys/second.pub } } }
  require: { signed: { of: [second] } }
`;

/** A folder with policies, keys and an image that \`dev\` signed. */
async function ground() {
  const folder = await emptyFolder();
  const path = (name: string) => join(folder.path, name);
  for (const made of ['keys', 'tests', 'tests/deep']) await mkdir(path(made));
  for (const key of ['p256', 'second'])
    await cp(vector(`keys/${key}.pub`), path(`keys/${key}.pub`));
  await cp(vector('oci/cosign-key-legacy'), path('tests/images'), { recursive: true });
  await writeFile(path('policy.yaml'), POLICY);
  return { path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const CASES = `policy: ../policy.yaml
cases:
  - name: signed by dev
    image: oci:images:p256
    as: registry.example/prod/app:v1
    environment: production
    at: 2026-11-21T12:00:00Z
    expect: warn
  - name: signed by another
    image: oci:images:p384
    as: registry.example/prod/app:v1
    expect: { outcome: deny, effect: deny, policy: prod, code: signature.invalid }
  - name: elsewhere
    image: oci:images:p384
    as: registry.example/dev/app:v1
    expect: { outcome: admit, effect: warn }
  - name: of nobody
    image: oci:images:p256
    as: other.example/app:v1
    expect: { outcome: deny, code: policy.no-match }
  - name: not there
    image: oci:images:gone
    as: registry.example/prod/app:v1
    environment: production
    expect: { outcome: deny, code: artifact.not-found }
`;

test('cases that come out as they say are one line each, and exit with 0', async () => {
  await using at = await ground();
  await writeFile(at.path('tests/a.test.yaml'), CASES);
  await writeFile(
    at.path('tests/deep/b.test.yml'),
    CASES.replaceAll('../', '../../').replaceAll('oci:images', 'oci:../images'),
  );
  const { code, out, err } = await call(['policy', 'test', at.path('tests')]);
  assert.equal(code, 0, out + err);
  const lines = out.trimEnd().split('\n');
  assert.equal(lines.length, 2 * 6 + 1);
  assert.equal(lines.filter((line) => /^ok {3}.* \(\d+ ms\)$/.test(line)).length, 10);
  assert.equal(lines.at(-1), '10 ok');
});

test('a case that comes out otherwise prints its tree, and exits with 1', async () => {
  await using at = await ground();
  await writeFile(at.path('tests/a.test.yaml'), CASES.replace('expect: warn', 'expect: admit'));
  const { code, out } = await call(['policy', 'test', at.path('tests/a.test.yaml')]);
  assert.equal(code, 1);
  assert.match(out, /^FAIL signed by dev \(\d+ ms\): expected effect pass, found warn$/m);
  assert.match(out, /^ {5}ADMIT {2}registry\.example\/prod\/app@sha256:/m);
  assert.match(out, /^ {5}.* fail {2}policy\.second-signer /m);
  assert.match(out, /^4 ok, 1 failed$/m);
});

test('JSON output is what its published schema says', async () => {
  await using at = await ground();
  const url = new URL('../../../../docs/schemas/policy-test-result.schema.json', import.meta.url);
  const schema = JSON.parse(await readFile(url, 'utf8'));
  for (const { text, exit } of [
    { text: CASES, exit: 0 },
    { text: CASES.replace('expect: warn', 'expect: deny'), exit: 1 },
    { text: CASES.replace('images:gone', 'nowhere:gone'), exit: 2 },
    { text: CASES.slice(0, 120), exit: 2 },
  ]) {
    await writeFile(at.path('tests/a.test.yaml'), text);
    const { code, out } = await call(['policy', 'test', at.path('tests'), '-o', 'json']);
    const document = JSON.parse(out);
    assert.equal(code, exit, out);
    assert.equal(document.ok, exit === 0);
    assert.deepEqual(violations(schema, document), []);
  }
});

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  [
    'a misspelt field',
    CASES.replace('image:', 'imgae:'),
    /a\.test\.yaml:4:5: policy\.test-malformed: /,
  ],
  ['policies that are not there', CASES.replace('policy.yaml', 'gone.yaml'), /policy\.unreadable/],
  ['policies with a mistake', CASES.replace('../policy.yaml', 'a.test.yaml'), /policy\.invalid/],
  [
    'a digest that is another',
    CASES.replace('prod/app:v1', `prod/app@sha256:${'0'.repeat(64)}`),
    /FAIL signed by dev .*usage\.invalid/,
  ],
  [
    'stored evidence that is not there',
    CASES.replace('image: oci:images:p256', 'dossier: gone'),
    /usage\.file/,
  ],
];

for (const [name, text, says] of WRONG) {
  test(`${name} is wrong use, and exits with 2`, async () => {
    await using at = await ground();
    await writeFile(at.path('tests/a.test.yaml'), text);
    await writeFile(at.path('tests/b.test.yaml'), CASES);
    const { code, out, err } = await call(['policy', 'test', at.path('tests')]);
    assert.equal(code, 2, out + err);
    assert.match(out + err, says);
    // The other file is run all the same.
    assert.match(out, /b\.test\.yaml\nok {3}signed by dev/);
  });
}

test('a folder without tests, and a path that is gone, are wrong use', async () => {
  await using at = await ground();
  for (const path of ['keys', 'gone', 'gone.test.yaml']) {
    const { code, err } = await call(['policy', 'test', at.path(path)]);
    assert.equal(code, 2);
    assert.match(err, /usage\.file/);
  }
});

test('evidence that the gate saved is decided about again without any registry', async () => {
  await using at = await ground();
  const evidence = at.path('tests/evidence.jsonl');
  const digests: string[] = [];
  {
    await using registry = await startRegistry({ storage: 'memory' });
    for (const ref of ['p256', 'p384']) {
      const image = `${registry.host}/app:${ref}`;
      await call(['copy', `oci:${at.path('tests/images')}:${ref}`, image]);
    }
    const images = ['p256', 'p384', 'p256'].map((ref) => `${registry.host}/app:${ref}`);
    const alias = [
      '--alias',
      `${registry.host}=registry.example/prod`,
      '--environment',
      'production',
    ];
    const gate = ['gate', '--policy', at.path('policy.yaml'), ...alias, '-o', 'json'];
    const { code, out, err } = await call([...gate, '--save-evidence', evidence, ...images]);
    assert.equal(code, 1, err);
    const { decisions } = JSON.parse(out);
    digests.push(...decisions.map(({ digest }: { digest: string }) => digest));
  }
  assert.equal(digests.length, 2, 'an image that is named twice is decided about once');
  const text = `policy: ../policy.yaml
cases:
  - name: the good one
    dossier: evidence.jsonl
    digest: ${digests[0]}
    as: registry.example/prod/app:p256
    expect: warn
  - name: the other
    dossier: evidence.jsonl
    as: registry.example/prod/app@${digests[1]}
    expect: deny
`;
  await writeFile(at.path('tests/a.test.yaml'), text);
  const { code, out } = await call(['policy', 'test', at.path('tests')]);
  assert.equal(code, 0, out);
  // Without a digest nobody can say which is meant.
  await writeFile(at.path('tests/a.test.yaml'), text.replace(/ {4}digest: .*\n/, ''));
  const unclear = await call(['policy', 'test', at.path('tests')]);
  assert.equal(unclear.code, 2);
  assert.match(unclear.out, /dossier\.malformed/);
});
