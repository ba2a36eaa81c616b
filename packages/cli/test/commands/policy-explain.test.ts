import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { violations } from '../../../../journeys/json-schema.ts';
import { bulla, emptyFolder, vector } from './run.ts';

const POLICY = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: all }
spec:
  images: [{ glob: "**" }]
  authorities: { dev: { key: { ref: p256.pub } } }
  require: { signed: { of: [dev] } }
---
apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: production }
spec:
  images: [{ glob: "**/app" }]
  surfaces: [pull, gate]
  environments: [production]
  namespaces: [{ exact: shop }]
  authorities: { dev: { key: { ref: p256.pub } }, qa: { key: { ref: second.pub } } }
  require: { signed: { of: [dev, qa], atLeast: 2 } }
`;

async function schemaOf(name: string) {
  const url = new URL(`../../../../docs/schemas/${name}.schema.json`, import.meta.url);
  return JSON.parse(await readFile(url, 'utf8'));
}

test('an explanation says what covers the image, and what it lacks', async (t) => {
  await using folder = await emptyFolder();
  await using registry = await startRegistry({ storage: 'memory' });
  for (const key of ['p256.pub', 'second.pub', 'second.plain.pem']) {
    await cp(vector(`keys/${key}`), join(folder.path, key));
  }
  const policy = join(folder.path, 'policy.yaml');
  await writeFile(policy, POLICY);
  const image = `${registry.host}/app:v1`;
  const copied = await bulla(['copy', `oci:${vector('oci/cosign-key-legacy')}:p256`, image]);
  assert.equal(copied.code, 0, copied.err);
  const explain = ['policy', 'explain', '--policy', policy, image];
  const elsewhere = ['--environment', 'staging', '--namespace', 'shop'];

  await t.test('a policy that does not cover it says why', async () => {
    const { code, out } = await bulla([...explain, ...elsewhere]);
    assert.equal(code, 0, out);
    assert.match(out, /^ADMIT /);
    // The whole tree, though nothing is wrong.
    assert.match(out, /pass {2}signature /);
    assert.match(out, /^ {2}all \(enforce\) covers it$/m);
    assert.match(
      out,
      /^ {2}production \(enforce\) does not cover it\n.*staging is none of production$/m,
    );
    assert.doesNotMatch(out, /to be admitted/);
  });

  await t.test('a refusal says what is missing, and that then admits it', async () => {
    const { code, out } = await bulla(explain);
    assert.equal(code, 1);
    const [, , command = ''] = /^to be admitted:\n {2}- (.*)\n {6}(.*)$/m.exec(out) ?? [];
    assert.match(command, /^bulla sign --key KEY /);
    const key = join(folder.path, 'second.plain.pem');
    const words = command.replace('KEY', key).split(' ').slice(1);
    const signed = await bulla(words);
    assert.equal(signed.code, 0, signed.err);
    assert.equal((await bulla(explain)).code, 0);
  });

  await t.test('another surface is another question', async () => {
    const { out } = await bulla([...explain, '--surface', 'node']);
    assert.match(out, /the surface node is none of pull, gate$/m);
  });

  await t.test('exit codes are those of verify', async () => {
    const asked = ['policy', 'explain', '--policy', policy];
    assert.equal((await bulla([...asked, `${registry.host}/app:gone`])).code, 1);
    assert.equal((await bulla([...asked, '127.0.0.1:1/app:v1'])).code, 3);
    assert.equal((await bulla([...asked, 'A:B:C'])).code, 2);
    assert.equal((await bulla(['policy', 'explain', image])).code, 2);
  });

  await t.test('JSON output is what its published schema says', async () => {
    const published = await schemaOf('policy-explain');
    for (const args of [
      explain,
      [...explain, ...elsewhere],
      [...explain.slice(0, -1), 'a.example/x:gone'],
    ]) {
      const document = JSON.parse((await bulla([...args, '--timeout', '1', '-o', 'json'])).out);
      assert.deepEqual(violations(published, document), []);
      assert.notDeepEqual(violations(published, { ...document, more: 1 }), []);
    }
  });
});

test('documents that hold decisions describe them alike', async () => {
  const { $defs } = await schemaOf('decision');
  for (const name of ['policy-explain', 'policy-test-result']) {
    assert.deepEqual((await schemaOf(name)).$defs, $defs, name);
  }
});
