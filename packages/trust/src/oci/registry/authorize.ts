import { parseJson } from '../../bytes/json.ts';
import { asCount, asString, cursor, member, optional } from '../../bytes/shape.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { RawAnswer } from './exchange.ts';
import type { HttpClient } from './http.ts';
import type { Credentials, RegistryOptions } from './options.ts';

/** Proves to one registry who is asking. */
export interface Authorizer {
  /** The Authorization header for a scope, when one is known already. */
  known(scope: string): string | undefined;
  /**
   * The header that answers the challenges of `answer`, for `scope` and what the registry asks
   * besides; undefined when there is nothing more to offer. `used` is the header that was refused.
   */
  answer(
    answer: RawAnswer,
    scope: string,
    used: string | undefined,
    signal?: AbortSignal,
  ): Promise<string | undefined>;
  /** Whether there is anything to prove it with: a 403 to nobody in particular may be none then. */
  hasCredentials(scope: string): Promise<boolean>;
}

/** What an authorizer is made from. */
export interface AuthorizerParts {
  readonly http: HttpClient;
  readonly options: RegistryOptions;
  /** The canonical registry, `docker.io`. */
  readonly registry: string;
  /** Where it is reached, `https://registry-1.docker.io`. */
  readonly endpoint: URL;
  /** The credentials for a repository; read only when the registry asks. */
  readonly credentials: (scope: string) => Promise<Credentials | undefined>;
}

interface Held {
  readonly header: string;
  readonly expiresAt: number;
}

const TOKEN_LIMIT = 1 << 20;
// distribution's token specification: a token without expires_in is valid for 60 seconds.
const DEFAULT_LIFE_S = 60;
const MARGIN_MS = 5_000;

// Token services on another host than their registry, as their operators document them.
const TOKEN_HOSTS: Readonly<Record<string, readonly string[]>> = {
  'docker.io': ['auth.docker.io'],
  'registry.gitlab.com': ['gitlab.com'],
  'registry.digitalocean.com': ['api.digitalocean.com'],
};

/**
 * Anonymous, basic and bearer authentication (distribution-spec; distribution token and OAuth2
 * pages). Nothing is sent before the registry asks. Tokens are kept per scope until they expire and
 * concurrent requests share one. Credentials go to the registry's own host or a token host that is
 * known or configured for it, never from HTTPS to HTTP (semantics 19); another realm is asked
 * without credentials.
 */
export function createAuthorizer(parts: AuthorizerParts): Authorizer {
  const now = parts.options.now ?? Date.now;
  const held = new Map<string, Held>();
  const underWay = new Map<string, Promise<string | undefined>>();
  const bearer = parts.options.token;
  return {
    known(scope) {
      if (bearer !== undefined) return `Bearer ${bearer}`;
      const found = held.get(scope);
      return found === undefined || found.expiresAt <= now() ? undefined : found.header;
    },
    async answer(answer, scope, used, signal) {
      if (bearer !== undefined) return undefined;
      const challenges = parseChallenges(answer.header('www-authenticate') ?? '');
      const running = underWay.get(scope);
      if (running !== undefined) return running;
      // Another request may have come by a new token since this one was sent.
      const newer = held.get(scope);
      if (newer !== undefined && newer.header !== used && newer.expiresAt > now()) {
        return newer.header;
      }
      held.delete(scope);
      const started = obtain(parts, challenges, scope, signal).then((found) => {
        if (found !== undefined) held.set(scope, found);
        return found?.header;
      });
      underWay.set(scope, started);
      try {
        return await started;
      } finally {
        underWay.delete(scope);
      }
    },
    async hasCredentials(scope) {
      return (await parts.credentials(scope)) !== undefined;
    },
  };
}

async function obtain(
  parts: AuthorizerParts,
  challenges: readonly Challenge[],
  scope: string,
  signal: AbortSignal | undefined,
): Promise<Held | undefined> {
  const credentials = await parts.credentials(scope);
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer !== undefined) return fetchToken(parts, bearer, scope, credentials, signal);
  const isBasic = challenges.some(({ scheme }) => scheme === 'basic');
  if (!isBasic || credentials?.kind !== 'password') return undefined;
  return { header: basicHeader(credentials), expiresAt: Number.POSITIVE_INFINITY };
}

function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function fetchToken(
  parts: AuthorizerParts,
  challenge: Challenge,
  scope: string,
  credentials: Credentials | undefined,
  signal: AbortSignal | undefined,
): Promise<Held | undefined> {
  if (credentials?.kind === 'registry-token') {
    return { header: `Bearer ${credentials.token}`, expiresAt: Number.POSITIVE_INFINITY };
  }
  const realm = realmOf(parts, challenge);
  const isTrusted = mayHaveCredentials(parts, realm);
  const used = isTrusted ? credentials : undefined;
  const service = challenge.parameters['service'];
  const scopes = scopesOf(scope, challenge.parameters['scope']);
  const answer = await requestToken(parts, { realm, service, scopes, used, signal });
  if (answer.status !== 200) {
    answer.discard();
    throw tokenFault(realm, answer.status, credentials !== undefined && !isTrusted);
  }
  return parseToken(await answer.read(TOKEN_LIMIT), realm, (parts.options.now ?? Date.now)());
}

interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly used: Credentials | undefined;
  readonly signal: AbortSignal | undefined;
}

function requestToken(parts: AuthorizerParts, request: TokenRequest): Promise<RawAnswer> {
  const { realm, service, scopes, used, signal } = request;
  const abort = signal === undefined ? {} : { signal };
  const url = new URL(realm.href);
  if (used?.kind === 'identity-token') {
    // distribution, "OAuth2 Token Authentication": a refresh token is exchanged by POST.
    const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'bulla' });
    form.set('refresh_token', used.token);
    if (service !== undefined) form.set('service', service);
    form.set('scope', scopes.join(' '));
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = Buffer.from(form.toString());
    return parts.http.send({
      method: 'POST',
      url,
      headers,
      body,
      wholeBytes: TOKEN_LIMIT,
      ...abort,
    });
  }
  if (service !== undefined) url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const headers = used?.kind === 'password' ? { authorization: basicHeader(used) } : {};
  return parts.http.send({ method: 'GET', url, headers, wholeBytes: TOKEN_LIMIT, ...abort });
}

function realmOf(parts: AuthorizerParts, challenge: Challenge): URL {
  const realm = URL.parse(challenge.parameters['realm'] ?? '');
  const isWeb = realm?.protocol === 'https:' || realm?.protocol === 'http:';
  if (realm === null || !isWeb || realm.username !== '' || realm.password !== '') {
    throw new TrustFault(
      'registry.malformed-answer',
      `${parts.registry} names the token service ${quote(challenge.parameters['realm'] ?? '')}`,
    );
  }
  if (parts.endpoint.protocol === 'https:' && realm.protocol === 'http:') {
    throw new TrustFault(
      'registry.malformed-answer',
      `${parts.registry} names a token service without TLS, ${quote(realm.origin)}`,
    );
  }
  return realm;
}

function mayHaveCredentials(parts: AuthorizerParts, realm: URL): boolean {
  if (realm.hostname === parts.endpoint.hostname) return true;
  const allowed = [
    ...(TOKEN_HOSTS[parts.registry] ?? []),
    ...(parts.options.tokenHosts?.[parts.registry] ?? []),
    ...(parts.options.ownHosts ?? []),
  ];
  return (
    realm.protocol === 'https:' &&
    (allowed.includes(realm.host) || allowed.includes(realm.hostname))
  );
}

/** Our scope and those that the challenge asks besides, each once and in one order. */
function scopesOf(scope: string, asked: string | undefined): readonly string[] {
  const wanted = [...scope.split(' '), ...(asked ?? '').split(' ')].filter((part) => part !== '');
  return [...new Set(wanted)].sort();
}

function tokenFault(realm: URL, status: number, isWithheld: boolean): TrustFault {
  const where = `the token service ${quote(realm.origin)} answered ${status}`;
  if (status === 429) return new TrustFault('registry.rate-limited', where);
  if (status >= 500) return new TrustFault('registry.server-error', where);
  if (isWithheld) {
    return new TrustFault(
      'registry.unauthorized',
      `${where}; credentials were withheld, because it is on another host than the registry`,
      'If the token service is the registry’s own, name its host (--registry-host HOST).',
    );
  }
  return status === 403
    ? new TrustFault('registry.denied', where)
    : new TrustFault('registry.unauthorized', where);
}

function parseToken(bytes: Uint8Array, realm: URL, nowMs: number): Held {
  const where = `the answer of the token service ${realm.origin}`;
  try {
    const at = cursor(parseJson(bytes, where), '', 'registry.malformed-answer');
    const token = optional(member(at, 'token'), asString) || asString(member(at, 'access_token'));
    const lifeS = optional(member(at, 'expires_in'), asCount) ?? DEFAULT_LIFE_S;
    if (!/^[\x21-\x7e]+$/.test(token)) {
      throw new TrustFault('registry.malformed-answer', `${where} holds no usable token`);
    }
    return { header: `Bearer ${token}`, expiresAt: nowMs + lifeS * 1000 - MARGIN_MS };
  } catch (cause) {
    // The token must not reach a message, so the parser's own message does not go on.
    throw new TrustFault(
      'registry.malformed-answer',
      `${where} is not what it should be`,
      undefined,
      {
        cause,
      },
    );
  }
}
