import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';
import { migrate } from '../../src/storage/migrate.ts';
import { MIGRATIONS } from '../../src/storage/migrations.ts';
import type { Database } from '../../src/storage/schema.ts';
import type { RowStore } from '../../src/storage/store.ts';
import { testIn } from './contract.ts';
import { faultOf, text } from './expectations.ts';
import { rowRooms } from './rooms.ts';
import { clock, TEST_TABLES } from './rows.ts';

const NOTHING: Migration = { up: async () => undefined };

/** A migration that makes a table of this name, and says when it is in the middle. */
function making(name: string, middle: () => Promise<void> = async () => {}): Migration {
  return {
    async up(db: Kysely<Database>) {
      const table = (suffix: string) =>
        db.schema
          .createTable(name + suffix)
          .addColumn('id', 'bigint')
          .execute();
      await table('_one');
      await middle();
      await table('_two');
    },
  };
}

async function tablesOf({ tables }: RowStore): Promise<readonly string[]> {
  const found = await tables.db.introspection.getTables();
  return found.map(({ name }) => name).toSorted();
}

for (const room of rowRooms()) {
  testIn(room, 'the program’s own migrations run once', async (place) => {
    await using store = await place.open();
    assert.deepEqual(await migrate(store, { clock }), Object.keys(MIGRATIONS));
    assert.deepEqual(await migrate(store, { clock }), []);
    assert.equal(await store.registers.read('leases/migrate'), null);
    assert.deepEqual(Object.keys(MIGRATIONS), Object.keys(MIGRATIONS).toSorted());
  });
  testIn(room, 'new migrations run after those of before, rows stay', async (place) => {
    await using store = await place.open();
    await store.registers.swap('k', null, text('v'));
    const first = { '0001-a': making('a') };
    await migrate(store, { clock, migrations: first });
    const both = { ...first, '0002-b': making('b') };
    assert.deepEqual(await migrate(store, { clock, migrations: both }), ['0002-b']);
    assert.deepEqual(await tablesOf(store), ['a_one', 'a_two', 'b_one', 'b_two', 'registers']);
    assert.notEqual(await store.registers.read('k'), null);
  });
  testIn(room, 'a schema newer than the program is refused, untouched', async (place) => {
    await using store = await place.open();
    await migrate(store, { clock, migrations: { '0001-a': making('a'), '0003-new': NOTHING } });
    const before = await tablesOf(store);
    const older = { '0001-a': making('a'), '0002-b': making('b') };
    await assert.rejects(
      migrate(store, { clock, migrations: older }),
      faultOf('storage.schema-newer'),
    );
    assert.deepEqual(await tablesOf(store), before);
  });
  testIn(room, 'a migration that fails leaves nothing of the others', async (place) => {
    await using store = await place.open();
    const broken: Migration = {
      up: async () => {
        throw new Error('broken');
      },
    };
    const migrations = { '0001-a': making('a'), '0002-broken': broken };
    await assert.rejects(migrate(store, { clock, migrations }), faultOf('storage.failed'));
    assert.deepEqual(await tablesOf(store), ['registers']);
    await migrate(store, { clock, migrations: { '0001-a': making('a') } });
    assert.deepEqual(await tablesOf(store), ['a_one', 'a_two', 'registers']);
  });
  testIn(room, 'of several that start at once one migrates and the others wait', async (place) => {
    await using store = await place.open();
    const started: string[] = [];
    const migrations = {
      '0001-a': making('a', async () => {
        started.push('a');
        await sleep(50);
      }),
      '0002-test': TEST_TABLES,
    };
    const all = Array.from({ length: 4 }, () =>
      migrate(store, { clock, migrations, leaseMs: 2000 }),
    );
    const ran = (await Promise.all(all)).filter((names) => names.length > 0);
    assert.deepEqual(ran, [['0001-a', '0002-test']]);
    assert.deepEqual(started, ['a']);
  });
  testIn(room, 'a lease that a killed process left does not stop the next', async (place) => {
    await using store = await place.open();
    const dead = `bulla-lease 1 ${'d'.repeat(24)} 200\n`;
    await store.registers.swap('leases/migrate', null, text(dead));
    const migrations = { '0001-a': NOTHING };
    const late = migrate(store, { clock, migrations, waitMs: 0, leaseMs: 200 });
    await assert.rejects(late, faultOf('storage.lease-held'));
    assert.deepEqual(await migrate(store, { clock, migrations, leaseMs: 200 }), ['0001-a']);
  });
}
