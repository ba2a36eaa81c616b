import { TrustFault } from '@bulla/trust/fault/fault';
import type { SignInLinkRow } from '../storage/schema/access.ts';
import { transact } from '../storage/tables.ts';
import { noteChange } from './activity.ts';
import { type Actor, requirePermission, requireRole } from './actor.ts';
import { type Ground, iso, later, type Sql, transactEpoch } from './ground.ts';
import { checkNewPassword } from './passwords.ts';
import { isPlainSecret, newPlainSecret, secretHash } from './secrets.ts';
import { type StartedSession, startSession } from './sessions.ts';
import { key, named, shownUser, type User, userName, userOf, userRow } from './user.ts';

/**
 * A one-time sign-in link: its secret is shown once. It belongs into the fragment of the console's
 * address, which browsers do not send, and from there into the body of a POST (semantics 20).
 */
export interface IssuedLink {
  readonly secret: string;
  readonly expires: Date;
}

/** `first-owner`: its user also chooses their name. */
export type LinkKind = 'user' | 'first-owner';

/** Writes a link, in a transaction; links of the same user that were not used end. */
export async function issueLink(
  sql: Sql,
  { clock, config }: Ground,
  user: User,
  kind: LinkKind,
): Promise<IssuedLink> {
  const at = clock();
  const secret = newPlainSecret();
  const expires = later(at, config.linkMs);
  await sql.deleteFrom('sign_in_links').where('user_id', '=', user.id).execute();
  await sql
    .insertInto('sign_in_links')
    .values({
      secret_hash: secretHash(secret),
      user_id: user.id,
      kind,
      created: iso(at),
      expires: iso(expires),
      used: null,
    })
    .execute();
  return { secret, expires };
}

/**
 * A link with which a user sets a new password, whoever has forgotten it. Throws `access.denied`,
 * also for a disabled user, `access.exceeds-rights`, `access.user-unknown`.
 */
export async function makeLink(ground: Ground, actor: Actor, userId: string): Promise<IssuedLink> {
  requirePermission(actor, 'users.manage');
  return transact(ground.tables, async (sql) => {
    const user = userOf(await userRow(sql, userId));
    requireRole(actor, user.role);
    if (user.disabled !== null) throw new TrustFault('access.denied', 'the user is disabled');
    const link = await issueLink(sql, ground, user, 'user');
    await noteChange(sql, ground.clock(), {
      actor,
      action: 'user.link',
      entity: { kind: 'user', id: userId },
      before: null,
      after: { name: user.name, expires: iso(link.expires) },
    });
    return link;
  });
}

/** The use of a link. */
export interface LinkUse {
  readonly link: string;
  /** Must be there for who has none yet. */
  readonly password?: string;
  /** Only with the first owner's link. */
  readonly name?: string;
}

/**
 * Signs in with a link, and sets the password (which ends other sessions and what was issued on the
 * one before; API tokens go on) and the first owner's name. What is asked for is checked before the
 * link is used up; of two uses at the same time exactly one wins. Throws `access.link-invalid`,
 * `access.password-invalid`, `access.name-invalid`, `access.name-taken`, `access.busy`.
 */
export async function useLink(ground: Ground, asked: LinkUse): Promise<StartedSession> {
  const found = isPlainSecret(asked.link) ? await findLink(ground, secretHash(asked.link)) : null;
  if (found === null) throw invalid();
  const { row, user } = found;
  const name = asked.name === undefined ? user.name : chosenName(asked.name, row);
  if (asked.password === undefined && !user.hasPassword) {
    throw new TrustFault('access.password-invalid', 'expected a password: the user has none yet');
  }
  if (asked.password !== undefined) checkNewPassword(asked.password, name);
  const password =
    asked.password === undefined ? null : await ground.passwords.hash(asked.password);
  return named(name, () =>
    transactEpoch(ground, (sql) => consume(sql, ground, row.secret_hash, { name, password })),
  );
}

function chosenName(name: string, { kind }: SignInLinkRow): string {
  if (kind !== 'first-owner') {
    throw new TrustFault('access.name-invalid', 'only the first owner chooses their own name');
  }
  return userName(name);
}

async function consume(
  sql: Sql,
  ground: Ground,
  hash: string,
  { name, password }: { readonly name: string; readonly password: string | null },
): Promise<StartedSession> {
  const at = ground.clock();
  const link = await sql
    .updateTable('sign_in_links')
    .set({ used: iso(at) })
    .where('secret_hash', '=', hash)
    .where('used', 'is', null)
    .where('expires', '>', iso(at))
    .returning('user_id')
    .executeTakeFirst();
  // Somebody else was faster.
  if (link === undefined) throw invalid();
  const before = await userRow(sql, link.user_id);
  if (before.disabled !== null) throw invalid();
  const set = {
    name,
    name_key: key(name),
    ...(password === null ? {} : { password, password_changed: iso(at) }),
  };
  await sql.updateTable('users').set(set).where('id', '=', before.id).execute();
  if (password !== null) {
    await sql.deleteFrom('sessions').where('user_id', '=', before.id).execute();
  }
  const user = userOf({ ...before, ...set });
  await noteChange(sql, at, {
    actor: { kind: 'user', id: user.id, name: user.name },
    action: 'user.link-used',
    entity: { kind: 'user', id: user.id },
    before: shownUser(userOf(before)),
    after: { ...shownUser(user), passwordSet: password !== null },
  });
  return startSession(sql, ground, user);
}

async function findLink(
  { tables, clock }: Ground,
  hash: string,
): Promise<{ readonly row: SignInLinkRow; readonly user: User } | null> {
  const row = await tables.db
    .selectFrom('sign_in_links')
    .selectAll()
    .where('secret_hash', '=', hash)
    .where('used', 'is', null)
    .where('expires', '>', iso(clock()))
    .executeTakeFirst();
  if (row === undefined) return null;
  const user = await tables.db
    .selectFrom('users')
    .selectAll()
    .where('id', '=', row.user_id)
    .where('disabled', 'is', null)
    .executeTakeFirst();
  return user === undefined ? null : { row, user: userOf(user) };
}

function invalid(): TrustFault {
  return new TrustFault('access.link-invalid', 'the sign-in link is unknown, expired or used');
}
