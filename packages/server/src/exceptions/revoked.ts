import type { Kysely } from 'kysely';
import type { Objects } from '../storage/objects.ts';
import type { Database } from '../storage/schema.ts';
import type { Clerk } from './exception.ts';
import { clerkText } from './rows.ts';

/**
 * What was revoked, kept beside the tables: a database that is restored from a backup of before a
 * revocation must not bring the exception back.
 */
export interface RevokedMarks {
  /** Durable when it resolves; once more changes nothing. */
  put(id: string): Promise<void>;
  has(id: string): Promise<boolean>;
}

/** Marks as objects named by the id, which is all that they hold. */
export function openRevokedMarks(objects: Objects): RevokedMarks {
  const nameOf = (id: string) => `exceptions/revoked/${id}`;
  return {
    put: (id) => objects.put(nameOf(id), Buffer.from(id)),
    has: async (id) => (await objects.stat(nameOf(id))) !== null,
  };
}

const RESTORED: Clerk = {
  kind: 'operator',
  id: 'restored',
  name: 'a restored database',
  user: null,
};

/**
 * What a start of the server makes good: exceptions that were revoked after the backup which the tables
 * come from are revoked again, and what replicas have cached ends if a revocation may have been cut off
 * between its row and its epoch. Answers how many were revoked again.
 */
export async function settleRevocations(
  db: Kysely<Database>,
  marks: RevokedMarks,
  raiseEpoch: () => Promise<void>,
  at: Date,
): Promise<number> {
  const rows = await db
    .selectFrom('exceptions')
    .select(['id', 'state'])
    .where('expires', '>', at.toISOString())
    .execute();
  let again = 0;
  for (const { id, state } of rows) {
    if (state === 'revoked' || !(await marks.has(id))) continue;
    await db
      .updateTable('exceptions')
      .set({
        state: 'revoked',
        revoked_by: clerkText(RESTORED),
        revoked_at: at.toISOString(),
        revoked_reason: 'It was revoked before the database was restored',
      })
      .where('id', '=', id)
      .execute();
    again += 1;
  }
  if (again > 0 || rows.some(({ state }) => state === 'revoked')) await raiseEpoch();
  return again;
}
