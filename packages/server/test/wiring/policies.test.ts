import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '../../src/http/log.ts';
import { policiesOf } from '../../src/overview/service.ts';
import { watchPolicies } from '../../src/wiring/policies.ts';

const ROOT = new URL('../../../../vectors/cosign/trust/trusted_root.json', import.meta.url);

const POLICY = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: p }
spec:
  images: [{ glob: "**" }]
  authorities:
    a: { keyless: { issuer: { exact: a }, subject: { exact: b }, trustRoot: acme } }
  require: { signed: { of: [a] } }
`;

test('a trust root that goes leaves what is in force, which says so, until it is back', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-wiring-'));
  t.after(() => rm(folder, { recursive: true }));
  const policies = join(folder, 'policies');
  const root = join(folder, 'root.json');
  await mkdir(policies);
  await writeFile(join(policies, 'p.yaml'), POLICY);
  await cp(ROOT, root);
  const config = { policies: [policies], trustRoots: { acme: { file: root } } };
  await using watched = await watchPolicies(config, createLog('silent'), () => new Date());
  const { inForce } = watched;
  const first = inForce.current();
  assert.equal(first.set?.policies.length, 1);
  await rm(root);
  assert.equal((await inForce.reload()).problem?.code, 'policy.file');
  assert.equal(inForce.current().set, first.set);
  await mkdir(root);
  assert.equal((await inForce.reload()).problem?.code, 'policy.file');
  await rm(root, { recursive: true });
  await cp(ROOT, root);
  assert.equal((await inForce.reload()).problem, null);
});

test('without its trust root at the start a server refuses everything', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-wiring-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'p.yaml'), POLICY);
  const config = { policies: [folder], trustRoots: { acme: { file: join(folder, 'gone.json') } } };
  await using watched = await watchPolicies(config, createLog('silent'), () => new Date());
  const { set, problem } = watched.inForce.current();
  assert.equal(set, null);
  assert.equal(problem?.code, 'policy.file');
});

test('each policy says which of the texts beside it is its own', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-wiring-'));
  t.after(() => rm(folder, { recursive: true }));
  const [two, one] = [join(folder, 'two.yaml'), join(folder, 'one.yaml')];
  await cp(ROOT, join(folder, 'root.txt'));
  const trustRoots = { acme: { file: join(folder, 'root.txt') } };
  const named = (name: string) => POLICY.replace('name: p', `name: ${name}`);
  await writeFile(two, `${named('a')}---\n${named('b')}`);
  await writeFile(one, named('c'));
  const config = { policies: [folder], trustRoots };
  await using watched = await watchPolicies(config, createLog('silent'), () => new Date());
  const view = policiesOf({ inForce: () => watched.inForce.current(), texts: watched.texts });
  const shown = view.policies.map(({ name, file }) => [name, file]);
  assert.deepEqual(shown, [
    ['a', two],
    ['b', two],
    ['c', one],
  ]);
  const texts = new Map(view.files.map(({ file, text }) => [file, text]));
  assert.equal(texts.get(one), named('c'));
  // What is in force stays, and so does where it came from.
  await writeFile(one, 'half a pol');
  await watched.inForce.reload();
  const { policies, problems } = policiesOf({ inForce: watched.inForce.current, texts: () => [] });
  assert.equal(problems.length, 1);
  assert.equal(policies.find(({ name }) => name === 'c')?.file, one);
});

const LATER = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: later }
spec:
  images: [{ glob: "**" }]
  authorities: { windows: { x509: { level: strict } }, hosts: { openpgp: { keys: a.asc } } }
  require: { signed: { of: [windows, hosts] } }
`;

test('a start says which authorities are of kinds that never admit, once', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-wiring-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'p.yaml'), LATER);
  const lines: string[] = [];
  const log = createLog('warn', { write: (line) => void lines.push(line) });
  const config = { policies: [folder], trustRoots: {} };
  await using watched = await watchPolicies(config, log, () => new Date());
  await watched.inForce.check();
  const { set, warnings } = watched.inForce.current();
  assert.equal(set?.policies.length, 1);
  for (const said of [warnings, lines]) {
    assert.equal(said.length, 2);
    for (const line of said) assert.match(line, /policy\.authority-unsupported/);
  }
});
