import { hasCode, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Role } from '../http/principal.ts';
import type { UserRow } from '../storage/schema/access.ts';
import { noteChange } from './activity.ts';
import type { Actor } from './actor.ts';
import { iso, type Sql } from './ground.ts';
import { parseRole } from './parse.ts';
import { newId } from './secrets.ts';

/** A local user, without anything secret. */
export interface User {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  /** Since when, or null. */
  readonly disabled: Date | null;
  readonly created: Date;
  /** False until the user has used a sign-in link. */
  readonly hasPassword: boolean;
}

// ASCII, so that no two names look alike; no colon, which ends the name in HTTP Basic (RFC 7617).
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$/;

/** `text` as a user's name. Throws `access.name-invalid`. */
export function userName(text: string): string {
  if (!NAME.test(text)) {
    throw new TrustFault('access.name-invalid', `expected a user's name, found ${quote(text)}`);
  }
  return text;
}

/** The user of a row. */
export function userOf(row: UserRow): User {
  return {
    id: row.id,
    name: row.name,
    role: parseRole(row.role),
    disabled: row.disabled === null ? null : new Date(row.disabled),
    created: new Date(row.created),
    hasPassword: row.password !== null,
  };
}

/** What the activity says of a user. */
export function shownUser({ name, role, disabled, hasPassword }: User): object {
  return { name, role, disabled: disabled !== null, password: hasPassword };
}

/** The row of a user, in a transaction. Throws `access.user-unknown`. */
export async function userRow(sql: Sql, id: string): Promise<UserRow> {
  const row = await sql.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw unknownUser(id);
  return row;
}

/** The fault `access.user-unknown` for a user who is not there. */
export function unknownUser(name: string): TrustFault {
  return new TrustFault('access.user-unknown', `no user ${quote(name)}`);
}

/** A name as it is unique. */
export function key(name: string): string {
  return name.toLowerCase();
}

/** A new user. */
export interface NewUser {
  readonly name: string;
  readonly role: Role;
}

/** Runs what writes a name. Throws `access.name-taken` when the name is another user's. */
export async function named<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!hasCode(cause, 'storage.conflict')) throw cause;
    throw new TrustFault('access.name-taken', `a user ${quote(name)} is there`, undefined, {
      cause,
    });
  }
}

/** Writes a new user, in a transaction, with its activity. */
export async function insertUser(
  sql: Sql,
  at: Date,
  { name, role }: NewUser,
  actor: Pick<Actor, 'kind' | 'id' | 'name'>,
): Promise<User> {
  const row: UserRow = {
    id: newId('user', at),
    name,
    name_key: key(name),
    role,
    password: null,
    password_changed: null,
    disabled: null,
    created: iso(at),
  };
  await sql.insertInto('users').values(row).execute();
  const user = userOf(row);
  await noteChange(sql, at, {
    actor,
    action: 'user.add',
    entity: { kind: 'user', id: user.id },
    before: null,
    after: shownUser(user),
  });
  return user;
}
