import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { compilePattern } from '@bulla/trust/policy/pattern';
import type { Permission, Principal, RepositoryScope } from '../http/principal.ts';
import type { TokenRow, UserRow } from '../storage/schema/access.ts';
import { transact } from '../storage/tables.ts';
import { noteChange } from './activity.ts';
import { type Actor, covers, requirePermission, requireRole, withinRole } from './actor.ts';
import type { AccessConfig } from './config.ts';
import { type Ground, iso, later, type Sql, transactEpoch } from './ground.ts';
import { parsePermissions, parseRole, parseScopes } from './parse.ts';
import { mayCarry, rightsOfRole } from './roles.ts';
import { newId, newTokenSecret, secretHash } from './secrets.ts';
import { type User, userOf, userRow } from './user.ts';

/** An API token, without its secret. */
export interface ApiToken {
  readonly id: string;
  readonly name: string;
  readonly owner: { readonly id: string; readonly name: string };
  /** As it was made; what it may do now is never more than the role of its owner. */
  readonly permissions: readonly Permission[];
  readonly repositories: readonly RepositoryScope[];
  readonly created: Date;
  readonly expires: Date;
  readonly revoked: Date | null;
  /** To the minute. */
  readonly lastUsed: Date | null;
}

/** A token to make. */
export interface NewToken {
  readonly name: string;
  /** The id of its owner; absent: the caller. */
  readonly user?: string;
  readonly permissions?: readonly Permission[];
  readonly repositories?: readonly RepositoryScope[];
  /** Absent: what the configuration says, or the longest that is allowed if that is shorter. */
  readonly expires?: Date;
}

/** A token that was just made: the only time that its secret is shown. */
export interface CreatedToken {
  readonly token: ApiToken;
  readonly secret: string;
}

const NAME = /^[^\p{C}\p{Zl}\p{Zp}]{1,100}$/u;
const SCOPES_MOST = 100;
const CREATED_LONGEST_MS = 24 * 3600_000;

/**
 * Makes a token. Throws `access.denied`, `access.user-unknown`, `access.name-invalid`,
 * `access.token-invalid` (no scope, a bad glob, an expiry that is past or too far; with scope
 * `sign` over 24 h, semantics 15) and `access.exceeds-rights`: it has no right that its owner's role
 * has not, nor one that the caller has not; made by a token, it ends with it.
 */
export async function createToken(
  ground: Ground,
  actor: Actor,
  asked: NewToken,
): Promise<CreatedToken> {
  requirePermission(actor, 'tokens.own');
  const { clock, config } = ground;
  const owner = asked.user ?? actor.user;
  if (owner === null) {
    throw new TrustFault('access.token-invalid', 'expected the user whom the token is for');
  }
  if (owner !== actor.user) requirePermission(actor, 'tokens.manage');
  const at = clock();
  const wanted = checkWanted(asked, at, config);
  return transact(ground.tables, async (sql) => {
    const user = userOf(await userRow(sql, owner));
    if (user.disabled !== null) throw new TrustFault('access.denied', 'the user is disabled');
    if (user.id !== actor.user) requireRole(actor, user.role);
    refuseExcess(actor, user, wanted);
    const parent = actor.kind === 'token' ? await parentRow(sql, actor.id, at) : null;
    if (parent === null || iso(wanted.expires) <= parent.expires) {
      return insertToken(sql, at, actor, { ...wanted, user, parent: parent?.id ?? null });
    }
    if (asked.expires !== undefined) {
      throw new TrustFault('access.exceeds-rights', 'the token that makes it expires before it');
    }
    const expires = new Date(parent.expires);
    return insertToken(sql, at, actor, { ...wanted, expires, user, parent: parent.id });
  });
}

interface Wanted {
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly repositories: readonly RepositoryScope[];
  readonly expires: Date;
}

/** What the shape of a token must be, whoever makes it. */
function checkWanted(asked: NewToken, at: Date, config: AccessConfig): Wanted {
  const { name, permissions = [], repositories = [] } = asked;
  if (!NAME.test(name)) {
    throw new TrustFault('access.name-invalid', `expected a token's name, found ${quote(name)}`);
  }
  const invalid = (message: string) => new TrustFault('access.token-invalid', message);
  if (permissions.length === 0 && repositories.length === 0) {
    throw invalid('expected at least one permission or repository');
  }
  if (repositories.length > SCOPES_MOST) throw invalid(`expected at most ${SCOPES_MOST} scopes`);
  for (const scope of repositories) {
    if (scope.actions.length === 0) throw invalid(`no action for ${quote(scope.repository)}`);
    checkGlob(scope.repository);
  }
  const signs = repositories.some(({ actions }) => actions.includes('sign'));
  const mostMs = signs ? Math.min(config.signTokenMostMs, CREATED_LONGEST_MS) : config.tokenMostMs;
  const expires = asked.expires ?? later(at, Math.min(config.tokenMs, mostMs));
  const lifeMs = expires.getTime() - at.getTime();
  // An invalid date compares as neither.
  if (!(lifeMs > 0 && lifeMs <= mostMs)) {
    const what = signs ? 'a token with scope sign' : 'a token';
    throw invalid(`expected ${what} to expire within ${mostMs / 60_000} minutes from now`);
  }
  return {
    name,
    permissions: [...new Set(permissions)],
    repositories: repositories.map(({ repository, actions }) => ({
      repository,
      actions: [...new Set(actions)],
    })),
    expires,
  };
}

function checkGlob(glob: string): void {
  try {
    compilePattern({ glob });
  } catch (cause) {
    throw new TrustFault('access.token-invalid', `${quote(glob)} is no glob`, undefined, { cause });
  }
}

function refuseExcess(actor: Actor, user: User, wanted: Wanted): void {
  const exceeds = (who: string, what: string) =>
    new TrustFault('access.exceeds-rights', `${quote(who)} does not have ${what}`);
  const { permissions } = rightsOfRole(user.role);
  for (const permission of wanted.permissions) {
    if (!permissions.has(permission)) throw exceeds(user.name, permission);
    if (!actor.permissions.has(permission)) throw exceeds(actor.name, permission);
  }
  // Who signs in as a person hands on what a token of theirs may carry, `sign` included.
  const own = actor.kind === 'user' && user.id === actor.user;
  for (const scope of wanted.repositories) {
    const what = `${scope.actions.join(', ')} on ${quote(scope.repository)}`;
    if (!scope.actions.every((action) => mayCarry(user.role, action))) {
      throw exceeds(user.name, what);
    }
    if (!own && !covers(withSign(actor), scope)) throw exceeds(actor.name, what);
  }
}

/** A person's session has no `sign`, but may hand it on wherever it may push. */
function withSign(actor: Actor): Actor {
  if (actor.kind !== 'user') return actor;
  const repositories = actor.repositories.map(({ repository, actions }) => ({
    repository,
    actions: actions.includes('push') ? [...actions, 'sign' as const] : actions,
  }));
  return { ...actor, repositories };
}

/** The token that makes another one, which must hold still. */
async function parentRow(sql: Sql, id: string, at: Date): Promise<TokenRow> {
  const row = await sql.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined || row.revoked !== null || row.expires <= iso(at)) {
    throw new TrustFault('access.credentials-invalid', 'the token was revoked meanwhile');
  }
  return row;
}

/** Writes a token, in a transaction, with its activity. */
export async function insertToken(
  sql: Sql,
  at: Date,
  actor: Pick<Actor, 'kind' | 'id' | 'name'>,
  token: Wanted & { readonly user: User; readonly parent: string | null },
): Promise<CreatedToken> {
  const secret = newTokenSecret();
  const row: TokenRow = {
    id: newId('token', at),
    user_id: token.user.id,
    parent: token.parent,
    name: token.name,
    secret_hash: secretHash(secret),
    permissions: JSON.stringify(token.permissions),
    repositories: JSON.stringify(token.repositories),
    created: iso(at),
    expires: iso(token.expires),
    revoked: null,
    last_used: null,
  };
  await sql.insertInto('tokens').values(row).execute();
  const created = tokenOf(row, token.user.name);
  await noteChange(sql, at, {
    actor,
    action: 'token.create',
    entity: { kind: 'token', id: row.id },
    before: null,
    after: shownToken(created),
  });
  return { token: created, secret };
}

function tokenOf(row: TokenRow, ownerName: string): ApiToken {
  return {
    id: row.id,
    name: row.name,
    owner: { id: row.user_id, name: ownerName },
    permissions: [...parsePermissions(row.permissions)],
    repositories: parseScopes(row.repositories),
    created: new Date(row.created),
    expires: new Date(row.expires),
    revoked: row.revoked === null ? null : new Date(row.revoked),
    lastUsed: row.last_used === null ? null : new Date(row.last_used),
  };
}

function shownToken({
  name,
  owner,
  permissions,
  repositories,
  expires,
  revoked,
}: ApiToken): object {
  const shown = { name, owner: owner.name, permissions, repositories };
  return { ...shown, expires: iso(expires), revoked: revoked !== null };
}

/** Whose tokens are listed: one user's by id, or everybody's. */
export type TokensOf = { readonly user: string } | 'everybody';

/** Tokens, newest first, also those that are over. Throws `access.denied`. */
export async function listTokens(
  { tables }: Ground,
  actor: Actor,
  of: TokensOf,
): Promise<readonly ApiToken[]> {
  requirePermission(actor, 'tokens.own');
  if (of === 'everybody' || of.user !== actor.user) requirePermission(actor, 'tokens.manage');
  const rows = await tables.db
    .selectFrom('tokens')
    .innerJoin('users', 'users.id', 'tokens.user_id')
    .selectAll('tokens')
    .select('users.name as owner_name')
    .$if(of !== 'everybody', (query) =>
      query.where('tokens.user_id', '=', of === 'everybody' ? '' : of.user),
    )
    .orderBy('tokens.id', 'desc')
    .execute();
  return rows.map((row) => tokenOf(row, row.owner_name));
}

/**
 * Ends a token at once, and those that it made. Twice is as once. Throws `access.token-unknown`,
 * also for a token of another user that the caller may not see, and `access.exceeds-rights`.
 */
export async function revokeToken(ground: Ground, actor: Actor, id: string): Promise<ApiToken> {
  requirePermission(actor, 'tokens.own');
  return transactEpoch(ground, async (sql) => {
    const row = await sql.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst();
    const others = actor.permissions.has('tokens.manage');
    if (row === undefined || (row.user_id !== actor.user && !others)) {
      throw new TrustFault('access.token-unknown', `no token ${quote(id)}`);
    }
    const owner = userOf(await userRow(sql, row.user_id));
    if (owner.id !== actor.user) requireRole(actor, owner.role);
    await revokeTree(sql, ground.clock(), actor, [row]);
    return tokenOf({ ...row, revoked: row.revoked ?? iso(ground.clock()) }, owner.name);
  });
}

/** A thief who made tokens with a stolen one must not keep them. */
async function revokeTree(
  sql: Sql,
  at: Date,
  actor: Actor,
  rows: readonly TokenRow[],
): Promise<void> {
  for (const row of rows) {
    if (row.revoked === null) await revokeOne(sql, at, actor, row);
    const made = await sql.selectFrom('tokens').selectAll().where('parent', '=', row.id).execute();
    await revokeTree(sql, at, actor, made);
  }
}

async function revokeOne(sql: Sql, at: Date, actor: Actor, row: TokenRow): Promise<void> {
  const revoked = iso(at);
  await sql.updateTable('tokens').set({ revoked }).where('id', '=', row.id).execute();
  const { name } = await userRow(sql, row.user_id);
  await noteChange(sql, at, {
    actor,
    action: 'token.revoke',
    entity: { kind: 'token', id: row.id },
    before: shownToken(tokenOf(row, name)),
    after: shownToken(tokenOf({ ...row, revoked }, name)),
  });
}

/** What a token may do now: its scopes, within its owner's role of today. */
export function principalOfToken(token: TokenRow, owner: UserRow): Principal {
  const role = parseRole(owner.role);
  const { permissions } = rightsOfRole(role);
  return {
    kind: 'token',
    id: token.id,
    name: `token ${token.name} of ${owner.name}`,
    permissions: parsePermissions(token.permissions).intersection(permissions),
    repositories: withinRole(parseScopes(token.repositories), role),
    user: owner.id,
    userName: owner.name,
  };
}
