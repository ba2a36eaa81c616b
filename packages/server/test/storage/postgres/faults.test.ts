import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { TrustFault } from '@bulla/trust/fault/fault';
import { sql } from 'kysely';
import { requirePeer } from '../../../../../test/peers.ts';
import { startPostgres } from '../../../../../test/postgres.ts';
import type { Connection, Connections } from '../../../src/storage/postgres/connections.ts';
import { openPostgres } from '../../../src/storage/postgres/open.ts';
import type { RowStore } from '../../../src/storage/store.ts';
import { transact } from '../../../src/storage/tables.ts';
import { faultOf, text } from '../expectations.ts';
import { type Count, faulty, MISHAPS, type Plan, type Watch } from '../faulty.ts';
import { emptyDatabase, postgresServer, temporaryFolder } from '../rooms.ts';
import { idsOf, makeThings, thing, thingsIn } from '../rows.ts';
import { ROW_SCENARIOS, tryCall } from '../scenarios.ts';

/** Connections whose statements go wrong as planned; one that did is of no more use. */
function faultyConnections(
  inner: Connections,
  plan: Plan,
  watch: Watch,
  count: Count,
): Connections {
  async function acquire(): Promise<Connection> {
    const connection = await inner.acquire();
    const { run } = faulty(connection, plan, watch, count);
    let broken = false;
    return {
      async run(statement) {
        try {
          return await run(statement);
        } catch (error) {
          broken = true;
          throw error;
        }
      },
      release: (asBroken) => connection.release(broken || asBroken),
    };
  }
  return {
    acquire,
    async run(statement) {
      const connection = await acquire();
      try {
        return await connection.run(statement);
      } finally {
        connection.release(false);
      }
    },
    close: () => inner.close(),
  };
}

for (const scenario of ROW_SCENARIOS) {
  for (const mishap of MISHAPS) {
    test(`${scenario.name}: ${mishap} at each statement`, async (t) => {
      const server = await postgresServer(t);
      if (server === null) return;
      let call = 0;
      const url = await server.database();
      for (let hit = true; hit; call++) {
        await emptyDatabase(url);
        const openings = {
          plain: () => openPostgres({ url }),
          faulty: (plan: Plan, watch: Watch, count: Count) =>
            openPostgres({ url, wrap: (inner) => faultyConnections(inner, plan, watch, count) }),
        };
        hit = await tryCall(openings, scenario, mishap, call);
      }
      assert.ok(call >= 2, 'no call was tried');
    });
  }
}

async function opened(t: TestContext): Promise<{
  readonly store: RowStore;
  readonly url: string;
  readonly cut: () => Promise<unknown>;
} | null> {
  const server = await postgresServer(t);
  if (server === null) return null;
  const url = await server.database();
  const name = new URL(url).pathname.slice(1);
  return {
    url,
    store: await openPostgres({ url }),
    cut: () =>
      server.sql(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
      ),
  };
}

/** Until the driver has heard of a cut, each connection's next statement may be the one to find out. */
async function reconnected<T>(query: () => Promise<T>): Promise<T> {
  const isLost = faultOf('storage.failed');
  for (let tries = 0; tries < 20; tries++) {
    try {
      return await query();
    } catch (error) {
      isLost(error);
    }
  }
  throw new Error('still not connected');
}

test('a connection that is cut in mid-transaction undoes it, and the next is a new one', async (t) => {
  const found = await opened(t);
  if (found === null) return;
  await using store = found.store;
  const db = await makeThings(store);
  const writing = db.transaction().execute(async (trx) => {
    await trx.insertInto('things').values(thing(1)).execute();
    await found.cut();
    await trx.insertInto('things').values(thing(2)).execute();
  });
  await assert.rejects(writing, faultOf('storage.failed'));
  assert.deepEqual(await reconnected(() => idsOf(db)), []);
});

test('connections that were cut while nobody used them are replaced', async (t) => {
  const found = await opened(t);
  if (found === null) return;
  await using store = found.store;
  const db = await makeThings(store);
  for (let round = 0; round < 3; round++) {
    await Promise.all(Array.from({ length: 5 }, () => store.registers.read('k')));
    await found.cut();
    assert.deepEqual(await reconnected(() => idsOf(db)), []);
  }
});

test('a statement that takes too long is cancelled', async (t) => {
  const server = await postgresServer(t);
  if (server === null) return;
  const url = await server.database();
  await using store = await openPostgres({ url, statementTimeoutMs: 100 });
  const slow = sql`select pg_sleep(60)`.execute(store.tables.db);
  await assert.rejects(slow, faultOf('storage.failed'));
  assert.equal(await store.registers.read('k'), null);
});

test('two transactions that write what the other read: one is busy', async (t) => {
  const found = await opened(t);
  if (found === null) return;
  await using store = found.store;
  const db = await makeThings(store);
  const both = Array.from({ length: 2 }, () => Promise.withResolvers<void>());
  const add = (mine: number) =>
    db.transaction().execute(async (trx) => {
      const before = await idsOf(trx);
      both[mine]?.resolve();
      await both[1 - mine]?.promise;
      await trx
        .insertInto('things')
        .values(thing(10 * before.length + mine))
        .execute();
    });
  const outcomes = await Promise.allSettled([add(0), add(1)]);
  const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  assert.equal(refused.length, 1);
  faultOf('storage.busy')(refused[0]);
  const busyTwice = transact(store.tables, async (trx) => {
    await thingsIn(trx).insertInto('things').values(thing(99)).execute();
    throw new TrustFault('storage.busy', 'injected');
  });
  await assert.rejects(busyTwice, faultOf('storage.busy'));
  assert.equal((await idsOf(db)).length, 1);
});

test('swaps of two pools on one database: of one version one wins', async (t) => {
  const found = await opened(t);
  if (found === null) return;
  await using one = found.store;
  await using other = await openPostgres({ url: found.url });
  let version = await one.registers.swap('k', null, text('0'));
  for (let round = 0; round < 10; round++) {
    const swaps = [one, other, one, other].map((store, n) =>
      store.registers.swap('k', version, text(`${round} ${n}`)),
    );
    const won = (await Promise.all(swaps)).filter((next) => next !== null);
    assert.equal(won.length, 1);
    version = won[0] ?? null;
    assert.equal((await other.registers.read('k'))?.version, version);
  }
});

test('all that open a new database at once have it', async (t) => {
  const server = await postgresServer(t);
  if (server === null) return;
  for (let round = 0; round < 5; round++) {
    const url: string = await server.database();
    const stores: readonly RowStore[] = await Promise.all(
      Array.from({ length: 4 }, () => openPostgres({ url })),
    );
    for (const store of stores) {
      assert.equal(await store.registers.read('k'), null);
      await store[Symbol.asyncDispose]();
    }
  }
});

test('the database gone: faults while it is, and everything acknowledged when it is back', async (t) => {
  const program = requirePeer(t, 'postgresql');
  if (program === null) return;
  await using server = await startPostgres(program);
  await using store = await openPostgres({ url: await server.database() });
  const db = await makeThings(store);
  const kept: number[] = [];
  let stopped = false;
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let n = 0; !stopped; n++) {
      const id = writer * 1_000_000 + n;
      try {
        await db.insertInto('things').values(thing(id)).execute();
        kept.push(id);
      } catch (error) {
        // 57P03 of a server that is starting, a refused or a lost connection: all the same to us.
        faultOf('storage.failed')(error);
        await sleep(10);
      }
    }
  });
  while (kept.length < 50) await sleep(5);
  await server.crash();
  await assert.rejects(store.registers.read('k'), faultOf('storage.failed'));
  await server.restart();
  const before = kept.length;
  while (kept.length < before + 50) await sleep(5);
  stopped = true;
  await Promise.all(writers);
  const ids = new Set(await idsOf(db));
  assert.deepEqual(
    kept.filter((id) => !ids.has(id)),
    [],
  );
});

test('a server that cannot be reached is a fault, without the password', async () => {
  const opening = openPostgres({ url: 'postgresql://ann:hunter2@127.0.0.1:1/bulla' });
  await assert.rejects(opening, (error: unknown) => {
    assert.ok(error instanceof TrustFault);
    assert.equal(error.code, 'storage.failed');
    assert.ok(!error.message.includes('hunter2'), error.message);
    return true;
  });
});

test('TLS: the server’s certificate is checked', async (t) => {
  const program = requirePeer(t, 'postgresql');
  const openssl = requirePeer(t, 'openssl');
  if (program === null || openssl === null) return;
  await using folder = await temporaryFolder();
  const cert = join(folder.path, 'server.crt');
  const key = join(folder.path, 'server.key');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await promisify(execFile)(openssl, [...how, ...subject, '-keyout', key, '-out', cert]);
  await using server = await startPostgres(program, {
    tls: { cert: await readFile(cert), key: await readFile(key) },
  });
  await copyFile(cert, join(folder.path, 'ca.pem'));
  const at = (query: string) => server.url.replace('127.0.0.1', 'localhost') + query;
  {
    const url = at(`?sslmode=verify-full&sslrootcert=${join(folder.path, 'ca.pem')}`);
    await using store = await openPostgres({ url });
    const query = sql<{ readonly ssl: number }>`
      select count(*) as ssl from pg_stat_ssl where ssl and pid = pg_backend_pid()`;
    assert.deepEqual((await query.execute(store.tables.db)).rows, [{ ssl: 1 }]);
  }
  // An authority that nobody knows, and a name that is not in the certificate.
  const failed = faultOf('storage.failed');
  await assert.rejects(openPostgres({ url: at('?sslmode=verify-full') }), failed);
  const byAddress = `${server.url}?sslmode=verify-full&sslrootcert=${cert}`;
  await assert.rejects(openPostgres({ url: byAddress }), failed);
});
