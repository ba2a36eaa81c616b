import assert from 'node:assert/strict';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { RowStore } from '../../src/storage/store.ts';
import { text } from './expectations.ts';
import type { Count, Mishap, Plan, Watch } from './faulty.ts';
import { idsOf, makeThings, thing, thingsOf } from './rows.ts';

/** A write that goes wrong somewhere; each is done wholly or not at all. */
export interface Scenario {
  readonly name: string;
  prepare(store: RowStore): Promise<unknown>;
  /** Doing it again must complete it. */
  write(store: RowStore): Promise<unknown>;
  /** Whether it is wholly done (true) or wholly not (false); throws for anything between. */
  isDone(store: RowStore): Promise<boolean>;
}

async function textOf({ registers }: RowStore, key: string): Promise<string | null> {
  const cell = await registers.read(key);
  return cell === null ? null : Buffer.from(cell.value).toString();
}

/** The writes of a room of rows. */
export const ROW_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a swap of a new cell',
    prepare: makeThings,
    async write(store) {
      if ((await textOf(store, 'a/k')) === null)
        await store.registers.swap('a/k', null, text('new'));
    },
    async isDone(store) {
      const found = await textOf(store, 'a/k');
      assert.ok(found === null || found === 'new', String(found));
      return found === 'new';
    },
  },
  {
    name: 'a swap of an old cell',
    async prepare(store) {
      await makeThings(store);
      await store.registers.swap('k', null, text('old'));
    },
    async write({ registers }) {
      const cell = await registers.read('k');
      assert.ok(cell !== null);
      await registers.swap('k', cell.version, text('new'));
    },
    async isDone(store) {
      const found = await textOf(store, 'k');
      assert.ok(found === 'old' || found === 'new', String(found));
      return found === 'new';
    },
  },
  {
    name: 'a deletion of a cell',
    async prepare(store) {
      await makeThings(store);
      await store.registers.swap('k', null, text('old'));
    },
    async write({ registers }) {
      const cell = await registers.read('k');
      if (cell !== null) await registers.delete('k', cell.version);
    },
    isDone: async (store) => (await textOf(store, 'k')) === null,
  },
  {
    name: 'a transaction of three rows',
    prepare: makeThings,
    async write(store) {
      await thingsOf(store.tables)
        .transaction()
        .execute(async (trx) => {
          await trx.deleteFrom('things').execute();
          for (const id of [1, 2, 3]) await trx.insertInto('things').values(thing(id)).execute();
        });
    },
    async isDone(store) {
      const ids = await idsOf(thingsOf(store.tables));
      assert.ok(ids.length === 0 || ids.length === 3, `${ids.length} of 3 rows`);
      return ids.length === 3;
    },
  },
  {
    name: 'rows that are written at once',
    prepare: makeThings,
    async write(store) {
      const db = thingsOf(store.tables);
      const insert = (id: number) =>
        db
          .insertInto('things')
          .values(thing(id))
          .onConflict((conflict) => conflict.column('id').doNothing())
          .execute();
      const first = await Promise.allSettled([1, 2, 3, 4].map(insert));
      const failed = first.find((outcome) => outcome.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    },
    isDone: async (store) => (await idsOf(thingsOf(store.tables))).length === 4,
  },
];

/** A store, opened once with the mishap and later without. */
export interface Openings {
  /** With a mishap that the plan describes. */
  faulty(plan: Plan, watch: Watch, count: Count): Promise<RowStore>;
  plain(): Promise<RowStore>;
}

/** One run with the mishap at one call; false when the write had no such call. */
export async function tryCall(
  openings: Openings,
  scenario: Scenario,
  mishap: Mishap,
  call: number,
): Promise<boolean> {
  {
    await using store = await openings.plain();
    await scenario.prepare(store);
  }
  const watch: Watch = { hit: false, method: '' };
  // Calls count from when the store is open.
  const count: Count = { calls: 0, over: true };
  const lost = () => new TrustFault('storage.failed', 'injected');
  const plan: Plan = { mishap, call, counts: (method) => COUNTED.has(method), error: lost };
  let acknowledged = false;
  {
    await using store = await openings.faulty(plan, watch, count);
    count.over = false;
    const outcome = await scenario.write(store).then(
      () => null,
      (error: unknown) => error,
    );
    acknowledged = outcome === null;
    if (outcome !== null) {
      assert.ok(outcome instanceof TrustFault, String(outcome));
      assert.equal(outcome.code, 'storage.failed');
    }
    count.over = true;
    if (mishap !== 'killed between') {
      const done = await scenario.isDone(store);
      assert.ok(done || !acknowledged, 'acknowledged and not there');
      await scenario.write(store);
      assert.equal(await scenario.isDone(store), true, 'again completes it');
      acknowledged = true;
    }
  }
  await using store = await openings.plain();
  const done = await scenario.isDone(store);
  assert.ok(done || !acknowledged, 'acknowledged and lost');
  await scenario.write(store);
  assert.equal(await scenario.isDone(store), true, 'again after the restart');
  return watch.hit;
}

const COUNTED: ReadonlySet<string> = new Set(['ask', 'run', 'acquire']);
