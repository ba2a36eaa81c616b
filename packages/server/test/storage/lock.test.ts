import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { lockFile, openLock } from '../../src/storage/lock.ts';
import { faultOf } from './expectations.ts';
import { temporaryFolder } from './rooms.ts';

test('one has a lock alone, or many share it; and no other file is made', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'lock');
  const [one, two, three] = await Promise.all([openLock(path), openLock(path), openLock(path)]);
  assert.equal(one.tryExclusive(), true);
  assert.deepEqual([two.tryExclusive(), two.tryShared()], [false, false]);
  one.release();
  one.release();
  assert.deepEqual([two.tryShared(), three.tryShared(), one.tryExclusive()], [true, true, false]);
  two.close();
  assert.equal(one.tryExclusive(), false, 'the other has it still');
  three.release();
  assert.equal(one.tryExclusive(), true);
  await assert.rejects(lockFile(path), faultOf('storage.locked'));
  one.close();
  (await lockFile(path))();
  three.close();
  assert.deepEqual(await readdir(folder.path), ['lock']);
});

test('who only asks makes no file, and does not let go of what this process holds', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'lock');
  await assert.rejects(openLock(path, { readOnly: true }), /unable to open/);
  assert.deepEqual(await readdir(folder.path), []);
  const holder = await openLock(path);
  assert.equal(holder.tryExclusive(), true);
  for (let times = 0; times < 2; times++) {
    const asker = await openLock(path, { readOnly: true });
    assert.equal(asker.tryShared(), false);
    asker.close();
  }
  holder.close();
});
