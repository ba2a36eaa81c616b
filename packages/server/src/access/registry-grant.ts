import type { Principal } from '../http/principal.ts';
import { actionsWithin, mayList } from './actor.ts';
import { type Ground, later } from './ground.ts';
import { type AskedScopes, formatScopes } from './registry-scope.ts';
import { sealClaims } from './registry-token.ts';

/** A registry token, and what was granted with it. */
export interface IssuedRegistryToken {
  readonly token: string;
  readonly issued: Date;
  readonly expiresInSeconds: number;
  /** The scopes that it has, which may be fewer than were asked for. */
  readonly scope: string;
}

/** Whom a registry token is for, and when their own credential ends. */
export interface Subject {
  readonly principal: Principal;
  readonly expires: Date | null;
}

/**
 * A registry token with what was asked for and the subject may do: never more, and nothing is said
 * of the rest. Where the credential carries `sign` for a repository that is to be pulled, the token
 * does as well: clients have no word for it (semantics 15).
 */
export async function issueRegistryToken(
  { clock, config, keys }: Ground,
  { principal, expires }: Subject,
  asked: AskedScopes,
): Promise<IssuedRegistryToken> {
  const issued = clock();
  const most = later(issued, config.registryTokenMs);
  const ends = expires === null || expires > most ? most : expires;
  const access = asked.repositories
    .map(({ repository, actions }) => {
      const wanted = actions.includes('pull') ? new Set([...actions, 'sign' as const]) : actions;
      return { repository, actions: actionsWithin(principal, repository, [...wanted]) };
    })
    .filter(({ actions }) => actions.length > 0);
  const catalog = asked.catalog && mayList(principal);
  const token = sealClaims(await keys.current(), {
    audience: config.service,
    kind: principal.kind,
    subject: principal.id,
    issued,
    expires: ends,
    catalog,
    access,
  });
  return {
    token,
    issued,
    // A client that knows no better waits 60 seconds; less than one is none.
    expiresInSeconds: Math.max(1, Math.floor((ends.getTime() - issued.getTime()) / 1000)),
    scope: formatScopes({ repositories: access, catalog }),
  };
}
