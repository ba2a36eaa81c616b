import { TrustFault } from '@bulla/trust/fault/fault';
import type { Principal } from '../../http/principal.ts';
import type { Place } from '../place.ts';

/** The refusal of who may not: as for a repository to which there is no right, and nothing more. */
export function useDenied({ name }: Place): TrustFault {
  return new TrustFault('access.denied', `no right to ${name}`);
}

/**
 * Whether a principal may use the place's upstream, beside their right to the repository: the
 * upstream's credentials, and what was fetched with them, serve only those who were granted the
 * prefix (semantics 19). A right to repositories grants none, however it is written: a token for a
 * registry names the one repository that its holder asked for.
 */
export function mayUse({ upstream }: Place, principal: Principal): boolean {
  if (upstream === null) return true;
  const { users } = upstream.config;
  if (users === 'anyone') return true;
  if (principal.kind === 'anonymous') return false;
  if (users === 'signed-in') return true;
  return namesOf(principal).some((name) => users.includes(name));
}

/** All by which a configuration may name a principal: a user's name stands for their tokens as well. */
function namesOf({ id, name, user, userName }: Principal): readonly string[] {
  return [id, name, user, userName].filter((one) => one !== undefined);
}

/** Throws `upstream.read-only` for a place that is pulled through from elsewhere. */
export function requireWritable({ name, upstream }: Place): void {
  if (upstream === null) return;
  const { prefix } = upstream.config;
  throw new TrustFault('upstream.read-only', `${name} is pulled through: ${prefix}/ takes no push`);
}
