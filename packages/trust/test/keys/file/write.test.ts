import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { writeKeyFiles } from '@bulla/trust/keys/file/write';

const root = mkdtempSync(join(tmpdir(), 'bulla-write-'));
test.after(() => rmSync(root, { recursive: true }));

function folderOf(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  return path;
}

function pairIn(folder: string) {
  return [
    { path: join(folder, 'a.key'), text: 'private', secret: true },
    { path: join(folder, 'a.pub'), text: 'public', secret: false },
  ];
}

test('a pair is written with the right modes and nothing else is left', async () => {
  const folder = folderOf('fresh');
  await writeKeyFiles(pairIn(folder));
  assert.deepEqual(readdirSync(folder).sort(), ['a.key', 'a.pub']);
  assert.equal(readFileSync(join(folder, 'a.key'), 'utf8'), 'private');
  assert.equal(statSync(join(folder, 'a.key')).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder, 'a.pub')).mode & 0o777, 0o644);
});

for (const taken of ['a.key', 'a.pub']) {
  test(`nothing is written when ${taken} is there already`, async () => {
    const folder = folderOf(`taken-${taken}`);
    writeFileSync(join(folder, taken), 'old');
    await assert.rejects(writeKeyFiles(pairIn(folder)), { code: 'key.exists' });
    assert.deepEqual(readdirSync(folder), [taken]);
    assert.equal(readFileSync(join(folder, taken), 'utf8'), 'old');
  });
}

test('what is there is replaced when asked for, with the mode of a secret', async () => {
  const folder = folderOf('overwrite');
  writeFileSync(join(folder, 'a.key'), 'old', { mode: 0o644 });
  await writeKeyFiles(pairIn(folder), { overwrite: true });
  assert.deepEqual(readdirSync(folder).sort(), ['a.key', 'a.pub']);
  assert.equal(readFileSync(join(folder, 'a.key'), 'utf8'), 'private');
  assert.equal(statSync(join(folder, 'a.key')).mode & 0o777, 0o600);
});

test('a folder that is not there is told', async () => {
  await assert.rejects(writeKeyFiles(pairIn(join(root, 'absent'))), { code: 'usage.file' });
});
