import type { Transaction } from 'kysely';
import type { Registers } from '../storage/registers.ts';
import type { Database } from '../storage/schema.ts';
import { type Tables, transact } from '../storage/tables.ts';
import type { AccessConfig } from './config.ts';
import type { AccessEpoch } from './epoch.ts';
import type { Passwords } from './passwords.ts';
import type { RegistryKeys } from './registry-keys.ts';
import type { Throttle } from './throttle.ts';

/** What access is made of. */
export interface AccessParts {
  readonly tables: Tables;
  readonly registers: Registers;
  readonly config: AccessConfig;
  /** The present, for rows and expiries. */
  readonly clock: () => Date;
  /** Milliseconds of a monotonic clock, for what is remembered and what is throttled. */
  readonly now: () => number;
}

/** What every part of access stands on. */
export interface Ground extends AccessParts {
  readonly epoch: AccessEpoch;
  readonly passwords: Passwords;
  readonly throttle: Throttle;
  readonly keys: RegistryKeys;
}

/** A transaction on the tables. */
export type Sql = Transaction<Database>;

/** A transaction (`transact`) that takes rights away: no remembered right outlives it. */
export async function transactEpoch<T>(ground: Ground, work: (sql: Sql) => Promise<T>): Promise<T> {
  try {
    return await transact(ground.tables, async (sql) => {
      const answer = await work(sql);
      await sql
        .updateTable('access_epochs')
        .set((row) => ({ value: row('value', '+', 1) }))
        .where('id', '=', 'access')
        .execute();
      return answer;
    });
  } finally {
    // Also after a failure: whether a commit that failed happened is not known.
    ground.epoch.forget();
  }
}

/** `at` as rows have it. */
export function iso(at: Date): string {
  return at.toISOString();
}

/** So much after `at`. */
export function later(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms);
}
