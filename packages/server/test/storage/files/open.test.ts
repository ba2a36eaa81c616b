import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFiles } from '../../../src/storage/files/open.ts';
import { pathOf } from '../../../src/storage/files/path.ts';
import { type Lock, openLock } from '../../../src/storage/lock.ts';
import { faultOf, text } from '../expectations.ts';
import { temporaryFolder } from '../rooms.ts';

const OPEN_TS = join(import.meta.dirname, '../../../src/storage/files/open.ts');

test('a second store of the same process is locked out until the first is closed', async () => {
  await using folder = await temporaryFolder();
  const first = await openFiles(folder.path);
  await assert.rejects(openFiles(folder.path), faultOf('storage.locked'));
  await first.registers.swap('k', null, text('v'));
  await first[Symbol.asyncDispose]();
  await using second = await openFiles(folder.path);
  assert.ok((await second.registers.read('k')) !== null);
});

test('another process is locked out, and its death by kill -9 opens the lock', async () => {
  await using folder = await temporaryFolder();
  const program = `
    const { openFiles } = await import(${JSON.stringify(OPEN_TS)});
    await openFiles(${JSON.stringify(folder.path)});
    console.log('open');
    setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ['--conditions=@bulla/source', '--input-type=module', '-e', program],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await once(child.stdout, 'data');
    await assert.rejects(openFiles(folder.path), faultOf('storage.locked'));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await using store = await openFiles(folder.path);
  assert.deepEqual(await store.objects.list(''), []);
});

/** Locks of a volume that refuses each, as one does whose lock service is missing (ENOLCK). */
async function noLocks(path: string): Promise<Lock> {
  const lock = await openLock(path);
  return { ...lock, tryExclusive: () => false, tryShared: () => false };
}

/** Locks of a volume that everybody can have: each machine keeps its own. */
async function emptyLocks(path: string): Promise<Lock> {
  const lock = await openLock(path);
  return { ...lock, tryExclusive: () => true, tryShared: () => true };
}

test('a volume without locks, or with locks that hold nobody off, is not shared', async () => {
  const missing = faultOf('storage.locks-missing');
  await using folder = await temporaryFolder();
  await assert.rejects(openFiles(folder.path, { shared: true, lockAt: noLocks }), missing);
  const options = { shared: true, beatMs: 20, lockAt: emptyLocks };
  await using first = await openFiles(folder.path, options);
  await first.objects.put('n', text('x'));
  await assert.rejects(openFiles(folder.path, options), missing);
  await first.objects.put('m', text('x'));
  assert.deepEqual(await first.objects.list(''), ['m', 'n']);
});

test('a folder with other things in it is refused, untouched', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'letter.txt'), 'mine');
  await assert.rejects(openFiles(folder.path), faultOf('storage.folder-unsuitable'));
  assert.equal(await readFile(join(folder.path, 'letter.txt'), 'utf8'), 'mine');
});

test('a folder of another version is refused', async () => {
  await using folder = await temporaryFolder();
  await (await openFiles(folder.path))[Symbol.asyncDispose]();
  await writeFile(join(folder.path, 'format'), 'bulla-store 2\n');
  await assert.rejects(openFiles(folder.path), faultOf('storage.folder-unsuitable'));
});

test('a file in the place of the folder is refused', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'file'), '');
  const path = join(folder.path, 'file');
  await assert.rejects(openFiles(path), faultOf('storage.folder-unsuitable'));
  await assert.rejects(openFiles(join(path, 'below')), faultOf('storage.folder-unsuitable'));
});

test('a cell that was altered from outside is corrupt, not another value', async () => {
  await using folder = await temporaryFolder();
  await using store = await openFiles(folder.path);
  await store.registers.swap('tags/app/v1', null, text('sha256:aaaa'));
  const path = join(folder.path, 'cells', pathOf('tags/app/v1'));
  const before = await readFile(path);
  const cases = [
    { name: 'a flipped byte', bytes: Buffer.from(before.map((b, i) => (i === 110 ? b ^ 1 : b))) },
    { name: 'a cut value', bytes: before.subarray(0, before.length - 1) },
    { name: 'a cut head', bytes: before.subarray(0, 20) },
    { name: 'nothing', bytes: Buffer.alloc(0) },
  ];
  await chmod(path, 0o600);
  for (const { name, bytes } of cases) {
    await writeFile(path, bytes);
    await assert.rejects(store.registers.read('tags/app/v1'), faultOf('storage.corrupt'), name);
  }
});
