import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { HttpRequest } from '../http/exchange.ts';
import {
  type Authorize,
  mayAct,
  type Principal,
  type RegistryNeed,
  withChallenge,
} from '../http/principal.ts';
import { mayPullAnonymously, originOf } from './caller.ts';
import { parseAuthorization } from './credentials.ts';
import { hasCode } from './ground.ts';
import { formatScopes } from './registry-scope.ts';
import type { AccessService } from './service.ts';
import { ANONYMOUS, type Standing } from './standing.ts';

/**
 * Who makes a request to the registry: a registry token as Bearer, an API token in Basic, or nobody
 * where pulls are anonymous. A cookie is not read (semantics 20). The probe of `/v2/` is challenged
 * without credentials even where pulls are anonymous: clients learn from it alone how to log in.
 */
export function createAuthorize(access: AccessService): Authorize {
  return async (request, need) => {
    const challenge = challengeFor(originOf(request, access.config), access, need);
    const anonymous = mayPullAnonymously(request, access.config);
    const standing = await standingOf(access, request, challenge);
    if (standing === null) {
      if (anonymous && mayDo(ANONYMOUS, need)) return ANONYMOUS;
      throw unauthenticated('expected credentials', challenge());
    }
    // A token for nobody is worth what nobody may do here, wherever it was fetched.
    if (standing.whole.kind === 'anonymous' && !anonymous && need !== 'base') {
      throw unauthenticated('expected credentials', challenge());
    }
    if (need === 'base' || mayDo(standing.principal, need)) return standing.principal;
    // Who may do more than this token can fetch another; nobody can log in.
    if (standing.whole.kind === 'anonymous' || mayDo(standing.whole, need)) {
      throw unauthenticated('the token does not have the scope', challenge('insufficient_scope'));
    }
    throw denied(standing.principal, need);
  };
}

type Challenge = (error?: 'invalid_token' | 'insufficient_scope') => string;

async function standingOf(
  access: AccessService,
  request: HttpRequest,
  challenge: Challenge,
): Promise<Standing | null> {
  const credentials = parseAuthorization(request.header('authorization'));
  if (credentials.kind === 'none') return null;
  try {
    if (credentials.kind === 'bearer') return await access.ofRegistryToken(credentials.token);
    if (credentials.kind === 'api-token' && credentials.scheme === 'basic') {
      return await access.ofToken(credentials.secret);
    }
  } catch (error) {
    if (!hasCode(error, 'access.credentials-invalid')) throw error;
    throw unauthenticated('the token does not hold', challenge('invalid_token'), error);
  }
  // A password is taken where tokens are issued, once, and not with each of a pull's requests.
  throw unauthenticated('expected a registry token', challenge('invalid_token'));
}

/** What clients ask for to be able to do what they were refused. */
function challengeFor(origin: string, access: AccessService, need: RegistryNeed): Challenge {
  const scope = scopeOf(need);
  return (error) =>
    [
      `Bearer realm="${origin}/auth/token"`,
      `service="${access.config.service}"`,
      ...(scope === '' ? [] : [`scope="${scope}"`]),
      ...(error === undefined ? [] : [`error="${error}"`]),
    ].join(',');
}

function scopeOf(need: RegistryNeed): string {
  if (need === 'base') return '';
  if (need === 'catalog') return formatScopes({ repositories: [], catalog: true });
  const { repository, action } = need;
  // Pushing looks for what is there, and signing reads what it signs.
  const actions = action === 'pull' || action === 'delete' ? [action] : (['pull', action] as const);
  return formatScopes({ repositories: [{ repository, actions }], catalog: false });
}

function mayDo(principal: Principal, need: RegistryNeed): boolean {
  if (need === 'base') return principal.kind !== 'anonymous';
  if (need === 'catalog') {
    return principal.kind === 'anonymous' || principal.permissions.has('repositories.read');
  }
  return mayAct(principal, need.repository, need.action);
}

function unauthenticated(message: string, challenge: string, cause?: unknown): TrustFault {
  const options = cause === undefined ? undefined : { cause };
  const fault = new TrustFault('access.unauthenticated', message, undefined, options);
  return withChallenge(fault, challenge);
}

function denied({ name }: Principal, need: RegistryNeed): TrustFault {
  const what =
    typeof need === 'string' ? 'list repositories' : `${need.action} ${quote(need.repository)}`;
  return new TrustFault('access.denied', `${quote(name)} may not ${what}`);
}
