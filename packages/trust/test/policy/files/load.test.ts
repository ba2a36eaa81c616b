import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { checkPolicies, loadPolicies } from '@bulla/trust/policy/files/load';
import { parseTrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import { FULL, SMALL, UNSUPPORTED } from '../policy-texts.ts';

const run = promisify(execFile);

function vector(path: string): string {
  return fileURLToPath(new URL(`../../../../../vectors/cosign/${path}`, import.meta.url));
}

/** A folder with the keys and trust roots that the texts name, and the given files. */
async function folder(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'bulla-policies-'));
  t.after(() => rm(path, { recursive: true }));
  await mkdir(join(path, 'keys'));
  await mkdir(join(path, 'roots'));
  await cp(vector('trust/trusted_root.json'), join(path, 'roots/acme.json'));
  for (const key of ['qa', 'scan', 'vendor']) {
    await cp(vector('keys/p384.pub'), join(path, `keys/${key}.pub`));
  }
  await cp(vector('keys/p256.pub'), join(path, 'dev.pub'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

test('policies of files and folders are loaded with what they name beside them', async (t) => {
  const path = await folder(t, {
    'b.yaml': FULL,
    'a.yml': SMALL,
    'c.json': jsonPolicy('third'),
    '.hidden.yaml': 'not: a policy',
    'notes.txt': 'not a policy',
  });
  await mkdir(join(path, 'more'));
  await writeFile(join(path, 'more', 'd.yaml'), 'not a policy');
  const { set, files, warnings } = await loadPolicies([path, join(path, 'b.yaml')]);
  // Its approver is one of its signers.
  assert.deepEqual(
    warnings.map(({ code, place }) => [code, place.path]),
    [['policy.approver-signs', 'spec.exceptions.approvers']],
  );
  assert.deepEqual(
    set.policies.map(({ document }) => document.name),
    ['production', 'small', 'third'],
  );
  assert.deepEqual(
    ['production', 'small', 'third'].map((name) => files.get(name)),
    ['b.yaml', 'a.yml', 'c.json'].map((name) => join(path, name)),
  );
  const production = set.policies[0]?.authorities;
  assert.equal(production?.get('scan')?.requirements.trustRoot?.name.startsWith('public'), true);
  const own = production?.get('release')?.requirements.trustRoot?.name;
  assert.equal(own, 'acme', 'a finding calls it as the policy does, and not by its file');
  assert.match(set.trustRootVersion, /^acme@sha256:\w+ public-good@sha256:\w+$/);
});

function jsonPolicy(name: string): string {
  return JSON.stringify({
    apiVersion: 'bulla.dev/v1',
    kind: 'TrustPolicy',
    metadata: { name },
    spec: {
      images: [{ glob: 'a.example/**' }],
      authorities: { dev: { key: { ref: 'dev.pub' } } },
      require: { signed: { of: ['dev'] } },
    },
  });
}

test('a trust root of the door is used where the policy defines none of the name', async (t) => {
  const path = await folder(t, { 'p.yaml': FULL.replace(/ {2}trustRoots:\n.*\n/, '') });
  await assert.rejects(loadPolicies([path]), { code: 'policy.invalid' });
  const bytes = readFileSync(vector('trust/no-tsas.json'));
  const root = parseTrustedRoot(bytes, 'door');
  const { set } = await loadPolicies([path], { trustRoots: new Map([['acme', root]]) });
  assert.equal(set.policies[0]?.authorities.get('release')?.requirements.trustRoot, root);
});

test('an empty folder is an empty set', async (t) => {
  const path = await folder(t, {});
  assert.deepEqual((await loadPolicies([path])).set.policies, []);
});

const TEST_FILE = 'policy: p.yaml\ncases: [{ name: a, image: nginx, expect: admit }]\n';

test('tests of policies that lie beside them are passed over, and nothing else is', async (t) => {
  const path = await folder(t, { 'p.yaml': SMALL, 'p.test.yaml': TEST_FILE });
  assert.deepEqual((await checkPolicies([path])).problems, []);
  assert.equal((await loadPolicies([path])).set.policies.length, 1);
  // One that is named is what its user says it is.
  const named = await checkPolicies([join(path, 'p.test.yaml')]);
  assert.equal(named.problems[0]?.code, 'policy.unknown-field');
  const hidden = SMALL.replace('small', 'hidden');
  for (const { text, expect } of [
    { text: hidden, expect: 2 },
    { text: `${hidden}cases: []\n`, expect: null },
    { text: `${TEST_FILE}---\n${hidden}`, expect: null },
    { text: TEST_FILE.slice(0, 30), expect: null },
    { text: '', expect: null },
  ]) {
    await writeFile(join(path, 'p.test.yaml'), text);
    assert.equal((await checkPolicies([path])).set?.policies.length ?? null, expect, text);
  }
});

test('links are followed', async (t) => {
  const path = await folder(t, { 'real.txt': SMALL });
  await symlink(join(path, 'real.txt'), join(path, 'link.yaml'));
  assert.equal((await loadPolicies([path])).set.policies.length, 1);
});

test('kinds that are not supported are warnings', async (t) => {
  const path = await folder(t, { 'p.yaml': UNSUPPORTED });
  const { set, warnings } = await loadPolicies([path]);
  assert.equal(set.policies.length, 1);
  assert.deepEqual(
    warnings.map(({ code, place }) => `${code} ${place.line}`),
    [9, 10, 11].map((line) => `policy.authority-unsupported ${line}`),
  );
});

/** One file beside a good one: the code of the fault, and that of the first problem with its place. */
const REFUSED: readonly {
  readonly name: string;
  readonly text: string;
  readonly fault?: string;
  readonly problem: string;
}[] = [
  { name: 'half of a policy', text: FULL.slice(0, 900), problem: 'policy.malformed' },
  { name: 'an empty file', text: '', problem: 'policy.malformed 1:1' },
  { name: 'another document', text: 'kind: Pod\n', problem: 'policy.malformed' },
  {
    name: 'the name of another file',
    text: SMALL.replace('**', 'a.example/**'),
    problem: 'policy.name-repeated 1:1',
  },
  {
    name: 'a key that is not there',
    text: other('dev.pub', 'gone.pub'),
    problem: 'policy.file 6:37',
  },
  { name: 'a key that is a folder', text: other('dev.pub', 'keys'), problem: 'policy.file 6:37' },
  {
    name: 'a key that is a trust root',
    text: other('dev.pub', 'roots/acme.json'),
    problem: 'crypto.key-malformed 6:37',
  },
  {
    name: 'a private key',
    text: other('dev.pub', 'dev.key'),
    problem: 'crypto.key-malformed 6:37',
  },
  { name: 'a file of two keys', text: other('dev.pub', 'two.pub'), problem: 'policy.file 6:37' },
  { name: 'an expression that does not parse', text: where('1 +'), problem: 'cel.invalid 7:56' },
  {
    name: 'an expression of an unknown function',
    text: where('system(1)'),
    problem: 'cel.invalid 7:56',
  },
  {
    name: 'a trust root that is not there',
    text: FULL.replace('acme.json', 'gone.json'),
    problem: 'policy.file 22:19',
  },
  {
    name: 'a trust root that is a key',
    text: FULL.replace('roots/acme.json', 'dev.pub'),
    problem: 'json.malformed 22:19',
  },
  {
    name: 'a trust root that nobody defines',
    text: FULL.replace('public-good', 'nobody'),
    problem: 'policy.trust-root-missing 35:20',
  },
  {
    name: 'more than 1 MiB',
    text: `#${'x'.repeat(1 << 20)}\n${SMALL}`,
    problem: 'policy.file 1:1',
  },
];

function other(from: string, to: string): string {
  return SMALL.replace('small', 'other').replace(from, to);
}

function where(expression: string): string {
  return SMALL.replace('small', 'other').replace(
    '{ signed: { of: [dev] } }',
    `{ attested: { by: [dev], type: vuln, where: "${expression}" } }`,
  );
}

for (const { name, text, fault = 'policy.invalid', problem } of REFUSED) {
  test(`${name} loads no policy, and is a problem at its place`, async (t) => {
    const path = await folder(t, { 'good.yaml': SMALL, 'wrong.yaml': text });
    await cp(vector('keys/p384.plain.pem'), join(path, 'dev.key'));
    const two = ['p256', 'p384'].map((key) => readFileSync(vector(`keys/${key}.pub`), 'utf8'));
    await writeFile(join(path, 'two.pub'), two.join(''));
    await assert.rejects(loadPolicies([path]), { code: fault });
    const { set, problems } = await checkPolicies([path]);
    assert.equal(set, null);
    const [first] = problems.filter(({ severity }) => severity === 'error');
    assert.ok(first !== undefined);
    const at = `${first.code} ${first.place.line}:${first.place.column}`;
    assert.ok(at.startsWith(problem), `${at}: ${first.message}`);
    assert.equal(first.place.file, join(path, 'wrong.yaml'));
  });
}

test('what is gone or cannot be read is said as that, never as a smaller set', async (t) => {
  const path = await folder(t, { 'p.yaml': SMALL });
  for (const gone of [join(path, 'gone.yaml'), join(path, 'gone')]) {
    await assert.rejects(loadPolicies([path, gone]), { code: 'policy.unreadable' });
  }
  await symlink(join(path, 'gone'), join(path, 'dangling.yaml'));
  await assert.rejects(loadPolicies([path]), { code: 'policy.unreadable' });
});

test('a folder that is called as a policy is refused, for its policy is not there', async (t) => {
  const path = await folder(t, { 'p.yaml': SMALL });
  // What a container's runtime makes where a file that is to be mounted is missing.
  await mkdir(join(path, 'enforce.yaml'));
  await assert.rejects(loadPolicies([path]), { code: 'policy.invalid' });
});

test('a policy whose ending is in capitals is a policy', async (t) => {
  const path = await folder(t, { 'p.yaml': SMALL, 'Q.YAML': SMALL.replace('small', 'other') });
  assert.equal((await loadPolicies([path])).set.policies.length, 2);
});

test('a pipe among the policies is refused without waiting for its writer', async (t) => {
  const path = await folder(t, { 'p.yaml': SMALL });
  await run('mkfifo', [join(path, 'pipe.yaml')]);
  await assert.rejects(loadPolicies([path]), { code: 'policy.invalid' });
});

test('a fault lists every mistake of every file by its line', async (t) => {
  const path = await folder(t, {
    'a.yaml': SMALL.replace('images', 'imagse'),
    'b.yaml': SMALL.replace('dev.pub', 'gone.pub'),
  });
  await assert.rejects(loadPolicies([path]), (error: Error) => {
    assert.match(error.message, /a\.yaml:5:3: policy\.unknown-field/);
    assert.match(error.message, /b\.yaml:6:37: policy\.file/);
    return true;
  });
});

test('expressions are checked by the runner that is given', async (t) => {
  const path = await folder(t, { 'p.yaml': where('predicate.x == 1') });
  const asked: string[] = [];
  await loadPolicies([path], {
    expressions: {
      async checkExpression(text) {
        asked.push(text);
      },
    },
  });
  assert.deepEqual(asked, ['predicate.x == 1']);
});
