import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { BINDING } from '../src/storage/binding.ts';
import { openFiles } from '../src/storage/files/open.ts';
import { MIGRATIONS } from '../src/storage/migrations.ts';
import type { ServerStore } from '../src/storage/store.ts';
import { openStore, type StoreConfig } from '../src/store.ts';
import { faultOf, text } from './storage/expectations.ts';
import { postgresServer, temporaryFolder } from './storage/rooms.ts';

const clock = (): Date => new Date();

async function writeEach(store: ServerStore): Promise<void> {
  await store.objects.put('o/n', text('object'));
  assert.notEqual(await store.registers.swap('k', null, text('cell')), null);
  await store.tables.db.updateTable('access_epochs').set({ value: 7 }).execute();
}

async function checkEach(store: ServerStore): Promise<void> {
  assert.deepEqual(await store.objects.list(''), ['o/n']);
  const cells = await store.registers.list('');
  assert.deepEqual(
    cells.filter((key) => key !== BINDING),
    ['k'],
  );
  const rows = await store.tables.db.selectFrom('access_epochs').select('value').execute();
  assert.deepEqual(rows, [{ value: 7 }]);
}

test('embedded: objects, cells and rows lie in one folder, for one process', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'data');
  const config: StoreConfig = { store: 'embedded', folder: path };
  {
    await using store = await openStore(config, { clock });
    await writeEach(store);
    await assert.rejects(openStore(config, { clock }), faultOf('storage.locked'));
    await checkEach(store);
    const names = await readdir(path);
    assert.deepEqual(
      names.filter((name) => !name.startsWith('tables.db')),
      ['objects'],
    );
  }
  await using again = await openStore(config, { clock });
  await checkEach(again);
});

test('embedded: objects may lie on another volume, for one process as well', async () => {
  await using folder = await temporaryFolder();
  const [data, objectsFolder] = [join(folder.path, 'data'), join(folder.path, 'blobs')];
  const config: StoreConfig = { store: 'embedded', folder: data, objectsFolder };
  {
    await using store = await openStore(config, { clock });
    await writeEach(store);
    assert.deepEqual(await readdir(objectsFolder), ['objects']);
    assert.ok(!(await readdir(data)).includes('objects'));
    const other: StoreConfig = { store: 'embedded', folder: join(folder.path, 'x'), objectsFolder };
    await assert.rejects(openStore(other, { clock }), faultOf('storage.locked'));
  }
  await using again = await openStore(config, { clock });
  await checkEach(again);
});

test('embedded: when one room cannot be opened the other is closed', async () => {
  await using folder = await temporaryFolder();
  const config: StoreConfig = { store: 'embedded', folder: folder.path };
  {
    await using _objects = await openFiles(join(folder.path, 'objects'));
    await assert.rejects(openStore(config, { clock }), faultOf('storage.locked'));
  }
  await using store = await openStore(config, { clock });
  await writeEach(store);
});

test('memory: everything is there, and nothing of it in a second one', async () => {
  await using store = await openStore({ store: 'memory' }, { clock });
  await writeEach(store);
  await checkEach(store);
  await using other = await openStore({ store: 'memory' }, { clock });
  assert.deepEqual(await other.registers.list(''), []);
});

test('postgres: rows and cells in the database, objects in the folder', async (t) => {
  const server = await postgresServer(t);
  if (server === null) return;
  await using folder = await temporaryFolder();
  const url = await server.database();
  const config: StoreConfig = { store: 'postgres', url, poolSize: 4, folder: folder.path };
  {
    await using store = await openStore(config, { clock });
    await writeEach(store);
  }
  await using again = await openStore(config, { clock });
  await checkEach(again);
  const { rows } = await again.tables.db.executeQuery<{ readonly name: string }>(
    again.tables.db
      .withTables<{ kysely_migration: { name: string } }>()
      .selectFrom('kysely_migration')
      .select('name')
      .orderBy('name')
      .compile(),
  );
  assert.deepEqual(
    rows.map(({ name }) => name),
    Object.keys(MIGRATIONS),
  );
});
