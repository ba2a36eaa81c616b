import type { Tables } from '../storage/tables.ts';

/**
 * A counter in shared storage that is raised in the same transaction as every change that takes
 * rights away. What was remembered of credentials under one value does not hold under another.
 */
export interface AccessEpoch {
  /**
   * The counter, read at most a second ago, and after every change that this process has made
   * itself: such a change ends rights at once, and on other replicas within the second.
   */
  recent(): Promise<number>;
  /** This process changed the counter: the next caller reads it. */
  forget(): void;
}

const FRESH_MS = 1000;

/** The epoch of these tables. `now` is a monotonic clock in milliseconds. */
export function openEpoch({ db }: Tables, now: () => number): AccessEpoch {
  let seen: { readonly at: number; readonly value: Promise<number> } | null = null;
  return {
    recent() {
      if (seen !== null && now() - seen.at < FRESH_MS) return seen.value;
      const value = db
        .selectFrom('access_epochs')
        .select('value')
        .where('id', '=', 'access')
        .executeTakeFirstOrThrow()
        .then((row) => Number(row.value));
      const mine = { at: now(), value };
      seen = mine;
      // A reading that failed is not remembered.
      value.catch(() => {
        if (seen === mine) seen = null;
      });
      return value;
    },
    forget() {
      // A reading under way may have begun before the change; it is not for later callers.
      seen = null;
    },
  };
}
