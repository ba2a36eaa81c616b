import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { violations } from '../../../../journeys/json-schema.ts';
import { bulla, vector } from './run.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'bulla-policy-'));
  t.after(() => rm(path, { recursive: true }));
  await cp(vector('keys/p256.pub'), join(path, 'dev.pub'));
  return path;
}

const POLICY = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: small }
spec:
  images: [{ glob: "**" }]
  authorities: { dev: { key: { ref: dev.pub } } }
  require: { signed: { of: [dev] } }
`;

test('check prints one line a problem, and exits with 2 for an error', async (t) => {
  const path = join(await folder(t), 'policy.yaml');
  await writeFile(path, POLICY.replace('images', 'imagse').replace('[dev]', '[dve]'));
  const { code, out } = await bulla(['policy', 'check', path]);
  assert.equal(code, 2);
  const lines = out.trimEnd().split('\n');
  assert.equal(lines.length, 3, out);
  assert.ok(lines[0]?.startsWith(`${path}:5:3: policy.unknown-field: `), out);
  assert.ok(lines[2]?.startsWith(`${path}:7:29: policy.authority-unknown: `), out);
});

test('check passes with remarks, and says what it checked', async (t) => {
  const path = join(await folder(t), 'policy.yaml');
  const idle = 'dev: { key: { ref: dev.pub } }, idle: { openpgp: {} }';
  await writeFile(path, POLICY.replace('dev: { key: { ref: dev.pub } }', idle));
  const { code, out } = await bulla(['policy', 'check', path]);
  assert.equal(code, 0);
  assert.match(out, /:6:\d+: warning: policy\.authority-unsupported: /);
  assert.match(out, /:6:\d+: warning: policy\.authority-unused: /);
  assert.match(out, /^ok: 1 policy, sha256:[0-9a-f]{64}$/m);
});

test('check of a folder without a policy says so, and exits with 2', async (t) => {
  const path = await folder(t);
  await writeFile(join(path, 'a.test.yaml'), 'policy: p.yaml\ncases: []\n');
  for (const output of ['text', 'json']) {
    const { code, out, err } = await bulla(['policy', 'check', path, '-o', output]);
    assert.equal(code, 2, out);
    assert.doesNotMatch(out, /ok/);
    assert.match(err, /usage\.file/);
  }
});

test('check as JSON is what its published schema says', async (t) => {
  const path = join(await folder(t), 'policy.yaml');
  const schemaPath = new URL('../../../../docs/schemas/policy-check.schema.json', import.meta.url);
  const schema = JSON.parse(await readFile(schemaPath, 'utf8'));
  for (const { text, exit } of [
    { text: POLICY, exit: 0 },
    { text: POLICY.replace('dev.pub', 'gone.pub'), exit: 2 },
    { text: POLICY.slice(0, 40), exit: 2 },
  ]) {
    await writeFile(path, text);
    const { code, out } = await bulla(['policy', 'check', path, '-o', 'json']);
    const document = JSON.parse(out);
    assert.equal(code, exit);
    assert.equal(document.ok, exit === 0);
    assert.deepEqual(violations(schema, document), []);
    assert.notDeepEqual(violations(schema, { ...document, more: 1 }), []);
  }
});

test('check takes trust roots by the names that policies use', async (t) => {
  const path = join(await folder(t), 'policy.yaml');
  await writeFile(path, POLICY.replace('ref: dev.pub', 'ref: dev.pub, trustRoot: acme'));
  assert.equal((await bulla(['policy', 'check', path])).code, 2);
  const root = `acme=${vector('trust/trusted_root.json')}`;
  assert.equal((await bulla(['policy', 'check', path, '--trust-root', root])).code, 0);
});

test('fmt writes a file in its one form, and --check only says that it is not', async (t) => {
  const path = join(await folder(t), 'policy.yaml');
  const untidy = POLICY.replace('apiVersion: bulla.dev/v1\n', '# who\n').concat(
    'apiVersion:   bulla.dev/v1\n',
  );
  await writeFile(path, untidy);
  const checked = await bulla(['policy', 'fmt', '--check', path]);
  assert.deepEqual([checked.code, checked.out], [1, `${path}\n`]);
  assert.equal(await readFile(path, 'utf8'), untidy);

  assert.equal((await bulla(['policy', 'fmt', path])).code, 0);
  assert.equal(
    await readFile(path, 'utf8'),
    POLICY.replace('bulla.dev/v1\n', 'bulla.dev/v1\n# who\n'),
  );
  const again = await bulla(['policy', 'fmt', '--check', path]);
  assert.deepEqual([again.code, again.out], [0, '']);
});

test('fmt leaves every file as it is when one of them is not YAML', async (t) => {
  const path = await folder(t);
  const [good, wrong] = [join(path, 'good.yaml'), join(path, 'wrong.yaml')];
  const untidy = POLICY.replace('[dev]', '[  dev ]');
  await writeFile(good, untidy);
  await writeFile(wrong, 'a: [');
  const { code, err } = await bulla(['policy', 'fmt', good, wrong]);
  assert.equal(code, 2);
  assert.match(err, /policy\.malformed/);
  assert.equal(await readFile(good, 'utf8'), untidy);
});

test('fmt of - reads standard input and prints, and writes no file', async (t) => {
  const path = join(await folder(t), 'policy.yaml');
  const untidy = POLICY.replace('[dev]', '[  dev ]');
  await writeFile(path, untidy);
  const read = `exec < '${path}'`;
  const printed = await bulla(['policy', 'fmt', '-'], {}, read);
  assert.deepEqual([printed.code, printed.out], [0, POLICY]);
  const checked = await bulla(['policy', 'fmt', '--check', '-'], {}, read);
  assert.deepEqual([checked.code, checked.out], [1, '-\n']);
  assert.equal(await readFile(path, 'utf8'), untidy);
});

test('init writes a policy that check accepts and fmt leaves alone', async (t) => {
  const path = await folder(t);
  const file = join(path, 'policy.yaml');
  const identity = ['--certificate-identity-regexp', 'https://github\\.com/acme/.*'];
  const issuer = ['--certificate-oidc-issuer', 'https://token.actions.githubusercontent.com'];
  const cases = [
    ['--key', join(path, 'dev.pub')],
    ['--key', join(path, 'dev.pub'), '--image', 'nginx', '--image', 'registry.example/prod/**'],
    [...identity, ...issuer, '--mode', 'audit', '--name', 'starter'],
  ];
  for (const args of cases) {
    const { code, err } = await bulla(['policy', 'init', '--file', file, '--force', ...args]);
    assert.equal(code, 0, err);
    const checked = await bulla(['policy', 'check', file]);
    assert.match(checked.out, /^ok: 1 policy, /, checked.out);
    assert.equal((await bulla(['policy', 'fmt', '--check', file])).code, 0);
  }
  const text = await readFile(file, 'utf8');
  assert.match(
    text,
    /^ +# enforce refuses; warn and audit admit with a warning/m,
    'comments explain it',
  );
  const kept = await bulla(['policy', 'init', '--file', file, '--key', join(path, 'dev.pub')]);
  assert.equal(kept.code, 2);
  assert.equal(await readFile(file, 'utf8'), text);
});

test('init makes the folders that its file is to lie in', async (t) => {
  const path = await folder(t);
  const file = join(path, 'policies/team/first.yaml');
  const run = await bulla(['policy', 'init', '--key', join(path, 'dev.pub'), '--file', file]);
  assert.equal(run.code, 0, run.err);
  assert.match(
    (await bulla(['policy', 'check', join(path, 'policies/team')])).out,
    /^ok: 1 policy, /,
  );
  const under = join(file, 'second.yaml');
  const refused = await bulla(['policy', 'init', '--key', join(path, 'dev.pub'), '--file', under]);
  assert.match(refused.err, /\[usage\.file\]/);
});

const WRONG = [
  { name: 'no signer', args: [], says: /usage\.invalid/ },
  {
    name: 'an identity without issuer',
    args: ['--certificate-identity', 'a'],
    says: /usage\.invalid/,
  },
  { name: 'a key that is not there', args: ['--key', '/nonexistent/a.pub'], says: /usage\.file/ },
  { name: 'a private key', args: ['--key', vector('keys/p384.plain.pem')], says: /policy\.file/ },
  {
    name: 'a glob that matches nothing',
    args: ['--key', vector('keys/p256.pub'), '--image', '*'],
    says: /policy\.pattern-invalid/,
  },
  {
    name: 'a name in upper case',
    args: ['--key', vector('keys/p256.pub'), '--name', 'A'],
    says: /policy\.malformed/,
  },
];

for (const { name, args, says } of WRONG) {
  test(`init with ${name} writes nothing`, async () => {
    const { code, out, err } = await bulla(['policy', 'init', '--file', '-', ...args]);
    assert.equal(code, 2);
    assert.equal(out, '');
    assert.match(err, says);
  });
}
