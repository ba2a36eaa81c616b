import { type Actor, requirePermission } from './actor.ts';
import { type Ground, iso, type Sql } from './ground.ts';
import { newId } from './secrets.ts';

/** What a change did. */
export type ActivityName =
  | 'user.add'
  | 'user.role'
  | 'user.disable'
  | 'user.enable'
  | 'user.link'
  | 'user.link-used'
  | 'user.password'
  | 'token.create'
  | 'token.revoke';

/** A change of a user or a token. `before` and `after` are JSON, without any secret. */
export interface Activity {
  readonly id: string;
  readonly at: Date;
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string };
  readonly action: string;
  readonly entity: { readonly kind: string; readonly id: string };
  readonly before: string | null;
  readonly after: string | null;
}

/** A change to write down. */
export interface Change {
  readonly actor: Pick<Actor, 'kind' | 'id' | 'name'>;
  readonly action: ActivityName;
  readonly entity: { readonly kind: 'user' | 'token'; readonly id: string };
  readonly before: object | null;
  readonly after: object | null;
}

/** Writes a change down, in the transaction that makes it: neither is there without the other. */
export async function noteChange(sql: Sql, at: Date, change: Change): Promise<void> {
  const { actor, action, entity, before, after } = change;
  await sql
    .insertInto('activity')
    .values({
      id: newId('act', at),
      at: iso(at),
      actor_kind: actor.kind,
      actor_id: actor.id,
      actor_name: actor.name,
      action,
      entity_kind: entity.kind,
      entity_id: entity.id,
      before: before === null ? null : JSON.stringify(before),
      after: after === null ? null : JSON.stringify(after),
    })
    .execute();
}

/** Which part of the list is wanted: at most `limit`, those older than the one of id `before`. */
export interface ActivityPage {
  readonly before?: string;
  readonly limit?: number;
}

const PAGE = 100;
const PAGE_MOST = 1000;

/** The changes, newest first; 100 unless told otherwise, 1000 at most. Throws `access.denied`. */
export async function listActivity(
  { tables }: Ground,
  actor: Actor,
  { before, limit = PAGE }: ActivityPage,
): Promise<readonly Activity[]> {
  requirePermission(actor, 'users.read');
  const rows = await tables.db
    .selectFrom('activity')
    .selectAll()
    .$if(before !== undefined, (query) => query.where('id', '<', before ?? ''))
    .orderBy('id', 'desc')
    .limit(Math.min(Math.max(1, Math.trunc(limit)), PAGE_MOST))
    .execute();
  return rows.map((row) => ({
    id: row.id,
    at: new Date(row.at),
    actor: { kind: row.actor_kind, id: row.actor_id, name: row.actor_name },
    action: row.action,
    entity: { kind: row.entity_kind, id: row.entity_id },
    before: row.before,
    after: row.after,
  }));
}
