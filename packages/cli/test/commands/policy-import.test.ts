import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { violations } from '../../../../journeys/json-schema.ts';
import { call } from './call.ts';
import { emptyFolder, vector } from './run.ts';

const PEM = await readFile(vector('keys/p256.pub'), 'utf8');
const KEY = { name: 'dev', key: { data: PEM } };
const KMS = { name: 'cloud', key: { kms: 'awskms:///alias/release' } };

function cip(authorities: readonly object[], more: object = {}): string {
  return JSON.stringify({
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name: 'release' },
    spec: { images: [{ glob: '**' }], authorities, ...more },
  });
}

async function ground(text: string) {
  const folder = await emptyFolder();
  const file = join(folder.path, 'cip.yaml');
  await writeFile(file, text);
  const path = (name: string): string => join(folder.path, name);
  return { file, path, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

test('what is printed is a policy, and decides as the document itself does', async (t) => {
  await using registry = await startRegistry({ storage: 'memory' });
  for (const [ref, name] of [
    ['p256', 'good'],
    ['p384', 'bad'],
  ]) {
    const layout = `oci:${vector('oci/cosign-key-legacy')}:${ref}`;
    assert.equal((await call(['copy', layout, `${registry.host}/${name}:v1`])).code, 0);
  }
  await using at = await ground(cip([KEY]));
  const { code, out, err } = await call(['policy', 'import', at.file]);
  assert.equal(code, 0, err);
  await writeFile(at.path('ours.yaml'), out);
  for (const [policy, image, exit] of [
    [at.file, 'good', 0],
    [at.file, 'bad', 1],
    [at.path('ours.yaml'), 'good', 0],
    [at.path('ours.yaml'), 'bad', 1],
  ] as const) {
    await t.test(
      `gate of ${image} by ${policy === at.file ? 'the document' : 'the result'}`,
      async () => {
        const gate = await call(['gate', '--policy', policy, `${registry.host}/${image}:v1`]);
        assert.equal(gate.code, exit, gate.out + gate.err);
      },
    );
  }
});

test('what cannot be expressed is listed, and is exit code 1', async () => {
  await using at = await ground(cip([KEY, KMS]));
  const { code, out, err } = await call(['policy', 'import', at.file]);
  assert.equal(code, 1);
  assert.match(
    err,
    /^\S+cip\.yaml:1:\d+: kms awskms:\/\/\/alias\/release: .* at spec\.authorities\[1\]\.key\.kms$/m,
  );
  assert.match(out, /^# spec\.authorities\[1\]\.key\.kms: /);
  assert.match(out, /static:\n +action: fail/);
});

test('a document that is wrong prints nothing, and is exit code 2', async () => {
  for (const text of [
    cip([]).replace('authorities', 'authoritys'),
    `${cip([KEY])}\n---\nkind: Secret\n`,
    'kind: ConfigMap\n',
    '',
  ]) {
    await using at = await ground(text);
    const { code, out, err } = await call(['policy', 'import', at.file]);
    assert.equal(code, 2, err);
    assert.equal(out, '');
    assert.notEqual(err, '');
  }
});

test('a name that hides in a note escapes no terminal', async () => {
  await using at = await ground(cip([{ key: { kms: 'awskms:///\u001b[2J' } }]));
  const { out, err } = await call(['policy', 'import', at.file]);
  assert.ok(!`${out}${err}`.includes('\u001b'), err);
});

test('the JSON of both directions is what the published schemas say', async () => {
  const schema = async (name: string) =>
    JSON.parse(
      await readFile(
        new URL(`../../../../docs/schemas/${name}.schema.json`, import.meta.url),
        'utf8',
      ),
    );
  await using at = await ground(cip([KEY, KMS], { match: [{ resource: 'pods', version: 'v1' }] }));
  const policies = ['--policy', at.file, '--folder', at.path('out')];
  for (const [name, args] of [
    ['policy-import', ['policy', 'import', at.file]],
    ['policy-export', ['policy', 'export', '--format', 'containers-policy', ...policies]],
  ] as const) {
    const { out, err } = await call([...args, '-o', 'json']);
    assert.notEqual(out, '', err);
    const document = JSON.parse(out);
    assert.equal(document.exact, false);
    assert.deepEqual(violations(await schema(name), document), []);
    assert.notDeepEqual(violations(await schema(name), { ...document, more: 1 }), []);
  }
});
