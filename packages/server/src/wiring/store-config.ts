import { join } from 'node:path';
import type { ServerConfig } from '../config/config.ts';
import type { StoreConfig } from '../store.ts';

/** The rooms that the configuration names, and what people call them. */
export interface WiredStore {
  readonly config: StoreConfig;
  /** Where keys lie: where a database holds the rows, the folder of what belongs to it; else `data`. */
  readonly keyFolder: string;
  readonly says: { readonly tables: string; readonly objects: string };
}

/** Which rooms to open. */
export function storeConfig({ data, storage }: Pick<ServerConfig, 'data' | 'storage'>): WiredStore {
  const { tables, objects } = storage;
  if (tables === 'memory') {
    return {
      config: { store: 'memory' },
      keyFolder: data,
      says: { tables: 'memory', objects: 'memory' },
    };
  }
  if (tables === 'embedded') {
    return {
      config: {
        store: 'embedded',
        folder: data,
        ...(objects.folder === null ? {} : { objectsFolder: objects.folder }),
      },
      keyFolder: data,
      says: { tables: 'SQLite', objects: 'files' },
    };
  }
  const { url, poolSize } = tables.postgres;
  const folder = objects.folder ?? join(data, 'shared');
  return {
    config: { store: 'postgres', url: url.reveal(), poolSize, folder },
    keyFolder: folder,
    says: { tables: 'PostgreSQL', objects: 'files' },
  };
}
