import assert from 'node:assert/strict';
import { sql } from 'kysely';
import type { RowStore } from '../../src/storage/store.ts';
import { transact } from '../../src/storage/tables.ts';
import { type Case, faultOf } from './expectations.ts';
import { idsOf, makeThings, thing, thingsIn } from './rows.ts';

/** The promises of `Tables`. */
export const TABLES: readonly Case<RowStore>[] = [
  {
    name: 'what was written is read: numbers, text, bytes, null',
    async run(store) {
      const db = await makeThings(store);
      const content = Uint8Array.from({ length: 256 }, (_, n) => n);
      const name = 'größe 名前 \u{1f512} "quoted" \'; drop table things; --';
      await db.insertInto('owners').values({ id: 'o' }).execute();
      const row = { id: Number.MAX_SAFE_INTEGER, name, owner: 'o', content };
      await db.insertInto('things').values(row).execute();
      await db.insertInto('things').values(thing(-1)).execute();
      const rows = await db.selectFrom('things').selectAll().orderBy('id').execute();
      assert.deepEqual(rows, [thing(-1), row]);
      assert.equal(Object.getPrototypeOf(rows[1]?.content), Uint8Array.prototype);
    },
  },
  {
    name: 'counts, sums and divisions of integers are numbers',
    async run(store) {
      const db = await makeThings(store);
      for (const id of [1, 2, 4]) await db.insertInto('things').values(thing(id)).execute();
      const row = await db
        .selectFrom('things')
        .select(({ fn }) => [fn.countAll().as('n'), fn.sum('id').as('sum'), fn.max('id').as('max')])
        .executeTakeFirstOrThrow();
      assert.deepEqual(row, { n: 3, sum: 7, max: 4 });
      const halves = await db
        .selectFrom('things')
        .select(({ eb }) => [eb('id', '/', 3).as('third')])
        .orderBy('id')
        .execute();
      assert.deepEqual(halves, [{ third: 0 }, { third: 0 }, { third: 1 }]);
    },
  },
  {
    name: 'text is ordered by its bytes',
    async run(store) {
      const db = await makeThings(store);
      const names = ['b', 'a', 'B', 'Z', 'ä', 'a-b', 'ab', '_', '10', '9'];
      for (const [id, name] of names.entries()) {
        await db.insertInto('things').values(thing(id, name)).execute();
      }
      const rows = await db.selectFrom('things').select('name').orderBy('name').execute();
      const found = rows.map((row) => row.name);
      assert.deepEqual(found, names.toSorted());
      const after = await db
        .selectFrom('things')
        .select('name')
        .where('name', '>', 'Z')
        .orderBy('name')
        .execute();
      assert.deepEqual(
        after.map((row) => row.name),
        names.filter((name) => name > 'Z').toSorted(),
      );
    },
  },
  {
    name: 'rules of a table are kept',
    async run(store) {
      const db = await makeThings(store);
      await db.insertInto('things').values(thing(1)).execute();
      const insert = (row: object) =>
        db
          .insertInto('things')
          .values({ ...thing(2), ...row })
          .execute();
      await assert.rejects(insert({ id: 1 }), faultOf('storage.conflict'));
      await assert.rejects(insert({ name: 'thing 1' }), faultOf('storage.conflict'));
      await assert.rejects(insert({ name: null }), faultOf('storage.constraint'));
      await assert.rejects(insert({ owner: 'nobody' }), faultOf('storage.constraint'));
      assert.deepEqual(await idsOf(db), [1]);
    },
  },
  {
    name: 'what only some rooms could store is refused by all',
    async run(store) {
      const db = await makeThings(store);
      const values: readonly (readonly [string, unknown])[] = [
        ['a NUL', { name: 'a\0b' }],
        ['half a surrogate pair', { name: 'a\ud800' }],
        ['a number beyond 2^53', { id: 2 ** 53 }],
        ['not a number', { id: Number.NaN }],
        ['a boolean', { id: true }],
        ['a date', { name: new Date(0) }],
        ['an object', { name: { a: 1 } }],
      ];
      for (const [name, value] of values) {
        const insert = db.insertInto('things').values({ ...thing(1), ...(value as object) });
        await assert.rejects(insert.execute(), faultOf('storage.value-invalid'), name);
      }
    },
  },
  {
    name: 'one failing among many at once fails alone',
    async run(store) {
      const db = await makeThings(store);
      await db.insertInto('things').values(thing(7)).execute();
      const inserts = Array.from({ length: 20 }, (_, id) =>
        db.insertInto('things').values(thing(id)).execute(),
      );
      const failed = (await Promise.allSettled(inserts)).flatMap(({ status }, id) =>
        status === 'rejected' ? [id] : [],
      );
      assert.deepEqual(failed, [7]);
      assert.equal((await idsOf(db)).length, 20);
    },
  },
  {
    name: 'bytes are taken when the query is made',
    async run(store) {
      const db = await makeThings(store);
      const content = Uint8Array.of(1, 2, 3);
      const insert = db
        .insertInto('things')
        .values({ ...thing(1), content })
        .execute();
      const before = db.insertInto('things').values(thing(2)).execute();
      await new Promise((resolve) => setImmediate(resolve));
      content[0] = 9;
      await Promise.all([insert, before]);
      const row = await db.selectFrom('things').select('content').where('id', '=', 1).execute();
      assert.deepEqual(row[0]?.content, Uint8Array.of(1, 2, 3));
    },
  },
  {
    name: 'a large value comes back whole',
    async run(store) {
      const db = await makeThings(store);
      const content = new Uint8Array(12 << 20).fill(5);
      await db
        .insertInto('things')
        .values({ ...thing(1), content })
        .execute();
      const [row] = await db.selectFrom('things').select('content').execute();
      assert.ok(row?.content != null && Buffer.compare(row.content, content) === 0);
    },
  },
  {
    name: 'an upsert and a returning clause answer what they did',
    async run(store) {
      const db = await makeThings(store);
      const insert = db.insertInto('things').values(thing(1, 'first')).returning('id');
      assert.deepEqual(await insert.execute(), [{ id: 1 }]);
      await db
        .insertInto('things')
        .values(thing(1, 'second'))
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ name: 'second' }))
        .execute();
      const update = db.updateTable('things').set({ name: 'third' });
      const none = await update.where('id', '=', 9).executeTakeFirst();
      assert.equal(none.numUpdatedRows, 0n);
      const one = await update.where('name', '=', 'second').executeTakeFirst();
      assert.equal(one.numUpdatedRows, 1n);
      const gone = await db.deleteFrom('things').where('id', '=', 1).executeTakeFirst();
      assert.equal(gone.numDeletedRows, 1n);
    },
  },
  {
    name: 'a transaction is kept whole, or not at all',
    async run(store) {
      const db = await makeThings(store);
      const answer = await db.transaction().execute(async (trx) => {
        await trx.insertInto('things').values(thing(1)).execute();
        await trx.insertInto('things').values(thing(2)).execute();
        return (await trx.selectFrom('things').selectAll().execute()).length;
      });
      assert.equal(answer, 2);
      const broken = db.transaction().execute(async (trx) => {
        await trx.insertInto('things').values(thing(3)).execute();
        throw new Error('mine');
      });
      await assert.rejects(broken, { message: 'mine' });
      assert.deepEqual(await idsOf(db), [1, 2]);
    },
  },
  {
    name: 'a statement that fails ends its transaction, also when its failure was caught',
    async run(store) {
      const db = await makeThings(store);
      await db.insertInto('things').values(thing(1)).execute();
      const goingOn = db.transaction().execute(async (trx) => {
        await trx.insertInto('things').values(thing(2)).execute();
        await assert.rejects(
          trx.insertInto('things').values(thing(1)).execute(),
          faultOf('storage.conflict'),
        );
        await trx.insertInto('things').values(thing(3)).execute();
      });
      await assert.rejects(goingOn, faultOf('storage.failed'));
      const ending = db.transaction().execute(async (trx) => {
        await trx.insertInto('things').values(thing(2)).execute();
        await assert.rejects(trx.insertInto('things').values(thing(1)).execute());
      });
      await assert.rejects(ending, faultOf('storage.failed'));
      assert.deepEqual(await idsOf(db), [1]);
    },
  },
  {
    name: 'nobody sees a transaction before its end',
    async run(store) {
      const db = await makeThings(store);
      const begun = Promise.withResolvers<void>();
      const reads: Promise<readonly number[]>[] = [];
      const writing = db.transaction().execute(async (trx) => {
        await trx.insertInto('things').values(thing(1)).execute();
        // Started here; in a room with one connection it waits for the end of the transaction.
        reads.push(idsOf(db));
        begun.resolve();
        await trx.insertInto('things').values(thing(2)).execute();
      });
      await begun.promise;
      await writing;
      const [seen = []] = await Promise.all(reads);
      assert.ok(seen.length === 0 || seen.length === 2, `saw ${seen.length}`);
      assert.deepEqual(await idsOf(db), [1, 2]);
    },
  },
  {
    name: 'transactions act one after another: two that read the same and write apart',
    async run(store) {
      const db = await makeThings(store);
      await db
        .insertInto('things')
        .values([thing(1, 'on call'), thing(2, 'also on call')])
        .execute();
      // Each leaves if the other stays: write skew, which only serializable transactions prevent.
      const leave = (id: number) =>
        transact(store.tables, async (trx) => {
          const staying = await thingsIn(trx)
            .selectFrom('things')
            .select('id')
            .where('name', 'like', '%on call')
            .execute();
          if (staying.length < 2) return;
          await thingsIn(trx)
            .updateTable('things')
            .set({ name: `gone ${id}` })
            .where('id', '=', id)
            .execute();
        });
      await Promise.all([leave(1), leave(2)]);
      const rows = db.selectFrom('things').select('id').where('name', 'like', '%on call');
      assert.equal((await rows.execute()).length, 1);
    },
  },
  {
    name: 'counting in transactions loses nothing',
    async run(store) {
      const db = await makeThings(store);
      await db.insertInto('things').values(thing(1, '0')).execute();
      const count = () =>
        transact(store.tables, async (trx) => {
          const own = thingsIn(trx);
          const { name } = await own.selectFrom('things').select('name').executeTakeFirstOrThrow();
          await own
            .updateTable('things')
            .set({ name: String(Number(name) + 1) })
            .execute();
        });
      await Promise.all(Array.from({ length: 6 }, count));
      const row = await db.selectFrom('things').select('name').executeTakeFirstOrThrow();
      assert.equal(row.name, '6');
    },
  },
  {
    name: 'SQL that is wrong is a fault, and the next query works',
    async run(store) {
      const db = await makeThings(store);
      await assert.rejects(sql`select nothing from nowhere`.execute(db), faultOf('storage.failed'));
      assert.deepEqual(await idsOf(db), []);
    },
  },
];
