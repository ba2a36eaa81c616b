import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import type { Code } from '@bulla/trust/fault/codes';
import { faultOf as faultOfSqlite } from '../../../src/storage/sqlite/faults.ts';
import { openSqlite } from '../../../src/storage/sqlite/open.ts';
import { type StartThread, startInline, startWorker } from '../../../src/storage/sqlite/thread.ts';
import { faultOf, text } from '../expectations.ts';
import { type Count, faulty, MISHAPS, type Plan, type Watch } from '../faulty.ts';
import { temporaryFolder } from '../rooms.ts';
import { idsOf, makeThings, thing, thingsOf } from '../rows.ts';
import { ROW_SCENARIOS, tryCall } from '../scenarios.ts';

/**
 * Threads whose requests go wrong as planned. The engines run in this thread: there are hundreds of
 * stores below, and what goes wrong lies before the engine.
 */
function faultyThreads(plan: Plan, watch: Watch, count: Count): StartThread {
  return async (options) => {
    const thread = await startInline(options);
    if (options.readOnly) return thread;
    const { ask } = faulty(thread, plan, watch, count);
    return { ask, ended: () => thread.ended(), close: () => thread.close() };
  };
}

for (const scenario of ROW_SCENARIOS) {
  for (const mishap of MISHAPS) {
    test(`${scenario.name}: ${mishap} at each request to the thread`, async () => {
      let call = 0;
      for (let hit = true; hit; call++) {
        await using folder = await temporaryFolder();
        const path = join(folder.path, 'tables.db');
        const openings = {
          plain: () => openSqlite(path, { start: startInline }),
          faulty: (plan: Plan, watch: Watch, count: Count) =>
            openSqlite(path, { start: faultyThreads(plan, watch, count) }),
        };
        hit = await tryCall(openings, scenario, mishap, call);
      }
      assert.ok(call >= 2, 'no call was tried');
    });
  }
}

/** Runs with the threads that are started meanwhile. */
async function withWorkers(run: (workers: readonly Worker[]) => Promise<void>): Promise<void> {
  const workers: Worker[] = [];
  const note = (worker: Worker) => void workers.push(worker);
  process.on('worker', note);
  try {
    await run(workers);
  } finally {
    process.off('worker', note);
  }
}

test('a thread that dies takes what was under way along, and the next one goes on', async () => {
  await using folder = await temporaryFolder();
  await withWorkers(async (workers) => {
    await using store = await openSqlite(join(folder.path, 'tables.db'));
    const db = await makeThings(store);
    const kept: number[] = [];
    for (let round = 0; round < 5; round++) {
      const writes = Array.from({ length: 20 }, async (_, n) => {
        const id = round * 100 + n;
        await db.insertInto('things').values(thing(id)).execute();
        kept.push(id);
      });
      const ended = workers.at(-1)?.terminate();
      for (const outcome of await Promise.allSettled(writes)) {
        if (outcome.status === 'rejected') faultOf('storage.failed')(outcome.reason);
      }
      await ended;
      await db
        .insertInto('things')
        .values(thing(round * 100 + 50))
        .execute();
      kept.push(round * 100 + 50);
      const ids = new Set(await idsOf(db));
      assert.deepEqual(
        kept.filter((id) => !ids.has(id)),
        [],
      );
    }
  });
});

test('a thread that dies in a transaction undoes it', async () => {
  await using folder = await temporaryFolder();
  await withWorkers(async (workers) => {
    await using store = await openSqlite(join(folder.path, 'tables.db'));
    const db = await makeThings(store);
    const writer = workers[0];
    const writing = db.transaction().execute(async (trx) => {
      await trx.insertInto('things').values(thing(1)).execute();
      await writer?.terminate();
      await trx.insertInto('things').values(thing(2)).execute();
    });
    await assert.rejects(writing, faultOf('storage.failed'));
    assert.deepEqual(await idsOf(db), []);
    await store.registers.swap('k', null, text('v'));
    await db.insertInto('things').values(thing(3)).execute();
    assert.deepEqual(await idsOf(db), [3]);
  });
});

test('a reader that dies is replaced', async () => {
  await using folder = await temporaryFolder();
  await withWorkers(async (workers) => {
    await using store = await openSqlite(join(folder.path, 'tables.db'));
    await makeThings(store);
    for (const worker of workers) await worker.terminate();
    assert.deepEqual(await idsOf(thingsOf(store.tables)), []);
  });
});

test('a search that takes its time holds up no write', async () => {
  await using folder = await temporaryFolder();
  let gate: Promise<void> = Promise.resolve();
  const start: StartThread = async (options) => {
    const thread = await startWorker(options);
    if (!options.readOnly) return thread;
    return { ...thread, ask: (request) => gate.then(() => thread.ask(request)) };
  };
  await using store = await openSqlite(join(folder.path, 'tables.db'), { start });
  const db = await makeThings(store);
  const search = Promise.withResolvers<void>();
  gate = search.promise;
  const found = idsOf(db);
  await store.registers.swap('k', null, text('v'));
  await db.insertInto('things').values(thing(1)).execute();
  assert.notEqual(await store.registers.read('k'), null);
  search.resolve();
  assert.deepEqual(await found, [1]);
});

test('what arrives together is one request to the thread', async () => {
  await using folder = await temporaryFolder();
  const groups: number[] = [];
  const start: StartThread = async (options) => {
    const thread = await startWorker(options);
    return {
      ...thread,
      ask(request) {
        if (request.kind === 'group') groups.push(request.statements.length);
        return thread.ask(request);
      },
    };
  };
  await using store = await openSqlite(join(folder.path, 'tables.db'), { start });
  groups.length = 0;
  const swaps = Array.from({ length: 100 }, (_, n) =>
    store.registers.swap(`k/${n}`, null, text('v')),
  );
  await Promise.all(swaps);
  assert.deepEqual(groups, [100]);
});

const CODES: readonly { readonly errcode: number; readonly expect: Code }[] = [
  { errcode: 13, expect: 'storage.full' },
  { errcode: 4874, expect: 'storage.full' },
  { errcode: 778, expect: 'storage.failed' },
  { errcode: 2067, expect: 'storage.conflict' },
  { errcode: 1299, expect: 'storage.constraint' },
  { errcode: 261, expect: 'storage.busy' },
  { errcode: 267, expect: 'storage.corrupt' },
];

for (const { errcode, expect } of CODES) {
  test(`what SQLite calls ${errcode} is ${expect}`, () => {
    assert.equal(faultOfSqlite({ errcode, message: 'said by SQLite' }, 'tables.db').code, expect);
  });
}
