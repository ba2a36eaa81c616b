import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { leasesOf } from './lease.ts';
import { MIGRATIONS } from './migrations.ts';
import type { RowStore } from './store.ts';
import type { Tables } from './tables.ts';

/** How migrations run. */
export interface MigrateOptions {
  readonly clock: () => Date;
  /** Those of this program; others in tests. */
  readonly migrations?: Readonly<Record<string, Migration>>;
  /** How long to wait for another process that migrates. Default ten minutes. */
  readonly waitMs?: number;
  /** When the lease of a process that died is over. Default ten seconds. */
  readonly leaseMs?: number;
}

const WAIT_MS = 600_000;
const TABLE = 'kysely_migration';

/**
 * Brings the tables to this program's schema and answers the names of the migrations that it ran. Of
 * several processes that start at once one migrates and the others wait. All that is missing runs in
 * one transaction, so a process that dies in between leaves the schema that was there. Throws
 * `storage.schema-newer` when a migration was run that this program does not know,
 * `storage.lease-held`, and what the tables throw; nothing was changed then.
 */
export async function migrate(
  { tables, registers }: Pick<RowStore, 'tables' | 'registers'>,
  options: MigrateOptions,
): Promise<readonly string[]> {
  const { clock, migrations = MIGRATIONS, waitMs = WAIT_MS, leaseMs } = options;
  if ((await missing(tables, migrations)).length === 0) return [];
  const leases = leasesOf(registers, {
    clock,
    ...(leaseMs === undefined ? {} : { ttlMs: leaseMs }),
  });
  await using _lease = await leases.acquire('migrate', { waitMs });
  // Whoever held the lease before may have been of another version.
  if ((await missing(tables, migrations)).length === 0) return [];
  return runAll(tables, migrations);
}

/** Names of the migrations that were not run yet. Throws `storage.schema-newer`. */
async function missing(
  { db }: Tables,
  migrations: Readonly<Record<string, Migration>>,
): Promise<readonly string[]> {
  const known = Object.keys(migrations);
  const found = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!found.some(({ name }) => name === TABLE)) return known;
  const { rows } = await sql<{
    readonly name: string;
  }>`select name from ${sql.table(TABLE)}`.execute(db);
  const run = new Set(rows.map(({ name }) => name));
  const newer = [...run].filter((name) => !known.includes(name));
  if (newer.length === 0) return known.filter((name) => !run.has(name));
  throw new TrustFault(
    'storage.schema-newer',
    `expected a schema up to ${quote(known.toSorted().at(-1) ?? 'none')}, found ${quote(newer.join(', '))}`,
  );
}

async function runAll(
  { db }: Tables,
  migrations: Readonly<Record<string, Migration>>,
): Promise<readonly string[]> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    // By code units, on every machine alike.
    nameComparator: (one, other) => (one < other ? -1 : one > other ? 1 : 0),
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error === undefined) return results.map(({ migrationName }) => migrationName);
  if (error instanceof TrustFault) throw error;
  const failed = results.find(({ status }) => status === 'Error')?.migrationName;
  const reason = error instanceof Error ? error.message : String(error);
  const where = failed === undefined ? 'the migrations' : `migration ${quote(failed)}`;
  throw new TrustFault('storage.failed', `${where} failed: ${quote(reason)}`, undefined, {
    cause: error,
  });
}
