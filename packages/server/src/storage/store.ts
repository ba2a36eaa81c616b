import type { Objects } from './objects.ts';
import type { Registers } from './registers.ts';
import type { Tables } from './tables.ts';

/**
 * An opened room: its contracts, and its end. Disposing waits for the writes under way; later
 * calls throw `storage.closed`. Disposing twice is as once.
 */
export interface Store extends AsyncDisposable {
  readonly objects: Objects;
  readonly registers: Registers;
}

/** An opened room of rows and cells, with the same end. */
export interface RowStore extends AsyncDisposable {
  readonly tables: Tables;
  readonly registers: Registers;
}

/** All three contracts, as a server needs them. */
export interface ServerStore extends Store {
  readonly tables: Tables;
}
