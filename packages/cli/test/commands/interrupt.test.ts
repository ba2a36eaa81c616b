import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { listen } from '../../../trust/test/oci/registry/scripted.ts';
import { bulla, emptyFolder, interruptedBulla, vector } from './run.ts';

const SOURCE = `oci:${vector('oci/cosign-key-legacy')}:p256`;
const KEY = vector('keys/p256.pub');
const PROMPT_MS = 3_000;

test('an interrupt ends every wait at once, with a code that is not 0', async (t) => {
  await using folder = await emptyFolder();
  const at = (name: string) => join(folder.path, name);
  let asked: () => void = () => {};
  const stalled = createServer(() => asked());
  const host = `127.0.0.1:${await listen(stalled)}`;
  const image = `${host}/app:v1`;
  const env = { BULLA_PASSPHRASE: 'secret', DOCKER_CONFIG: folder.path };
  const made = await bulla(['key', 'generate', '--output-key-prefix', at('k')], env);
  assert.equal(made.code, 0, made.err);
  const before = await readdir(folder.path);
  const sign = ['sign', image, '--key', at('k.key')];
  const cases = [
    { name: 'verify', args: ['verify', image, '--key', KEY] },
    { name: 'sign', args: sign },
    { name: 'tree', args: ['tree', image] },
    { name: 'copy', args: ['copy', image, `oci:${at('layout')}:v1`] },
    { name: 'save', args: ['save', image, '--output', at('p.tar')] },
    { name: 'login', args: ['login', host, '-u', 'u', '-p', 'p'] },
    { name: 'doctor', args: ['doctor', 'registry', `${host}/app`] },
  ];
  for (const { name, args } of cases) {
    await t.test(name, async () => {
      const ready = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const run = await interruptedBulla(args, env, ready);
      assert.equal(run.code, 3, run.out + run.err);
      assert.match(run.out + run.err, /given up|registry\.cancelled/);
      assert.ok(run.afterMs < PROMPT_MS, `${run.afterMs} ms`);
      assert.deepEqual(await readdir(folder.path), before);
    });
  }
  await t.test('standard input that nobody writes to', async () => {
    const wait = new Promise<void>((resolve) => setTimeout(resolve, 1_000));
    const run = await interruptedBulla(['inspect', '-'], env, wait);
    assert.equal(run.code, 3, run.out + run.err);
    assert.match(run.err, /usage\.interrupted/);
    assert.ok(run.afterMs < PROMPT_MS, `${run.afterMs} ms`);
  });
  stalled.closeAllConnections();
  stalled.close();
});

test('an interrupt between layouts leaves whole content and no lock', async () => {
  await using folder = await emptyFolder();
  await using registry = await startRegistry({ storage: 'memory' });
  const copied = await bulla(['copy', SOURCE, `${registry.host}/app:v1`]);
  assert.equal(copied.code, 0, copied.err);
  const layout = join(folder.path, 'layout');
  // In the midst of it, wherever that is: what is there is whole, and the rest follows.
  const soon = new Promise<void>((resolve) => setTimeout(resolve, 450));
  const run = await interruptedBulla(['copy', SOURCE, `oci:${layout}:v1`], {}, soon);
  assert.ok(run.code === 0 || run.code === 3 || run.code === null, run.err);
  const files = await readdir(layout).catch((): string[] => []);
  assert.equal(files.includes('index.json.lock'), false);
  if (files.includes('index.json')) JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'));
  const again = await bulla(['copy', SOURCE, `oci:${layout}:v1`]);
  assert.equal(again.code, 0, again.err);
  const verified = await bulla(['verify', `oci:${layout}:v1`, '--key', KEY]);
  assert.equal(verified.code, 0, verified.out + verified.err);
});
