import { randomBytes } from 'node:crypto';
import { TrustFault } from '@bulla/trust/fault/fault';
import { bytesOfKey, keyOfBytes, rangeOfPrefix } from './cell-key.ts';
import { checkName, checkPrefix } from './name.ts';
import { CELL_LARGEST, type Cell, type Registers } from './registers.ts';

/** A part of the keys, in the order of their bytes. */
export interface KeyPage {
  /** The first key, or one before it. */
  readonly from: Uint8Array;
  /** Whether `from` itself is wanted. */
  readonly inclusive: boolean;
  /** The first key that is no longer wanted; null: none. */
  readonly to: Uint8Array | null;
  readonly limit: number;
}

/**
 * The single statements on the table `registers` of which a room of rows makes its registers. Each
 * is atomic and durable by itself; those that write answer whether they changed a row.
 */
export interface CellStatements {
  read(key: Uint8Array): Promise<Cell | null>;
  insert(key: Uint8Array, value: Uint8Array, version: string): Promise<boolean>;
  update(key: Uint8Array, expected: string, value: Uint8Array, version: string): Promise<boolean>;
  remove(key: Uint8Array, expected: string): Promise<boolean>;
  keys(page: KeyPage): Promise<readonly Uint8Array[]>;
}

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** Registers as rows: a swap is one statement that compares the version and writes, or does neither. */
export function registersOf(cells: CellStatements): Registers {
  return {
    async read(key) {
      checkName(key);
      return cells.read(bytesOfKey(key));
    },
    async swap(key, expected, value) {
      checkName(key);
      if (value.length > CELL_LARGEST) {
        throw new TrustFault(
          'storage.too-large',
          `expected at most ${CELL_LARGEST} bytes in a cell, found ${value.length}`,
        );
      }
      // Drawn, not counted: a deleted row leaves no counter behind from which to go on.
      const version = randomBytes(12).toString('hex');
      const bytes = bytesOfKey(key);
      const swapped =
        expected === null
          ? await cells.insert(bytes, value, version)
          : await cells.update(bytes, expected, value, version);
      return swapped ? version : null;
    },
    async list(prefix, { after, limit = NO_LIMIT } = {}) {
      checkPrefix(prefix);
      const { from, to } = rangeOfPrefix(prefix);
      const later = after === undefined ? null : bytesOfKey(after);
      const beyond = later !== null && Buffer.compare(later, from) >= 0;
      const keys = await cells.keys({ from: beyond ? later : from, inclusive: !beyond, to, limit });
      return keys.map(keyOfBytes);
    },
    async delete(key, expected) {
      checkName(key);
      return cells.remove(bytesOfKey(key), expected);
    },
  };
}
