import { TrustFault } from '@bulla/trust/fault/fault';
import { openRecent, type Recent } from '../bounds/recent.ts';
import type { Principal } from '../http/principal.ts';
import type { TokenRow } from '../storage/schema/access.ts';
import { actionsWithin, mayList } from './actor.ts';
import { type Ground, iso, later } from './ground.ts';
import type { RegistryClaims } from './parse.ts';
import { openClaims } from './registry-token.ts';
import { isTokenSecret, secretHash } from './secrets.ts';
import { principalOfUser } from './sessions.ts';
import { principalOfToken } from './tokens.ts';
import { userOf } from './user.ts';

/** Who a credential stands for now. */
export interface Standing {
  /** What the credential allows. */
  readonly principal: Principal;
  /** All that its user or API token may do; a registry token allows a part of it. */
  readonly whole: Principal;
  /** Whether the credential lists the repositories that `whole` may pull. */
  readonly catalog: boolean;
  readonly expires: Date;
}

/**
 * Rights behind credentials. Both throw `access.credentials-invalid` for what is unknown, expired
 * or revoked, or whose user is disabled. What was found is remembered by the hash of the credential
 * until it expires or the access epoch is raised: a revocation holds at once in this process, and
 * within a second on others.
 */
export interface Standings {
  ofToken(secret: string): Promise<Standing>;
  ofRegistryToken(token: string): Promise<Standing>;
}

interface Remembered {
  readonly standing: Standing;
  readonly epoch: number;
  /** The API token whose use is written down, and when it last was; null for registry tokens. */
  readonly use: { readonly id: string; notedAt: number } | null;
}

const COARSE_MS = 60_000;
const NEVER = new Date(8.64e15);

/** Nobody, who may pull wherever nobody needs to be known. */
export const ANONYMOUS: Principal = {
  kind: 'anonymous',
  id: 'anonymous',
  name: 'anonymous',
  permissions: new Set(),
  repositories: [{ repository: '**', actions: ['pull'] }],
};

/** Standings on these tables and keys. */
export function openStandings(ground: Ground): Standings {
  // By their scopes: a token may name dozens of repositories.
  const remembered = openRecent<Remembered>(ground.config.cacheEntries, ({ standing }) =>
    Math.max(1, standing.principal.repositories.length),
  );
  return {
    ofToken: (secret) =>
      recall(ground, remembered, secret, async (hash) => {
        if (!isTokenSecret(secret)) throw invalid('is not one of this server, or was mistyped');
        const { row, standing } = await tokenStanding(ground, 'secret_hash', hash);
        return {
          standing,
          use: { id: row.id, notedAt: row.last_used === null ? 0 : Date.parse(row.last_used) },
        };
      }),
    ofRegistryToken: (token) =>
      recall(ground, remembered, token, async () => ({
        standing: await registryStanding(ground, token),
        use: null,
      })),
  };
}

async function recall(
  ground: Ground,
  remembered: Recent<Remembered>,
  credential: string,
  find: (hash: string) => Promise<Omit<Remembered, 'epoch'>>,
): Promise<Standing> {
  const hash = secretHash(credential);
  // Read before the rows: a change between the two makes what is remembered outdated, never too new.
  const epoch = await ground.epoch.recent();
  const known = remembered.get(hash);
  const at = ground.clock();
  const holds =
    known !== undefined && known.epoch === epoch && known.standing.expires.getTime() > at.getTime();
  if (holds) {
    await noteUse(ground, known, at);
    return known.standing;
  }
  remembered.delete(hash);
  const fresh = { ...(await find(hash)), epoch };
  remembered.set(hash, fresh);
  await noteUse(ground, fresh, at);
  return fresh.standing;
}

/** Writes that a token was used, at most once a minute; it is no reason to refuse the use. */
async function noteUse({ tables }: Ground, { use }: Remembered, at: Date): Promise<void> {
  if (use === null || at.getTime() - use.notedAt < COARSE_MS) return;
  use.notedAt = at.getTime();
  try {
    await tables.db
      .updateTable('tokens')
      .set({ last_used: iso(at) })
      .where('id', '=', use.id)
      .where((where) =>
        where.or([
          where('last_used', 'is', null),
          where('last_used', '<=', iso(later(at, -COARSE_MS))),
        ]),
      )
      .execute();
  } catch (error) {
    if (!(error instanceof TrustFault)) throw error;
  }
}

async function tokenStanding(
  { tables, clock }: Ground,
  column: 'secret_hash' | 'id',
  value: string,
): Promise<{ readonly row: TokenRow; readonly standing: Standing }> {
  const row = await tables.db
    .selectFrom('tokens')
    .selectAll()
    .where(column, '=', value)
    .where('revoked', 'is', null)
    .where('expires', '>', iso(clock()))
    .executeTakeFirst();
  const owner =
    row === undefined
      ? undefined
      : await tables.db
          .selectFrom('users')
          .selectAll()
          .where('id', '=', row.user_id)
          .where('disabled', 'is', null)
          .executeTakeFirst();
  if (row === undefined || owner === undefined) {
    throw invalid('is unknown, expired or revoked, or its user disabled');
  }
  const whole = principalOfToken(row, owner);
  const catalog = mayList(whole);
  return { row, standing: { principal: whole, whole, catalog, expires: new Date(row.expires) } };
}

async function registryStanding(ground: Ground, token: string): Promise<Standing> {
  const { keys, config, clock } = ground;
  const claims = await openClaims(keys, token, config.service, clock());
  const { whole, until } = await subjectOf(ground, claims);
  const expires = new Date(Math.min(claims.expires.getTime(), until.getTime()));
  const catalog = claims.catalog && mayList(whole);
  return { principal: within(claims, whole), whole, catalog, expires };
}

/** Who a registry token was issued to, as they are now. */
async function subjectOf(
  ground: Ground,
  { kind, subject, issued }: RegistryClaims,
): Promise<{ readonly whole: Principal; readonly until: Date }> {
  if (kind === 'anonymous') return { whole: ANONYMOUS, until: NEVER };
  if (kind === 'token') {
    const { standing } = await tokenStanding(ground, 'id', subject);
    return { whole: standing.whole, until: standing.expires };
  }
  const row = await ground.tables.db
    .selectFrom('users')
    .selectAll()
    .where('id', '=', subject)
    .where('disabled', 'is', null)
    .executeTakeFirst();
  const changed = row?.password_changed ?? null;
  if (row === undefined || (changed !== null && issued.getTime() < Date.parse(changed))) {
    throw invalid('was issued to a user who is disabled or has another password now');
  }
  return { whole: principalOfUser(userOf(row)), until: NEVER };
}

/** What the token grants of what its subject may do now: neither is ever more than the other. */
function within({ access }: RegistryClaims, whole: Principal): Principal {
  return {
    ...whole,
    // The product API takes no registry tokens.
    permissions: new Set(),
    repositories: access.map(({ repository, actions }) => ({
      repository,
      actions: actionsWithin(whole, repository, actions),
    })),
  };
}

function invalid(why: string): TrustFault {
  return new TrustFault('access.credentials-invalid', `the token ${why}`);
}
