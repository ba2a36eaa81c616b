import { TrustFault } from '@bulla/trust/fault/fault';
import { checkPrefix, pageOf } from '../name.ts';
import { CELL_LARGEST, type Cell, type Registers } from '../registers.ts';
import type { Room } from './room.ts';

/**
 * Registers in a Map. Each call does its work in one turn of the event loop, which is what makes
 * it linearizable; values are copied in and out, so nobody can write into a cell.
 */
export function memoryRegisters(room: Room): Registers {
  const cells = new Map<string, Cell>();
  let versions = 0;
  return {
    async read(key) {
      room.enter(key);
      const cell = cells.get(key);
      return cell === undefined ? null : { ...cell, value: cell.value.slice() };
    },
    async swap(key, expected, value) {
      room.enter(key);
      if (value.length > CELL_LARGEST) {
        throw new TrustFault(
          'storage.too-large',
          `expected at most ${CELL_LARGEST} bytes in a cell, found ${value.length}`,
        );
      }
      const before = cells.get(key);
      if ((before?.version ?? null) !== expected) return null;
      room.reserve(value.length - (before?.value.length ?? 0));
      versions += 1;
      const version = String(versions);
      cells.set(key, { value: value.slice(), version });
      return version;
    },
    async list(prefix, page = {}) {
      room.enter();
      checkPrefix(prefix);
      return pageOf(cells.keys(), prefix, page);
    },
    async delete(key, expected) {
      room.enter(key);
      const cell = cells.get(key);
      if (cell === undefined || cell.version !== expected) return false;
      cells.delete(key);
      room.reserve(-cell.value.length);
      return true;
    },
  };
}
