import { join } from 'node:path';
import { bindFolder } from './storage/binding.ts';
import { type FilesStore, openFiles } from './storage/files/open.ts';
import { openMemory } from './storage/memory/open.ts';
import { migrate } from './storage/migrate.ts';
import { openSqlite } from './storage/sqlite/open.ts';
import type { RowStore, ServerStore, Store } from './storage/store.ts';

/** Where a server keeps its data. */
export type StoreConfig =
  /** All in `folder`: rows and cells in `tables.db`, objects in `objects/` there or in another folder. */
  | { readonly store: 'embedded'; readonly folder: string; readonly objectsFolder?: string }
  /** In this process; gone with it. */
  | { readonly store: 'memory' }
  /** Rows and cells in PostgreSQL at `url`, objects in `folder`; both shared by any number of servers. */
  | {
      readonly store: 'postgres';
      readonly url: string;
      readonly poolSize?: number;
      readonly folder: string;
    };

/** How a store is opened. */
export interface OpenStoreOptions {
  readonly clock: () => Date;
}

/** The database of a data folder. */
export const TABLES_FILE = 'tables.db';
const OBJECTS_FOLDER = 'objects';

/**
 * Opens the rooms that `config` names and brings their tables to this program's schema. An embedded
 * store belongs to one process at a time: the lock of `tables.db` is taken first, and whoever does not
 * get it touches nothing. A folder of objects belongs to one database (`bindFolder`). When anything
 * fails, what was opened is closed again. Throws what `openSqlite`, `openPostgres`, `openFiles`,
 * `bindFolder` and `migrate` throw.
 */
export async function openStore(
  config: StoreConfig,
  { clock }: OpenStoreOptions,
): Promise<ServerStore> {
  await using opened = new AsyncDisposableStack();
  const rows = opened.use(await openRows(config));
  await migrate(rows, { clock });
  const { objects } = opened.use(await openObjects(config, rows));
  const life = opened.move();
  return {
    objects,
    registers: rows.registers,
    tables: rows.tables,
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}

async function openRows(config: StoreConfig): Promise<RowStore> {
  switch (config.store) {
    case 'embedded':
      return openSqlite(join(config.folder, TABLES_FILE));
    case 'memory':
      return openSqlite(':memory:');
    case 'postgres': {
      // The driver is loaded only where it is wanted.
      const { openPostgres } = await import('./storage/postgres/open.ts');
      const { url, poolSize } = config;
      return openPostgres({ url, ...(poolSize === undefined ? {} : { poolSize }) });
    }
    default:
      return config satisfies never;
  }
}

async function openObjects(config: StoreConfig, rows: RowStore): Promise<Store> {
  switch (config.store) {
    case 'memory':
      return openMemory();
    case 'embedded':
      return bound(
        rows,
        await openFiles(join(config.objectsFolder ?? config.folder, OBJECTS_FOLDER)),
      );
    case 'postgres':
      return bound(rows, await openFiles(join(config.folder, OBJECTS_FOLDER), { shared: true }));
    default:
      return config satisfies never;
  }
}

async function bound({ registers }: RowStore, files: FilesStore): Promise<Store> {
  try {
    await bindFolder(registers, files.owner);
    return files;
  } catch (error) {
    await files[Symbol.asyncDispose]();
    throw error;
  }
}
