import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bindable, bindFolder } from '../../src/storage/binding.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import type { Registers } from '../../src/storage/registers.ts';
import { faultOf, text } from './expectations.ts';
import { type Count, faulty, MISHAPS, type Plan, type Watch } from './faulty.ts';

const foreign = faultOf('storage.folder-foreign');

/** A folder that knows its id, as the files room keeps it. */
function folderOf(known: string | null = null): Bindable {
  let id = known;
  return {
    folder: '/objects',
    read: async () => id,
    settle: async (wanted) => {
      id ??= wanted;
      return id;
    },
  };
}

const databaseOf = (): Registers => openMemory().registers;

test('a new folder and a new database become one pair, and stay it', async () => {
  const [registers, folder] = [databaseOf(), folderOf()];
  await bindFolder(registers, folder);
  const id = await folder.read();
  assert.match(id ?? '', /^[0-9a-f]{24}$/);
  await bindFolder(registers, folder);
  assert.equal(await folder.read(), id);
});

test('a folder of another database, and a database of another folder, are refused', async () => {
  const [registers, folder] = [databaseOf(), folderOf()];
  await bindFolder(registers, folder);
  const other = folderOf();
  await bindFolder(databaseOf(), other);
  await assert.rejects(bindFolder(databaseOf(), folder), foreign, 'a new database');
  await assert.rejects(bindFolder(registers, other), foreign, 'a folder of another one');
  const empty = folderOf();
  await assert.rejects(bindFolder(registers, empty), foreign, 'an empty folder');
  assert.equal(await empty.read(), null);
  await bindFolder(registers, folder);
});

test('several that start at once agree; of two databases on one folder one has it', async () => {
  for (let round = 0; round < 20; round++) {
    const [registers, folder] = [databaseOf(), folderOf()];
    await Promise.all([1, 2, 3, 4].map(() => bindFolder(registers, folder)));
    const contested = folderOf();
    const [one, two] = [databaseOf(), databaseOf()];
    const both = [bindFolder(one, contested), bindFolder(two, contested)];
    const refused = (await Promise.allSettled(both)).flatMap((end) =>
      end.status === 'rejected' ? [end.reason] : [],
    );
    assert.equal(refused.length, 1);
    foreign(refused[0]);
  }
});

for (const mishap of MISHAPS) {
  test(`${mishap} at each call: the next start goes on with the pair`, async () => {
    for (let call = 0, hit = true; hit; call++) {
      const [registers, folder] = [databaseOf(), folderOf()];
      const watch: Watch = { hit: false, method: '' };
      const count: Count = { calls: 0, over: false };
      const error = () => new Error('injected');
      const plan: Plan = { mishap, call, counts: () => true, error };
      const { read, settle } = faulty({ ...folder }, plan, watch, count);
      const faults = faulty(registers, plan, watch, count);
      await bindFolder(faults, { folder: folder.folder, read, settle }).catch(() => null);
      hit = watch.hit;
      await bindFolder(registers, folder);
      await bindFolder(registers, folder);
      await assert.rejects(bindFolder(databaseOf(), folder), foreign);
      assert.ok(call < 50);
    }
  });
}

test('a cell that nobody wrote is corrupt', async () => {
  const registers = databaseOf();
  await registers.swap('objects-folder', null, text('bulla-folder 1 x made\n'));
  await assert.rejects(bindFolder(registers, folderOf()), faultOf('storage.corrupt'));
});
