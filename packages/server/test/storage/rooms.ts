import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { sql } from 'kysely';
import { requirePeer } from '../../../../test/peers.ts';
import { type Postgres, startPostgres } from '../../../../test/postgres.ts';
import { openFiles } from '../../src/storage/files/open.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import { openPostgres } from '../../src/storage/postgres/open.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import type { RowStore, Store } from '../../src/storage/store.ts';
import type { RoomUnderTest } from './contract.ts';

/** A folder that is gone at the end of the test. */
export async function temporaryFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'bulla-store-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** How often a process in a test shows that it lives: whoever opens after a kill waits for three. */
export const QUICK_BEAT_MS = 20;

/** Every room of objects there is. */
export const ROOMS: readonly RoomUnderTest<Store>[] = [
  {
    name: 'memory',
    durable: false,
    place: async () => ({ open: async () => openMemory(), [Symbol.asyncDispose]: async () => {} }),
  },
  filesRoom('files', false),
  filesRoom('files, shared', true),
];

function filesRoom(name: string, shared: boolean): RoomUnderTest<Store> {
  return {
    name,
    durable: true,
    async place() {
      const folder = await temporaryFolder();
      return {
        open: () => openFiles(folder.path, { shared, beatMs: QUICK_BEAT_MS }),
        [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
      };
    },
  };
}

let started: Promise<Postgres> | undefined;

/** The server of this test file, which its end ends as well; null, and the test skipped, without. */
export async function postgresServer(t: TestContext): Promise<Postgres | null> {
  const program = requirePeer(t, 'postgresql');
  if (program === null) return null;
  started ??= startPostgres(program);
  return started;
}

/** Leaves nothing in a database; to make a new one takes ten times as long. */
export async function emptyDatabase(url: string): Promise<void> {
  await using store = await openPostgres({ url, poolSize: 1 });
  await sql`drop schema public cascade`.execute(store.tables.db);
  await sql`create schema public`.execute(store.tables.db);
}

/** The database of the rooms, one after another. */
let roomUrl: Promise<string> | undefined;

after(async () => {
  await (await started?.catch(() => undefined))?.close();
});

/** How the rooms of rows differ from their defaults in some test. */
export interface RowOptions {
  readonly idleTransactionMs?: number;
}

/** Every room of rows there is. */
export function rowRooms(options: RowOptions = {}): readonly RoomUnderTest<RowStore>[] {
  return [
    {
      name: 'sqlite',
      durable: true,
      async place() {
        const folder = await temporaryFolder();
        return {
          open: () => openSqlite(join(folder.path, 'tables.db'), options),
          [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
        };
      },
    },
    {
      name: 'sqlite in memory',
      durable: false,
      place: async () => ({
        open: () => openSqlite(':memory:', options),
        [Symbol.asyncDispose]: async () => {},
      }),
    },
    {
      name: 'postgres',
      durable: true,
      async place(t) {
        const server = await postgresServer(t);
        if (server === null) return null;
        roomUrl ??= server.database();
        const url = await roomUrl;
        await emptyDatabase(url);
        return {
          open: () => openPostgres({ url, ...options }),
          [Symbol.asyncDispose]: async () => {},
        };
      },
    },
  ];
}
