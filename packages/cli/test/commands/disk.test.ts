import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { bulla, emptyFolder, vector } from './run.ts';

const IMAGE = `oci:${vector('oci/cosign-key-legacy')}:p256`;
const ENV = { BULLA_PASSPHRASE: 'secret' };

/** Every file below a folder, as relative paths. */
async function filesBelow(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();
}

// A limit on the size of files stands for a full disk: each write fails, each file can be opened.
test('a disk that is full leaves nothing half-written', async (t) => {
  await using folder = await emptyFolder();
  await using registry = await startRegistry({ storage: 'memory' });
  const at = (name: string) => join(folder.path, name);
  const made = await bulla(['key', 'generate', '--output-key-prefix', at('k')], ENV);
  assert.equal(made.code, 0, made.err);
  await writeFile(at('file'), 'content');
  await writeFile(at('old.json'), 'what was there');
  await mkdir(at('docker'));
  await writeFile(at('docker/config.json'), '{"auths":{}}');
  const before = await filesBelow(folder.path);
  const env = { ...ENV, DOCKER_CONFIG: at('docker') };
  const login = ['login', registry.host, '-u', 'u', '-p', 'p'];
  const cases = [
    { name: 'key generate', args: ['key', 'generate', '--output-key-prefix', at('n')] },
    { name: 'blob sign', args: ['blob', 'sign', at('file'), '--key', at('k.key')] },
    {
      name: 'blob sign over a bundle',
      args: ['blob', 'sign', at('file'), '--key', at('k.key'), '--bundle', at('old.json')],
    },
    { name: 'save', args: ['save', IMAGE, '--output', at('p.tar')] },
    { name: 'copy into a new layout', args: ['copy', IMAGE, `oci:${at('layout')}:v1`] },
    { name: 'login', args: login },
  ];
  for (const { name, args } of cases) {
    await t.test(name, async () => {
      const run = await bulla(args, env, 'ulimit -f 0');
      assert.equal(run.code, 2, run.err);
      assert.match(run.err, /EFBIG.*\[usage\.file\]/);
      assert.deepEqual(await filesBelow(folder.path), before);
    });
  }
  assert.equal(await readFile(at('old.json'), 'utf8'), 'what was there');
  assert.equal(await readFile(at('docker/config.json'), 'utf8'), '{"auths":{}}');

  await t.test('a layout is not left locked', async () => {
    const layout = `oci:${at('kept')}`;
    const first = await bulla(['copy', IMAGE, `${layout}:v1`]);
    assert.equal(first.code, 0, first.err);
    const run = await bulla(['copy', IMAGE, `${layout}:v2`], {}, 'ulimit -f 0');
    assert.equal(run.code, 2, run.err);
    const again = await bulla(['copy', IMAGE, `${layout}:v2`]);
    assert.equal(again.code, 0, again.err);
  });
});
