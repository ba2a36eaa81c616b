// Attackers of semantics 14 and 17 at a server: its exceptions, its decisions, its record and its cache.
import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from 'kysely';
import { requirePeer } from '../../../../test/peers.ts';
import { startPostgres } from '../../../../test/postgres.ts';
import {
  approved,
  brokenGlass,
  KEYS,
  RULES,
} from '../../../trust/test/policy/exceptions/exception-lab.ts';
import { type PolicyShape, ready, signed } from '../../../trust/test/policy-lab/policy.ts';
import { minutes } from '../../../trust/test/sigstore-lab/lab.ts';
import { keyed } from '../../../trust/test/sigstore-lab/question.ts';
import { tellOpenReviews } from '../../src/exceptions/reviews.ts';
import { createLog } from '../../src/http/log.ts';
import { openPostgres } from '../../src/storage/postgres/open.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import { type House, openHouse, type Replica } from './house.ts';
import { ANN, BOB } from './room.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

async function open(): Promise<House> {
  return openHouse(await openSqlite(':memory:'));
}

/** Hands an approved exception in, which ends so many minutes from now. */
async function except(house: House, replica: Replica, until = 30, more: object = {}) {
  const { document } = await approved(house.digest, { expires: minutes(until), ...more });
  await replica.exceptions.handIn(document, BOB);
  return document;
}

test('semantics 14: a pass that stands on an exception is cached until the second at which it expires', async () => {
  await using house = await open();
  const replica = await house.replica();
  assert.equal((await replica.decide()).outcome, 'deny');
  await except(house, replica);
  const first = await replica.answer();
  assert.deepEqual([first.decision.outcome, first.cache], ['admit', 'miss']);
  house.pass(30 * MINUTE - 1);
  const last = await replica.answer();
  assert.deepEqual([last.decision.outcome, last.cache], ['admit', 'hit']);
  house.pass(1);
  assert.equal((await replica.decide()).outcome, 'deny');
});

test('semantics 14: an answer that is given again without asking ends with its exception, and with a revocation', async () => {
  await using house = await open();
  const replica = await house.replica();
  const often = { often: true, surface: 'admission' } as const;
  for (const end of ['expiry', 'revocation'] as const) {
    const { id } = await except(house, replica, end === 'expiry' ? 1 : 30);
    await replica.answer(often);
    const hit = await replica.answer(often);
    assert.deepEqual([hit.decision.outcome, hit.cache], ['admit', 'hit']);
    if (end === 'expiry') house.pass(MINUTE);
    else await replica.exceptions.revoke(id, ANN, 'not needed');
    assert.equal(hit.again?.() ?? null, null);
    assert.equal((await replica.answer(often)).decision.outcome, 'deny');
  }
});

test('semantics 14: nor does it live on where another policy warns, which is no pass for anybody', async () => {
  await using house = await open();
  const replica = await house.replica();
  await house.replace({}, { name: 'watching', mode: 'warn', require: signed(['security']) });
  await except(house, replica, 1);
  house.pass(MINUTE - 2 * SECOND);
  const first = await replica.decide();
  assert.deepEqual([first.outcome, first.exceptions.length], ['admit', 1]);
  house.pass(2 * SECOND - 1);
  assert.equal((await replica.answer()).cache, 'hit');
  house.pass(1);
  assert.equal((await replica.decide()).outcome, 'deny');
});

test('semantics 17: who waits for a decision under way is not let in by what expired meanwhile', async () => {
  await using house = await open();
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const replica = await house.replica({
    given: async (all) => {
      asked.resolve();
      await gate.promise;
      return all;
    },
  });
  await except(house, replica, 1);
  house.pass(MINUTE - 1);
  const first = replica.decide();
  await asked.promise;
  house.pass(SECOND);
  const waiting = replica.decide();
  gate.resolve();
  assert.equal((await first).outcome, 'admit');
  assert.equal((await waiting).outcome, 'deny');
});

for (const [name, changes] of [
  ['names other approvers', { exceptions: { ...RULES, approvers: ['qa'] } }],
  [
    'has another key by the name of the approver',
    {
      authorities: (['release', 'qa', 'security', 'oncall'] as const).map((one) =>
        ready(keyed(KEYS[one === 'security' ? 'stranger' : one], one)),
      ),
      description: 'a hash of a lab knows no keys',
    },
  ],
  ['accepts none any more', { exceptions: null }],
  [
    'allows a minute where it allowed two days',
    { exceptions: { ...RULES, maxDurationMs: MINUTE } },
  ],
  ['asks for another signer there', { require: moved('security') }],
] as const satisfies readonly (readonly [string, Partial<PolicyShape>])[]) {
  test(`semantics 17: a policy of the same name that ${name} takes no exception of before, cached or not`, async () => {
    await using house = await open();
    const replica = await house.replica();
    const document = await except(house, replica);
    assert.equal((await replica.decide()).outcome, 'admit');
    await house.replace(changes);
    assert.equal((await replica.decide()).outcome, 'deny');
    // Nor could it be handed in now.
    const fresh = await approved(house.digest, { expires: minutes(31) });
    await assert.rejects(replica.exceptions.handIn(fresh.document, BOB), (error) => {
      return String(Object(error).code).startsWith('exception.');
    });
    assert.equal((await replica.exceptions.get(document.id)).state, 'approved');
  });
}

function moved(second: string): PolicyShape['require'] {
  return { kind: 'all', parts: [signed(['release']), signed([second])] };
}

test('semantics 14: what was taken before a revocation and is cached after it lets nobody in', async () => {
  await using house = await open();
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  let isHeld = true;
  const replica = await house.replica({
    given: async (all) => {
      asked.resolve();
      if (isHeld) await gate.promise;
      return all;
    },
  });
  const { id } = await except(house, replica);
  const first = replica.decide();
  await asked.promise;
  isHeld = false;
  await replica.exceptions.revoke(id, ANN, 'not needed');
  // Who asks after the revocation does not join what was begun before it.
  const second = replica.decide();
  gate.resolve();
  assert.equal((await first).outcome, 'admit');
  assert.equal((await second).outcome, 'deny');
  assert.equal((await replica.decide()).outcome, 'deny');
});

/** A revocation on one replica, seen by another that has cached a pass. */
async function revokedElsewhere(house: House, here: Replica, there: Replica): Promise<void> {
  const { id } = await except(house, here);
  house.pass(SECOND);
  assert.equal((await there.decide()).outcome, 'admit');
  assert.equal((await there.answer()).cache, 'hit');
  await here.exceptions.revoke(id, ANN, 'not needed');
  house.pass(SECOND);
  assert.equal((await there.decide()).outcome, 'deny');
  assert.equal((await there.exceptions.get(id)).state, 'revoked');
}

test('semantics 14: a revocation on one replica ends within a second what another has cached', async () => {
  await using house = await open();
  await revokedElsewhere(house, await house.replica(), await house.replica());
});

test('the same on two replicas with a PostgreSQL', async (t) => {
  const program = requirePeer(t, 'postgresql');
  if (program === null) return;
  await using postgres = await startPostgres(program);
  const url = await postgres.database();
  await using house = await openHouse(await openPostgres({ url }));
  await using rows = await openPostgres({ url });
  const [here, there] = [await house.replica(), await house.replica({ rows })];
  await revokedElsewhere(house, here, there);
  // Both hand in the same at once: it is one.
  const { document } = await brokenGlass(house.digest);
  await Promise.all([
    here.exceptions.breakGlass(document, ANN),
    there.exceptions.breakGlass(document, ANN),
  ]);
  assert.equal((await there.exceptions.counts()).breakGlassInForce, 1);
});

test('semantics 17: a database that is restored from before a revocation brings nothing back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-restored-'));
  try {
    const [path, backup] = [join(folder, 'tables.db'), join(folder, 'backup.db')];
    await using house = await openHouse(await openSqlite(path));
    const replica = await house.replica();
    const { id } = await except(house, replica);
    await sql`pragma wal_checkpoint(truncate)`.execute(house.room.tables.db);
    await copyFile(path, backup);
    await replica.exceptions.revoke(id, ANN, 'the key was stolen');
    await using rows = await openSqlite(backup);
    const restored = await house.replica({ rows });
    assert.equal((await restored.decide()).outcome, 'deny');
    const found = await restored.exceptions.get(id);
    assert.deepEqual([found.state, found.revoked?.by.name], ['revoked', 'a restored database']);
    assert.ok(restored.said.some((line) => line.includes('revoked again')));
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('semantics 17: nor does one that is restored under a server that runs', async () => {
  await using house = await open();
  const replica = await house.replica();
  const { id } = await except(house, replica);
  assert.equal((await replica.decide()).outcome, 'admit');
  await replica.exceptions.revoke(id, ANN, 'the key was stolen');
  // The row is as it was before; nobody starts anew and looks.
  await house.room.tables.db
    .updateTable('exceptions')
    .set({ state: 'approved', revoked_by: null, revoked_at: null, revoked_reason: null })
    .where('id', '=', id)
    .execute();
  assert.equal((await replica.exceptions.get(id)).state, 'approved');
  assert.equal((await replica.decide()).outcome, 'deny');
});

test('semantics 14: a kill between the row of a revocation and its epoch is made good by the next start', async () => {
  await using house = await open();
  const [here, there] = [await house.replica(), await house.replica()];
  const { id } = await except(house, here);
  house.pass(SECOND);
  assert.equal((await there.decide()).outcome, 'admit');
  await house.room.tables.db
    .updateTable('exceptions')
    .set({ state: 'revoked' })
    .where('id', '=', id)
    .execute();
  house.pass(SECOND);
  assert.equal((await there.answer()).cache, 'hit');
  await house.replica();
  house.pass(SECOND);
  assert.equal((await there.decide()).outcome, 'deny');
});

test('reviews that wait for longer than a day after the end are asked for on the log', async () => {
  await using house = await open();
  const replica = await house.replica();
  const { document } = await brokenGlass(house.digest);
  await replica.exceptions.breakGlass(document, ANN);
  const asked = async () => {
    const said: string[] = [];
    const log = createLog('warn', { write: (line) => void said.push(line) });
    await tellOpenReviews(replica.exceptions, log, house.at());
    return said;
  };
  assert.deepEqual(await asked(), []);
  // It ends after three hours.
  house.pass(27 * 60 * MINUTE);
  assert.deepEqual(await asked(), []);
  house.pass(1);
  const [line] = await asked();
  assert.match(line ?? '', /"level":"warn".*night-shift.*oncall@acme\.example/);
  await replica.exceptions.closeReview(document.id, BOB, 'it was needed');
  assert.deepEqual(await asked(), []);
});

test('break-glass and its open review stand in the metrics of every replica, until they end', async () => {
  await using house = await open();
  const replica = await house.replica();
  const { document } = await brokenGlass(house.digest);
  await replica.exceptions.breakGlass(document, ANN);
  assert.match(await replica.metrics(), /bulla_exception_acts_total\{act="broken"\} 1$/m);
  /** One that starts now counts now; those that run do so every quarter of a minute. */
  const told = async (held: number, open: number) => {
    const { metrics } = await house.replica();
    const wanted = [
      `bulla_exceptions_in_force ${held}`,
      `bulla_break_glass_in_force ${held}`,
      `bulla_break_glass_reviews_open ${open}`,
    ];
    let lines: readonly string[] = [];
    for (let looked = 0; looked < 1000; looked++) {
      lines = (await metrics()).split('\n');
      if (wanted.every((line) => lines.includes(line))) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.fail(`expected ${wanted.join()}, found ${lines.filter((line) => /glass/.test(line))}`);
  };
  await told(1, 1);
  await replica.exceptions.revoke(document.id, ANN, 'it is up');
  await told(0, 1);
  await replica.exceptions.closeReview(document.id, BOB, 'it was needed');
  await told(0, 0);
});
