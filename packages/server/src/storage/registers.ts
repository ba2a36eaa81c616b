import type { Page } from './name.ts';

/** What a cell holds, and the version that a `swap` must name to replace it. */
export interface Cell {
  readonly value: Uint8Array;
  readonly version: string;
}

/** The largest value of a cell, in bytes. */
export const CELL_LARGEST = 5 << 20;

/**
 * Compare-and-swap cells: tags, memberships, the checkpoint, leases.
 *
 * - **Linearizable.** Each cell behaves as one value that calls see one after another; of two swaps
 *   that name one version exactly one wins. There is no promise across cells.
 * - **Versions never return.** A cell that was deleted and written again has a version that it
 *   never had, so a swap with an old version fails (no ABA).
 * - **Durable.** What `swap` or `delete` acknowledged outlives a crash of the process and of the
 *   machine (the memory room: of neither). When one rejects, it may have happened or not: read the
 *   cell to know. A cell is never seen half-written.
 * - `list` sees each cell that is there throughout the call, once; one that comes or goes
 *   meanwhile may be in it or not.
 *
 * Keys are checked by `checkName`; values are at most `CELL_LARGEST` bytes
 * (`storage.too-large`). Other faults: `storage.failed`, `storage.full`, `storage.corrupt`,
 * `storage.closed`.
 */
export interface Registers {
  /** The cell, or null when there is none. */
  read(key: string): Promise<Cell | null>;
  /**
   * Writes `value` if the cell's version is `expected` (null: if there is no cell), and answers the
   * new version; null when the version is another, and nothing was written.
   */
  swap(key: string, expected: string | null, value: Uint8Array): Promise<string | null>;
  /** Keys that start with `prefix` (empty, or ending in `/`), in UTF-16 code-unit order. */
  list(prefix: string, page?: Page): Promise<readonly string[]>;
  /** Deletes the cell if its version is `expected`; false when it is another, or none. */
  delete(key: string, expected: string): Promise<boolean>;
}
