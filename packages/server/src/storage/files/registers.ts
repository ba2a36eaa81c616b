import { hash, randomBytes } from 'node:crypto';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { checkPrefix, pageOf } from '../name.ts';
import { CELL_LARGEST, type Cell, type Registers } from '../registers.ts';
import { unlessAbsent } from './operations.ts';
import { folderOf, pathOf } from './path.ts';
import type { Room } from './room.ts';

/** Where cells lie in the data folder. */
export const CELLS = 'cells';

const HEAD = /^bulla-cell 1 ([0-9a-f]{24}) ([0-9a-f]{64})$/;
const HEAD_LENGTH = 'bulla-cell 1 '.length + 24 + 1 + 64;

/**
 * Registers as one file a cell: a line with the version and a checksum, then the value. Writers of
 * one key follow one another; a reader sees the file before or after a rename, never within.
 */
export function fileRegisters(room: Room): Registers {
  const locate = (key: string) => room.at(CELLS, pathOf(key));

  async function read(key: string): Promise<Cell | null> {
    const bytes = await unlessAbsent(room.files.readFile(locate(key)));
    return bytes === null ? null : parseCell(bytes, key);
  }

  return {
    read: (key) => room.run(() => read(key)),
    swap: (key, expected, value) =>
      room.run(async () => {
        if (value.length > CELL_LARGEST) {
          throw new TrustFault(
            'storage.too-large',
            `expected at most ${CELL_LARGEST} bytes in a cell, found ${value.length}`,
          );
        }
        const path = locate(key);
        return room.writers.run(path, async () => {
          const cell = await read(key);
          if ((cell?.version ?? null) !== expected) return null;
          // Drawn, not counted: a deleted cell leaves no counter behind from which to go on.
          const version = randomBytes(12).toString('hex');
          await room.replace(path, writeCell(version, value));
          return version;
        });
      }),
    list: (prefix, page = {}) =>
      room.run(async () => {
        checkPrefix(prefix);
        return pageOf(await room.names(CELLS, folderOf(prefix)), prefix, page);
      }),
    delete: (key, expected) =>
      room.run(async () => {
        const path = locate(key);
        return room.writers.run(path, async () => {
          const cell = await read(key);
          if (cell === null || cell.version !== expected) return false;
          await room.files.unlink(path);
          await room.settle(path);
          return true;
        });
      }),
  };
}

function writeCell(version: string, value: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`bulla-cell 1 ${version} ${hash('sha256', value)}\n`), value]);
}

function parseCell(bytes: Uint8Array, key: string): Cell {
  const head = Buffer.from(bytes.subarray(0, HEAD_LENGTH)).toString('latin1');
  const [, version = '', sum = ''] = HEAD.exec(head) ?? [];
  const value = bytes.slice(HEAD_LENGTH + 1);
  if (version === '' || hash('sha256', value) !== sum) {
    throw new TrustFault('storage.corrupt', `the file of cell ${quote(key)} was altered`);
  }
  return { value, version };
}
