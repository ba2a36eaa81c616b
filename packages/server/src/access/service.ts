import { hasCode } from '@bulla/trust/fault/fault';
import type { HttpRequest } from '../http/exchange.ts';
import type { Principal, Role } from '../http/principal.ts';
import { type Activity, type ActivityPage, listActivity } from './activity.ts';
import type { Actor } from './actor.ts';
import { type Callers, callerOf, openCallers } from './callers.ts';
import type { AccessConfig } from './config.ts';
import { openEpoch } from './epoch.ts';
import { type FirstStart, firstStart } from './first-start.ts';
import { type AccessParts, type Ground, iso, later } from './ground.ts';
import { type IssuedLink, type LinkUse, makeLink, useLink } from './links.ts';
import { openPasswords } from './passwords.ts';
import { type IssuedRegistryToken, issueRegistryToken, type Subject } from './registry-grant.ts';
import { openRegistryKeys } from './registry-keys.ts';
import type { AskedScopes } from './registry-scope.ts';
import {
  changePassword,
  checkPassword,
  endSession,
  findSession,
  type PasswordChange,
  type PasswordSignIn,
  principalOfUser,
  type Session,
  type StartedSession,
  signIn,
} from './sessions.ts';
import { openStandings, type Standing } from './standing.ts';
import { openThrottle } from './throttle.ts';
import {
  type ApiToken,
  type CreatedToken,
  createToken,
  listTokens,
  type NewToken,
  revokeToken,
  type TokensOf,
} from './tokens.ts';
import { type NewUser, type User, userOf } from './user.ts';
import { type AddedUser, addUser, findUser, listUsers, setDisabled, setRole } from './users.ts';

/**
 * Users, tokens, sessions and rights, without HTTP. Each method is documented where it is written;
 * faults are those of `access.*` and `storage.*`. Offline, on a data folder, the CLI calls the same
 * methods with the actor `OPERATOR`.
 */
export interface AccessService {
  readonly config: AccessConfig;
  firstStart(): Promise<FirstStart | null>;
  listUsers(actor: Actor): Promise<readonly User[]>;
  /** By name, in whatever case, or by id. */
  findUser(actor: Actor, nameOrId: string): Promise<User>;
  addUser(actor: Actor, user: NewUser): Promise<AddedUser>;
  setRole(actor: Actor, id: string, role: Role): Promise<User>;
  setDisabled(actor: Actor, id: string, disabled: boolean): Promise<User>;
  makeLink(actor: Actor, userId: string): Promise<IssuedLink>;
  listTokens(actor: Actor, of: TokensOf): Promise<readonly ApiToken[]>;
  createToken(actor: Actor, token: NewToken): Promise<CreatedToken>;
  revokeToken(actor: Actor, id: string): Promise<ApiToken>;
  listActivity(actor: Actor, page: ActivityPage): Promise<readonly Activity[]>;
  signIn(asked: PasswordSignIn): Promise<StartedSession>;
  useLink(asked: LinkUse): Promise<StartedSession>;
  /** The session of a cookie's value, or null. */
  findSession(secret: string): Promise<Session | null>;
  changePassword(secret: string, change: PasswordChange): Promise<void>;
  signOut(secret: string): Promise<void>;
  /** Who an API token stands for. Throws `access.credentials-invalid`. */
  ofToken(secret: string): Promise<Standing>;
  /** Who a registry token stands for. Throws `access.credentials-invalid`. */
  ofRegistryToken(token: string): Promise<Standing>;
  /** The user of a name and a password, to issue registry tokens to. */
  ofPassword(asked: PasswordSignIn): Promise<Subject>;
  issueRegistryToken(subject: Subject, asked: AskedScopes): Promise<IssuedRegistryToken>;
  /** The user to count a request for, without waiting, or null (`callers.ts`). */
  callerOf(request: HttpRequest, cookies: boolean): string | null;
  /** Removes sessions and links that are over. Tokens stay in the list. */
  sweep(): Promise<void>;
}

/** Access on these tables and registers. It keeps in memory only what a restart may lose. */
export function createAccess(parts: AccessParts): AccessService {
  const ground = groundOf(parts);
  const standings = openStandings(ground);
  const callers = openCallers(parts.config.cacheEntries, parts.now);
  return {
    config: parts.config,
    firstStart: () => firstStart(ground),
    listUsers: (actor) => listUsers(ground, actor),
    findUser: (actor, nameOrId) => findUser(ground, actor, nameOrId),
    addUser: (actor, user) => addUser(ground, actor, user),
    setRole: (actor, id, role) => setRole(ground, actor, id, role),
    setDisabled: (actor, id, disabled) => setDisabled(ground, actor, id, disabled),
    makeLink: (actor, userId) => makeLink(ground, actor, userId),
    listTokens: (actor, of) => listTokens(ground, actor, of),
    createToken: (actor, token) => createToken(ground, actor, token),
    revokeToken: (actor, id) => revokeToken(ground, actor, id),
    listActivity: (actor, page) => listActivity(ground, actor, page),
    signIn: (asked) => signIn(ground, asked),
    useLink: (asked) => useLink(ground, asked),
    findSession: (secret) =>
      noted(callers, secret, findSession(ground, secret), (session) => session?.principal ?? null),
    changePassword: (secret, change) => changePassword(ground, secret, change),
    signOut: (secret) => endSession(ground, secret),
    ofToken: (secret) => noted(callers, secret, standings.ofToken(secret), wholeOf),
    ofRegistryToken: (token) => noted(callers, token, standings.ofRegistryToken(token), wholeOf),
    async ofPassword(asked) {
      const row = await checkPassword(ground, asked);
      return { principal: principalOfUser(userOf(row)), expires: null };
    },
    issueRegistryToken: (subject, asked) => issueRegistryToken(ground, subject, asked),
    callerOf: (request, cookies) => callerOf(callers, request, cookies),
    sweep: () => sweep(ground),
  };
}

/** Lets the counting of requests know what a check of a credential led to. */
async function noted<T>(
  callers: Callers,
  secret: string,
  check: Promise<T>,
  principalOf: (found: T) => Principal | null,
): Promise<T> {
  try {
    const found = await check;
    callers.note(secret, principalOf(found));
    return found;
  } catch (error) {
    if (hasCode(error, 'access.credentials-invalid')) callers.note(secret, null);
    throw error;
  }
}

function wholeOf({ whole }: Standing): Principal {
  return whole;
}

function groundOf(parts: AccessParts): Ground {
  const { tables, registers, config, clock, now } = parts;
  const { passwordsAtOnce, passwordsWaiting, registryKeyMs, registryTokenMs } = config;
  return {
    ...parts,
    epoch: openEpoch(tables, now),
    passwords: openPasswords({ atOnce: passwordsAtOnce, waiting: passwordsWaiting }),
    throttle: openThrottle(config, now),
    keys: openRegistryKeys({
      registers,
      clock,
      now,
      keyMs: registryKeyMs,
      tokenMs: registryTokenMs,
    }),
  };
}

async function sweep({ tables, clock, config }: Ground): Promise<void> {
  const at = clock();
  const idle = iso(later(at, -config.sessionIdleMs));
  await tables.db
    .deleteFrom('sessions')
    .where((where) => where.or([where('expires', '<=', iso(at)), where('last_seen', '<=', idle)]))
    .execute();
  await tables.db
    .deleteFrom('sign_in_links')
    .where((where) => where.or([where('expires', '<=', iso(at)), where('used', 'is not', null)]))
    .execute();
}
