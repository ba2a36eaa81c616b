import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Role } from '../http/principal.ts';
import { transact } from '../storage/tables.ts';
import { noteChange } from './activity.ts';
import { type Actor, requirePermission, requireRole } from './actor.ts';
import { type Ground, iso, type Sql, transactEpoch } from './ground.ts';
import { type IssuedLink, issueLink } from './links.ts';
import {
  insertUser,
  key,
  type NewUser,
  named,
  shownUser,
  type User,
  unknownUser,
  userName,
  userOf,
  userRow,
} from './user.ts';

/** All users by name. Throws `access.denied`. */
export async function listUsers({ tables }: Ground, actor: Actor): Promise<readonly User[]> {
  requirePermission(actor, 'users.read');
  const rows = await tables.db.selectFrom('users').selectAll().orderBy('name_key').execute();
  return rows.map(userOf);
}

/**
 * The user of this name, in whatever case, or of this id. Throws `access.user-unknown`, and
 * `access.denied` for who may neither read users nor is this one.
 */
export async function findUser({ tables }: Ground, actor: Actor, nameOrId: string): Promise<User> {
  const row = await tables.db
    .selectFrom('users')
    .selectAll()
    .where((where) => where.or([where('id', '=', nameOrId), where('name_key', '=', key(nameOrId))]))
    .executeTakeFirst();
  if (row === undefined || row.id !== actor.user) requirePermission(actor, 'users.read');
  if (row === undefined) throw unknownUser(nameOrId);
  return userOf(row);
}

/** A user and the link with which they set their password. */
export interface AddedUser {
  readonly user: User;
  readonly link: IssuedLink;
}

/**
 * Adds a user, who signs in with the link for the first time. Throws `access.denied`,
 * `access.exceeds-rights`, `access.name-invalid`, `access.name-taken`.
 */
export async function addUser(ground: Ground, actor: Actor, asked: NewUser): Promise<AddedUser> {
  requirePermission(actor, 'users.manage');
  requireRole(actor, asked.role);
  const name = userName(asked.name);
  return named(name, () =>
    transact(ground.tables, async (sql) => {
      const user = await insertUser(sql, ground.clock(), { ...asked, name }, actor);
      return { user, link: await issueLink(sql, ground, user, 'user') };
    }),
  );
}

/**
 * Gives a user another role. Sessions and tokens have its rights at once. Throws `access.denied`,
 * `access.exceeds-rights`, `access.user-unknown`, `access.last-owner`.
 */
export async function setRole(ground: Ground, actor: Actor, id: string, role: Role): Promise<User> {
  requirePermission(actor, 'users.manage');
  requireRole(actor, role);
  return changeUser(ground, actor, id, {
    action: 'user.role',
    set: { role },
    endsOwner: role !== 'owner',
  });
}

/**
 * Disables a user, which ends their sessions, tokens and links at once, or enables them again: then
 * tokens that have not expired hold again, sessions and links do not. Throws `access.denied`,
 * `access.exceeds-rights`, `access.user-unknown`, `access.last-owner`.
 */
export async function setDisabled(
  ground: Ground,
  actor: Actor,
  id: string,
  disabled: boolean,
): Promise<User> {
  requirePermission(actor, 'users.manage');
  return changeUser(ground, actor, id, {
    action: disabled ? 'user.disable' : 'user.enable',
    set: { disabled: disabled ? iso(ground.clock()) : null },
    endsOwner: disabled,
  });
}

interface UserChange {
  readonly action: 'user.role' | 'user.disable' | 'user.enable';
  readonly set: { readonly role: Role } | { readonly disabled: string | null };
  /** Whether an owner is none any more after it. */
  readonly endsOwner: boolean;
}

async function changeUser(
  ground: Ground,
  actor: Actor,
  id: string,
  { action, set, endsOwner }: UserChange,
): Promise<User> {
  return transactEpoch(ground, async (sql) => {
    const row = await userRow(sql, id);
    const before = userOf(row);
    requireRole(actor, before.role);
    if (endsOwner && before.role === 'owner') await refuseLastOwner(sql, before);
    // Disabled twice is as once: it stays disabled since the first time.
    if ('disabled' in set && (row.disabled === null) === (set.disabled === null)) return before;
    await sql.updateTable('users').set(set).where('id', '=', id).execute();
    if (action === 'user.disable') {
      await sql.deleteFrom('sessions').where('user_id', '=', id).execute();
      await sql.deleteFrom('sign_in_links').where('user_id', '=', id).execute();
    }
    const user = userOf({ ...row, ...set });
    await noteChange(sql, ground.clock(), {
      actor,
      action,
      entity: { kind: 'user', id },
      before: shownUser(before),
      after: shownUser(user),
    });
    return user;
  });
}

/** An owner who never set a password is none who could take over. */
async function refuseLastOwner(sql: Sql, owner: User): Promise<void> {
  const others = await sql
    .selectFrom('users')
    .select('id')
    .where('role', '=', 'owner')
    .where('id', '!=', owner.id)
    .where('disabled', 'is', null)
    .where('password', 'is not', null)
    .execute();
  if (others.length > 0) return;
  throw new TrustFault('access.last-owner', `${quote(owner.name)} is the last owner`);
}
