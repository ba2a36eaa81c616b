import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { openSqlite } from '../../../src/storage/sqlite/open.ts';
import { faultOf, text } from '../expectations.ts';
import { temporaryFolder } from '../rooms.ts';
import { idsOf, makeThings, thing, thingsOf } from '../rows.ts';

const OPEN_TS = join(import.meta.dirname, '../../../src/storage/sqlite/open.ts');

test('a second database on the same file is locked out until the first is closed', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'tables.db');
  const first = await openSqlite(path);
  await assert.rejects(openSqlite(path), faultOf('storage.locked'));
  await first.registers.swap('k', null, text('v'));
  await first[Symbol.asyncDispose]();
  await using second = await openSqlite(path);
  assert.notEqual(await second.registers.read('k'), null);
});

test('another process is locked out, and its death by kill -9 opens the lock', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'tables.db');
  const program = `
    const { openSqlite } = await import(${JSON.stringify(OPEN_TS)});
    const store = await openSqlite(${JSON.stringify(path)});
    await store.registers.swap('leases/work', null, Buffer.from('left behind'));
    console.log('open');
    setInterval(() => {}, 1000);`;
  const flags = ['--conditions=@bulla/source', '--input-type=module', '-e', program];
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    await assert.rejects(openSqlite(path), faultOf('storage.locked'));
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await using store = await openSqlite(path);
  // Its leases went with it: whoever has the lock knows that nobody holds them.
  assert.equal(await store.registers.read('leases/work'), null);
});

test('an open database that nobody uses does not keep the process alive', async () => {
  await using folder = await temporaryFolder();
  const program = `
    const { openSqlite } = await import(${JSON.stringify(OPEN_TS)});
    const store = await openSqlite(${JSON.stringify(join(folder.path, 'tables.db'))});
    await store.registers.swap('k', null, Buffer.from('v'));
    await store.registers.list('');`;
  const flags = ['--conditions=@bulla/source', '--input-type=module', '-e', program];
  const child = spawn(process.execPath, flags, { stdio: 'inherit', timeout: 60_000 });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('the files are readable by their owner only', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'deep', 'er', 'tables.db');
  await using store = await openSqlite(path);
  await store.registers.swap('k', null, text('v'));
  for (const name of [path, `${path}-wal`, `${path}-shm`]) {
    assert.equal((await stat(name)).mode & 0o777, 0o600, name);
  }
  assert.equal((await stat(join(folder.path, 'deep'))).mode & 0o777, 0o700);
});

test('commits are synced: WAL, FULL, and references are checked', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'tables.db');
  await using store = await openSqlite(path);
  const { sql } = await import('kysely');
  const pragma = async (name: string) =>
    Object.values(
      (await sql<object>`${sql.raw(`pragma ${name}`)}`.execute(store.tables.db)).rows[0] ?? {},
    );
  assert.deepEqual(await pragma('journal_mode'), ['wal']);
  assert.deepEqual(await pragma('synchronous'), [2]);
  assert.deepEqual(await pragma('foreign_keys'), [1]);
});

const FOREIGN: readonly { readonly name: string; make(path: string): Promise<void> }[] = [
  { name: 'text', make: (path) => writeFile(path, 'a letter, and nothing else\n'.repeat(100)) },
  { name: 'noise', make: (path) => writeFile(path, Buffer.alloc(8192, 0xa5)) },
  {
    name: 'a database of another program',
    async make(path) {
      const database = new DatabaseSync(path);
      database.exec('create table letters (id integer primary key)');
      database.close();
    },
  },
];

for (const { name, make } of FOREIGN) {
  test(`${name} in the place of the database is corrupt, and stays as it was`, async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'tables.db');
    await make(path);
    const before = await readFile(path);
    await assert.rejects(openSqlite(path), faultOf('storage.corrupt'));
    assert.ok(Buffer.compare(await readFile(path), before) === 0);
  });
}

test('damage within the database is corrupt for who reads there', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'tables.db');
  {
    await using store = await openSqlite(path);
    const db = await makeThings(store);
    const rows = Array.from({ length: 500 }, (_, id) =>
      thing(id, `thing ${id} ${'x'.repeat(200)}`),
    );
    await db.insertInto('things').values(rows).execute();
    for (let n = 0; n < 100; n++) await store.registers.swap(`k/${n}`, null, new Uint8Array(900));
  }
  // All pages but the first ones, which hold the schema.
  const file = await open(path, 'r+');
  const { size } = await file.stat();
  await file.write(Buffer.alloc(size - 10 * 4096, 0xff), 0, size - 10 * 4096, 10 * 4096);
  await file.close();
  const reading = async () => {
    await using store = await openSqlite(path);
    await thingsOf(store.tables).selectFrom('things').selectAll().execute();
  };
  await assert.rejects(reading(), faultOf('storage.corrupt'));
  const cells = async () => {
    await using store = await openSqlite(path);
    for (let n = 0; n < 100; n++) await store.registers.read(`k/${n}`);
  };
  await assert.rejects(cells(), faultOf('storage.corrupt'));
});

test('a folder that cannot be made, and one in the place of the file, are unsuitable', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'file'), '');
  const unsuitable = faultOf('storage.folder-unsuitable');
  await assert.rejects(openSqlite(join(folder.path, 'file', 'tables.db')), unsuitable);
  await assert.rejects(openSqlite(folder.path), unsuitable);
});

/** A small file system of its own; null, and the test skipped by its name, where none can be made. */
function smallDisk(t: TestContext, path: string, options: string): AsyncDisposable | null {
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' });
  } catch {
    t.skip('a tmpfs cannot be mounted here');
    return null;
  }
  return { [Symbol.asyncDispose]: async () => void execFileSync('/bin/umount', [path]) };
}

test('a read-only folder is unsuitable', async (t) => {
  await using folder = await temporaryFolder();
  const disk = smallDisk(t, folder.path, 'size=2m,ro');
  if (disk === null) return;
  await using _mounted = disk;
  const path = join(folder.path, 'tables.db');
  await assert.rejects(openSqlite(path), faultOf('storage.folder-unsuitable'));
});

test('a full disk refuses what has no room, keeps what was acknowledged, and goes on', async (t) => {
  await using folder = await temporaryFolder();
  const disk = smallDisk(t, folder.path, 'size=3m');
  if (disk === null) return;
  await using _mounted = disk;
  const path = join(folder.path, 'tables.db');
  const full = faultOf('storage.full');
  const kept: string[] = [];
  {
    await using store = await openSqlite(path);
    const db = await makeThings(store);
    const ballast = join(folder.path, 'ballast');
    await writeFile(ballast, new Uint8Array(1 << 20));
    let refused: unknown = null;
    for (let n = 0; refused === null && n < 10_000; n++) {
      try {
        await store.registers.swap(`k/${n}`, null, new Uint8Array(20_000));
        kept.push(`k/${n}`);
      } catch (error) {
        refused = error;
      }
    }
    full(refused);
    const content = new Uint8Array(1 << 20);
    await assert.rejects(
      db
        .insertInto('things')
        .values({ ...thing(1), content })
        .execute(),
      full,
    );
    const transaction = db.transaction().execute(async (trx) => {
      await trx.insertInto('things').values(thing(2)).execute();
      await trx
        .insertInto('things')
        .values({ ...thing(3), content })
        .execute();
    });
    await assert.rejects(transaction, full);
    assert.deepEqual(await idsOf(db), []);
    assert.deepEqual(await store.registers.list('k/'), kept.toSorted());
    await writeFile(ballast, '');
    await store.registers.swap('after', null, text('v'));
    await db.insertInto('things').values(thing(4)).execute();
  }
  await using store = await openSqlite(path);
  assert.deepEqual(await store.registers.list('k/'), kept.toSorted());
  assert.notEqual(await store.registers.read('after'), null);
  assert.deepEqual(await idsOf(thingsOf(store.tables)), [4]);
});

for (const [name, replace] of [
  ['removed', (path: string) => rename(path, `${path}.away`)],
  [
    'replaced',
    async (path: string) => {
      await rename(path, `${path}.away`);
      await copyFile(`${path}.away`, path);
    },
  ],
] as const) {
  test(`a database whose file was ${name} acknowledges nothing until the same file is back`, async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'tables.db');
    await using store = await openSqlite(path);
    await makeThings(store);
    const db = thingsOf(store.tables);
    const insert = (id: number) => db.insertInto('things').values(thing(id)).execute();
    await insert(1);
    await replace(path);
    const moved = { code: 'storage.moved' };
    await assert.rejects(insert(2), moved);
    await assert.rejects(idsOf(db), moved);
    await assert.rejects(store.registers.swap('key', null, Buffer.from('value')), moved);
    await assert.rejects(
      db.transaction().execute((trx) => trx.insertInto('things').values(thing(3)).execute()),
      moved,
    );
    await rename(`${path}.away`, path);
    await insert(4);
    const ids = await idsOf(db);
    assert.ok(ids.includes(1) && ids.includes(4), String(ids));
  });
}
