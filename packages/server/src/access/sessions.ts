import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Principal } from '../http/principal.ts';
import type { UserRow } from '../storage/schema/access.ts';
import { transact } from '../storage/tables.ts';
import { noteChange } from './activity.ts';
import { type Ground, iso, later, type Sql, transactEpoch } from './ground.ts';
import { checkNewPassword } from './passwords.ts';
import { repositoriesOfRole, rightsOfRole } from './roles.ts';
import { isPlainSecret, looksLikeToken, newPlainSecret, secretHash } from './secrets.ts';
import { key, shownUser, type User, userOf, userRow } from './user.ts';

/** A session that begins: its secret goes into the cookie and nowhere else. */
export interface StartedSession {
  readonly secret: string;
  readonly principal: Principal;
  readonly user: User;
  readonly expires: Date;
}

/** A session that holds. */
export interface Session {
  readonly principal: Principal;
  readonly user: User;
  readonly expires: Date;
}

/** A name and a password, and where they come from. */
export interface PasswordSignIn {
  readonly name: string;
  readonly password: string;
  readonly address: string;
}

const COARSE_MS = 60_000;

/** A user who signed in, with all that the role allows; never `sign` (semantics 15). */
export function principalOfUser({ id, name, role }: User): Principal {
  const { permissions } = rightsOfRole(role);
  const repositories = repositoriesOfRole(role);
  return { kind: 'user', id, name, permissions, repositories, user: id, userName: name };
}

/**
 * The user of a name and a password. Takes as long, and says the same, for a user who is not there,
 * is disabled or has no password. Throws `access.credentials-invalid`, `access.too-many-attempts`,
 * `access.busy`.
 */
export async function checkPassword(
  { tables, passwords, throttle }: Ground,
  { name, password, address }: PasswordSignIn,
): Promise<UserRow> {
  let row: UserRow | undefined;
  const matches = await throttle.guard(name, address, async () => {
    row = await tables.db
      .selectFrom('users')
      .selectAll()
      .where('name_key', '=', key(name))
      .where('disabled', 'is', null)
      .executeTakeFirst();
    // A token in the place of a password was mistyped; it is no guess worth the work.
    return !looksLikeToken(password) && passwords.matches(password, row?.password ?? null);
  });
  if (row === undefined || !matches) throw wrong();
  return row;
}

function wrong(): TrustFault {
  return new TrustFault('access.credentials-invalid', 'the name or the password is wrong');
}

/** Begins a session by name and password. Throws as `checkPassword`. */
export async function signIn(ground: Ground, asked: PasswordSignIn): Promise<StartedSession> {
  const checked = await checkPassword(ground, asked);
  return transact(ground.tables, async (sql) => {
    const row = await userRow(sql, checked.id);
    // Disabled, or given another password, while the password was checked.
    if (row.disabled !== null || row.password !== checked.password) throw wrong();
    return startSession(sql, ground, userOf(row));
  });
}

/** Writes a session, in a transaction. */
export async function startSession(
  sql: Sql,
  { clock, config }: Ground,
  user: User,
): Promise<StartedSession> {
  const at = clock();
  const secret = newPlainSecret();
  const expires = later(at, config.sessionMs);
  await sql
    .insertInto('sessions')
    .values({
      secret_hash: secretHash(secret),
      user_id: user.id,
      created: iso(at),
      expires: iso(expires),
      last_seen: iso(at),
    })
    .execute();
  return { secret, principal: principalOfUser(user), user, expires };
}

/**
 * The session of a cookie's value, or null: it is unknown, over, was idle too long, or its user is
 * disabled. That it was seen is written at most once a minute.
 */
export async function findSession(ground: Ground, secret: string): Promise<Session | null> {
  if (!isPlainSecret(secret)) return null;
  const { tables, clock, config } = ground;
  const at = clock();
  const hash = secretHash(secret);
  const session = await tables.db
    .selectFrom('sessions')
    .selectAll()
    .where('secret_hash', '=', hash)
    .where('expires', '>', iso(at))
    .where('last_seen', '>', iso(later(at, -config.sessionIdleMs)))
    .executeTakeFirst();
  if (session === undefined) return null;
  const row = await tables.db
    .selectFrom('users')
    .selectAll()
    .where('id', '=', session.user_id)
    .where('disabled', 'is', null)
    .executeTakeFirst();
  if (row === undefined) return null;
  if (session.last_seen <= iso(later(at, -COARSE_MS))) {
    await tables.db
      .updateTable('sessions')
      .set({ last_seen: iso(at) })
      .where('secret_hash', '=', hash)
      .execute();
  }
  const user = userOf(row);
  return { principal: principalOfUser(user), user, expires: new Date(session.expires) };
}

/** Ends a session; one that is not there is over already. */
export async function endSession({ tables }: Ground, secret: string): Promise<void> {
  await tables.db.deleteFrom('sessions').where('secret_hash', '=', secretHash(secret)).execute();
}

/** A change of one's own password. */
export interface PasswordChange {
  readonly current: string;
  readonly next: string;
  readonly address: string;
}

/**
 * Changes the password of the user of a session; their other sessions end, and registry tokens that
 * were issued on the old one. Throws `access.unauthenticated`, `access.credentials-invalid`,
 * `access.password-invalid`, `access.too-many-attempts`, `access.busy`.
 */
export async function changePassword(
  ground: Ground,
  secret: string,
  { current, next, address }: PasswordChange,
): Promise<void> {
  const session = await findSession(ground, secret);
  if (session === null) {
    throw new TrustFault('access.unauthenticated', 'a password is changed within a session');
  }
  const { user } = session;
  const checked = await checkPassword(ground, { name: user.name, password: current, address });
  checkNewPassword(next, user.name);
  const password = await ground.passwords.hash(next);
  await transactEpoch(ground, async (sql) => {
    const row = await userRow(sql, user.id);
    if (row.disabled !== null || row.password !== checked.password) {
      throw new TrustFault(
        'access.credentials-invalid',
        `the password of ${quote(user.name)} was changed meanwhile`,
      );
    }
    const at = ground.clock();
    const set = { password, password_changed: iso(at) };
    await sql.updateTable('users').set(set).where('id', '=', user.id).execute();
    await sql
      .deleteFrom('sessions')
      .where('user_id', '=', user.id)
      .where('secret_hash', '!=', secretHash(secret))
      .execute();
    await noteChange(sql, at, {
      actor: { kind: 'user', id: user.id, name: user.name },
      action: 'user.password',
      entity: { kind: 'user', id: user.id },
      before: shownUser(userOf(row)),
      after: shownUser(userOf({ ...row, ...set })),
    });
  });
}
