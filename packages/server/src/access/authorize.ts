import { hasCode, quote, TrustFault } from '@bulla/trust/fault/fault';
import type { HttpRequest } from '../http/exchange.ts';
import {
  mayAct,
  type Principal,
  type RegistryAction,
  type RegistryNeed,
} from '../http/principal.ts';
import { mayList } from './actor.ts';
import { mayPullAnonymously, originOf } from './caller.ts';
import { parseAuthorization } from './credentials.ts';
import { formatScopes, mountSource } from './registry-scope.ts';
import type { AccessService } from './service.ts';
import { ANONYMOUS, type Standing } from './standing.ts';

/** The rights of those who speak to the registry. */
export interface RegistryAccess {
  /**
   * Who asks, if they have what the request needs: by a registry token as Bearer, by an API token in
   * Basic, or nobody where pulls are anonymous. A cookie is not read (semantics 20). Throws
   * `access.unauthenticated` (401), where other credentials or another token might help, and
   * `access.denied` (403). It never looks whether the repository is there, so what is unknown and
   * what is forbidden look alike. For the catalogue, `may` tells of the answer which names to list: all
   * that the caller may pull, whatever the credential is for besides.
   */
  authorize(request: HttpRequest, need: RegistryNeed): Promise<Principal>;
  /** Whether somebody who was authorized may do something beside what the request needed. */
  may(principal: Principal, repository: string, action: RegistryAction): boolean;
  /** The value of `WWW-Authenticate` beside a 401. */
  challenge(request: HttpRequest, need: RegistryNeed): string;
}

type ChallengeError = 'invalid_token' | 'insufficient_scope';

/**
 * The access of the gateway. The probe of `/v2/` is challenged without credentials even where pulls
 * are anonymous: docker and podman learn from it alone how to log in.
 */
export function createRegistryAccess(access: AccessService): RegistryAccess {
  // Why a request was refused; clients fetch a wider token for `insufficient_scope` only.
  const reasons = new WeakMap<HttpRequest, ChallengeError>();
  const refuse = (request: HttpRequest, error: ChallengeError, cause?: unknown): TrustFault => {
    reasons.set(request, error);
    const message =
      error === 'invalid_token' ? 'the token does not hold' : 'the token does not have the scope';
    return unauthenticated(message, cause);
  };
  return {
    async authorize(request, need) {
      const anonymous = mayPullAnonymously(request, access.config);
      const standing = await standingOf(access, request, refuse);
      if (standing === null) {
        if (anonymous && need.kind !== 'base' && mayDo(ANONYMOUS, need)) return ANONYMOUS;
        throw unauthenticated('expected credentials');
      }
      const { principal, whole, catalog } = standing;
      // A token for nobody is worth what nobody may do here, wherever it was fetched.
      if (whole.kind === 'anonymous' && !anonymous) throw unauthenticated('expected credentials');
      if (need.kind === 'catalog' ? catalog : mayDo(principal, need)) {
        return need.kind === 'catalog' ? forCatalog(standing) : principal;
      }
      // Who may do more than this token can fetch another; nobody can log in.
      if (whole.kind === 'anonymous' || mayDo(whole, need)) {
        throw refuse(request, 'insufficient_scope');
      }
      throw denied(principal, need);
    },
    may: mayAct,
    challenge: (request, need) => challengeOf(access, request, need, reasons.get(request)),
  };
}

async function standingOf(
  access: AccessService,
  request: HttpRequest,
  refuse: (request: HttpRequest, error: ChallengeError, cause?: unknown) => TrustFault,
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
    throw refuse(request, 'invalid_token', error);
  }
  // A password is taken where tokens are issued, once, and not with each of a pull's requests.
  throw refuse(request, 'invalid_token');
}

/** A challenge as token.md of the distribution specification and RFC 6750 §3 write it. */
function challengeOf(
  { config }: AccessService,
  request: HttpRequest,
  need: RegistryNeed,
  error: ChallengeError | undefined,
): string {
  const scope = scopeOf(need, request.query);
  const parts = [
    `Bearer realm="${originOf(request, config)}/auth/token"`,
    `service="${config.service}"`,
    ...(scope === '' ? [] : [`scope="${scope}"`]),
    ...(error === undefined ? [] : [`error="${error}"`]),
  ];
  return parts.join(',');
}

/** What clients have to ask for to be able to do what they were refused. */
function scopeOf(need: RegistryNeed, query: URLSearchParams): string {
  if (need.kind === 'base') return '';
  if (need.kind === 'catalog') return formatScopes({ repositories: [], catalog: true });
  const { repository, action } = need;
  // Pushing looks for what is there, and signing reads what it signs.
  const actions = action === 'pull' || action === 'delete' ? [action] : (['pull', action] as const);
  const from = action === 'push' ? mountSource(query) : null;
  const source = from === null ? [] : [{ repository: from, actions: ['pull'] as const }];
  return formatScopes({ repositories: [{ repository, actions }, ...source], catalog: false });
}

function mayDo(principal: Principal, need: RegistryNeed): boolean {
  switch (need.kind) {
    case 'base':
      return true;
    case 'catalog':
      return mayList(principal);
    case 'repository':
      return mayAct(principal, need.repository, need.action);
    default:
      return need satisfies never;
  }
}

/** A token for the catalogue names no repository: its subject's own rights say what is listed. */
function forCatalog({ principal, whole }: Standing): Principal {
  const repositories = whole.repositories
    .filter(({ actions }) => actions.includes('pull'))
    .map(({ repository }) => ({ repository, actions: ['pull'] as const }));
  return { ...principal, repositories };
}

function unauthenticated(message: string, cause?: unknown): TrustFault {
  const options = cause === undefined ? undefined : { cause };
  return new TrustFault('access.unauthenticated', message, undefined, options);
}

function denied({ name }: Principal, need: RegistryNeed): TrustFault {
  const what =
    need.kind === 'repository' ? `${need.action} ${quote(need.repository)}` : 'list repositories';
  return new TrustFault('access.denied', `${quote(name)} may not ${what}`);
}
