import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { testIn } from './contract.ts';
import { faultOf, text } from './expectations.ts';
import { rowRooms } from './rooms.ts';
import { idsOf, makeThings, thing, thingsOf } from './rows.ts';
import { TABLES } from './tables-contract.ts';

for (const room of rowRooms()) {
  for (const { name, run } of TABLES) {
    testIn(room, name, async (place) => {
      await using store = await place.open();
      await run(store);
    });
  }
  testIn(room, 'closed tables refuse every query', async (place) => {
    const store = await place.open();
    const db = await makeThings(store);
    await store[Symbol.asyncDispose]();
    const closed = faultOf('storage.closed');
    await assert.rejects(idsOf(db), closed);
    await assert.rejects(db.insertInto('things').values(thing(1)).execute(), closed);
    await assert.rejects(
      db.transaction().execute(async () => undefined),
      closed,
    );
  });
  testIn(room, 'disposing waits for the queries and the transaction under way', async (place) => {
    const store = await place.open();
    const db = await makeThings(store);
    const begun = Promise.withResolvers<void>();
    const writing = db.transaction().execute(async (trx) => {
      await trx.insertInto('things').values(thing(1)).execute();
      begun.resolve();
      await sleep(20);
      await trx.insertInto('things').values(thing(2)).execute();
    });
    const single = db.insertInto('things').values(thing(3)).execute();
    await begun.promise;
    await store[Symbol.asyncDispose]();
    await Promise.all([writing, single]);
  });
  if (!room.durable) continue;
  testIn(room, 'rows outlive a restart', async (place) => {
    {
      await using store = await place.open();
      const db = await makeThings(store);
      await db.insertInto('things').values(thing(1)).execute();
      await store.registers.swap('k', null, text('v'));
    }
    await using store = await place.open();
    assert.deepEqual(await idsOf(thingsOf(store.tables)), [1]);
    assert.notEqual(await store.registers.read('k'), null);
  });
}

for (const room of rowRooms({ idleTransactionMs: 100 })) {
  testIn(room, 'a transaction in which nothing is asked is rolled back', async (place) => {
    await using store = await place.open();
    const db = await makeThings(store);
    const idle = db.transaction().execute(async (trx) => {
      await trx.insertInto('things').values(thing(1)).execute();
      await sleep(600);
      await trx.insertInto('things').values(thing(2)).execute();
    });
    await assert.rejects(idle, faultOf('storage.failed'));
    assert.deepEqual(await idsOf(db), []);
    await db.insertInto('things').values(thing(3)).execute();
    assert.deepEqual(await idsOf(db), [3]);
  });
  testIn(room, 'a transaction that waits for another query of its own ends', async (place) => {
    await using store = await place.open();
    const db = await makeThings(store);
    // The mistake that the contract names: with one connection the inner swap waits for the outer.
    const nested = db.transaction().execute(async (trx) => {
      await trx.insertInto('things').values(thing(1)).execute();
      await store.registers.swap('k', null, text('v'));
      await trx.insertInto('things').values(thing(2)).execute();
    });
    const outcome = await nested.then(
      () => 'kept',
      () => 'undone',
    );
    assert.equal((await idsOf(db)).length, outcome === 'kept' ? 2 : 0);
    assert.notEqual(await store.registers.read('k'), null);
  });
}
