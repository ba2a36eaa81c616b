import { TrustFault } from '@bulla/trust/fault/fault';
import { type CellStatements, registersOf } from '../cells.ts';
import type { Parameter } from '../parameter.ts';
import type { Registers } from '../registers.ts';
import type { Connections } from './connections.ts';

const STATEMENTS = {
  read: 'select value, version from registers where key = $1',
  insert: `insert into registers (key, value, version) values ($1, $2, $3)
    on conflict (key) do nothing`,
  update: 'update registers set value = $1, version = $2 where key = $3 and version = $4',
  remove: 'delete from registers where key = $1 and version = $2',
  // The end stands alone in its condition: beside `or` each row behind the page is looked at.
  'keys-after': 'select key from registers where key > $1 order by key limit $2',
  'keys-from': 'select key from registers where key >= $1 order by key limit $2',
  'keys-after-to': 'select key from registers where key > $1 and key < $3 order by key limit $2',
  'keys-from-to': 'select key from registers where key >= $1 and key < $3 order by key limit $2',
} as const;

/**
 * Registers as rows. Each statement is a transaction of its own at `read committed`, where an update
 * that met another waits for it and then compares the version that the other wrote.
 */
export function postgresRegisters(connections: Connections): Registers {
  const run = (name: keyof typeof STATEMENTS, ...values: readonly Parameter[]) =>
    connections.run({ name, text: STATEMENTS[name], values });
  const change = async (name: keyof typeof STATEMENTS, ...values: readonly Parameter[]) =>
    (await run(name, ...values)).count === 1;
  const statements: CellStatements = {
    async read(key) {
      const [row] = (await run('read', key)).rows;
      return row === undefined ? null : { value: bytesIn(row, 'value'), version: versionIn(row) };
    },
    insert: (key, value, version) => change('insert', key, value.slice(), version),
    update: (key, expected, value, version) =>
      change('update', value.slice(), version, key, expected),
    remove: (key, expected) => change('remove', key, expected),
    async keys({ from, inclusive, to, limit }) {
      const name = inclusive ? 'keys-from' : 'keys-after';
      const { rows } = await (to === null
        ? run(name, from, limit)
        : run(`${name}-to`, from, limit, to));
      return rows.map((row) => bytesIn(row, 'key'));
    },
  };
  return registersOf(statements);
}

function bytesIn(row: unknown, column: 'key' | 'value'): Uint8Array {
  const found: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, column) : null;
  if (found instanceof Uint8Array) return found;
  throw new TrustFault('storage.corrupt', `column ${column} of a cell is not in bytes`);
}

function versionIn(row: unknown): string {
  const found: unknown = typeof row === 'object' && row !== null ? Reflect.get(row, 'version') : '';
  if (typeof found === 'string') return found;
  throw new TrustFault('storage.corrupt', 'the version of a cell is not text');
}
