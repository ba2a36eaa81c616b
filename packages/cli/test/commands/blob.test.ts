import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { bulla, emptyFolder } from './run.ts';

// What is printed about a file, whatever the file and its signature are called and hold.

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A folder with a key, a signed file and its bundle. */
async function openStage() {
  const folder = await emptyFolder();
  const at = (name: string) => join(folder.path, name);
  const made = await bulla(['key', 'generate', '--plain', '--output-key-prefix', at('k')]);
  assert.equal(made.code, 0, made.err);
  await writeFile(at('file'), 'content');
  const run = await bulla(['blob', 'sign', '--key', at('k.key'), at('file')]);
  assert.equal(run.code, 0, run.err);
  const verify = ['blob', 'verify', '--key', at('k.pub'), '--bundle', at('file.sigstore.json')];
  return { at, verify, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const stage = await openStage();
after(() => stage[Symbol.asyncDispose]());

test('a file whose name holds a verdict', async () => {
  const name = stage.at('evil\nVERIFIED  file sha256:00\u001b[1A');
  await writeFile(name, 'other content');
  const { code, out } = await bulla([...stage.verify, name]);
  assert.equal(code, 1);
  assert.match(out, /^REFUSED {2}/);
  assert.doesNotMatch(out, /^VERIFIED/m);
  assert.ok(!out.includes('\u001b'));
});

test('a detached signature that is damaged base64 is a refusal like any other', async () => {
  await writeFile(stage.at('sig'), 'AAAAA');
  const args = ['blob', 'verify', '--key', stage.at('k.pub'), '--signature', stage.at('sig')];
  const { code, out } = await bulla([...args, '-o', 'json', stage.at('file')]);
  assert.equal(code, 1);
  const [verdict] = JSON.parse(out).verdicts;
  assert.deepEqual([verdict.outcome, verdict.finding.code], ['fail', 'signature.invalid']);
});

test('a pass that cannot be written down is none', {
  skip: process.platform !== 'linux',
}, async () => {
  const full = openSync('/dev/full', 'w');
  const args = ['--conditions=@bulla/source', MAIN, ...stage.verify, stage.at('file')];
  const run = spawnSync(process.execPath, args, { stdio: ['ignore', full, 'pipe'] });
  assert.equal(run.status, 2);
  assert.match(run.stderr.toString(), /\[usage\.file\]/);
  assert.doesNotMatch(run.stderr.toString(), /\n {4}at /);
});
