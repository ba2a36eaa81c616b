import { parseJson } from '../../bytes/json.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import { isLoopback } from '../reference.ts';
import type { CallOptions } from '../store.ts';
import { namedHosts } from './address.ts';
import { type Authorizer, createAuthorizer } from './authorize.ts';
import type { RawAnswer } from './exchange.ts';
import { createHttpClient, type HttpClient, type HttpRequest } from './http.ts';
import type { Credentials, RegistryOptions } from './options.ts';

/** A request to the registry, which is authorised for `scope` when the registry wants that. */
export interface RegistryRequest extends Omit<HttpRequest, 'url'> {
  /** A path on the registry, or a URL that the registry gave. */
  readonly url: string | URL;
  /** `repository:NAME:pull`; several are separated by spaces. */
  readonly scope: string;
}

/** One registry: connections, tokens and credentials for all its repositories. */
export interface RegistryClient {
  /** The canonical registry, `docker.io`. */
  readonly registry: string;
  readonly options: RegistryOptions;
  /** The answer, whatever its status but 401. Throws `registry.unauthorized` and the codes of http.ts. */
  send(request: RegistryRequest): Promise<RawAnswer>;
  /** Whether a token for this scope is at hand. */
  holds(scope: string): boolean;
}

const ERROR_LIMIT = 64 << 10;
// A gateway's refusal names policy, clause and decision, and is of no use without its end.
const REASON_LONGEST = 256;
const clients = new WeakMap<RegistryOptions, Map<string, RegistryClient>>();

/** The client of a registry; the same one for the same options and registry. */
export function registryClient(registry: string, options: RegistryOptions): RegistryClient {
  let known = clients.get(options);
  if (known === undefined) {
    known = new Map();
    clients.set(options, known);
  }
  let client = known.get(registry);
  if (client === undefined) {
    client = createRegistryClient(registry, options);
    known.set(registry, client);
  }
  return client;
}

/**
 * Asks `GET /v2/`, with credentials when the registry wants them: for `login` and `doctor`. Throws
 * `registry.unauthorized` when they are not accepted, `registry.malformed-answer` when what answers
 * is no registry.
 */
export async function pingRegistry(
  registry: string,
  options: RegistryOptions,
  call?: CallOptions,
): Promise<void> {
  const client = registryClient(registry, options);
  const answer = await client.send({
    method: 'GET',
    url: '/v2/',
    scope: '',
    ...(call?.signal === undefined ? {} : { signal: call.signal }),
  });
  if (answer.status !== 200) throw await answerFault(answer, `${registry}/v2/`);
  answer.discard();
  // A sign-in portal answers everything; credentials that it never checked must not be stored.
  if (/^text\/html\b/i.test(answer.header('content-type') ?? '')) {
    throw new TrustFault('registry.malformed-answer', `${registry}/v2/ is a web page`);
  }
}

/**
 * Where a registry is reached: loopback by HTTP, everything else by HTTPS. Who names an authority or a
 * client certificate means TLS, on loopback as well.
 */
export function endpointOf(registry: string, options: RegistryOptions): URL {
  const meansTls = options.caFile !== undefined || options.certFile !== undefined;
  const isPlain = options.plainHttp ?? (isLoopback(registry) && !meansTls);
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  return new URL(`${isPlain ? 'http' : 'https'}://${host}/`);
}

function createRegistryClient(registry: string, options: RegistryOptions): RegistryClient {
  const endpoint = endpointOf(registry, options);
  const named = [
    ...(options.privateEndpoint === false ? [] : [endpoint.host]),
    ...(options.tokenHosts?.[registry] ?? []),
    ...(options.ownHosts ?? []),
  ];
  const http = createHttpClient(options, namedHosts(named));
  const authorizer = createAuthorizer({
    http,
    options,
    registry,
    endpoint,
    credentials: rememberCredentials(registry, options),
  });
  return {
    registry,
    options,
    send: (request) => send({ http, authorizer, endpoint, registry }, request),
    holds: (scope) => authorizer.known(scope) !== undefined,
  };
}

function rememberCredentials(
  registry: string,
  options: RegistryOptions,
): (scope: string) => Promise<Credentials | undefined> {
  const known = new Map<string, Promise<Credentials | undefined>>();
  return (scope) => {
    const repository = /^repository:(.+):[^:]*$/.exec(scope.split(' ')[0] ?? '')?.[1] ?? '';
    const found = known.get(repository) ?? loadCredentials(registry, repository, options);
    known.set(repository, found);
    return found;
  };
}

async function loadCredentials(
  registry: string,
  repository: string,
  options: RegistryOptions,
): Promise<Credentials | undefined> {
  const { findCredentials } = await import('./credentials.ts');
  return findCredentials(registry, repository, options);
}

interface Parts {
  readonly http: HttpClient;
  readonly authorizer: Authorizer;
  readonly endpoint: URL;
  readonly registry: string;
}

async function send(parts: Parts, request: RegistryRequest): Promise<RawAnswer> {
  const { http, authorizer, endpoint, registry } = parts;
  const { scope, headers, ...asked } = request;
  const rest = { ...asked, patienceFor: scope };
  const url = typeof request.url === 'string' ? new URL(request.url, endpoint) : request.url;
  // Storage on another host, to which the registry sends an upload, never sees credentials.
  const isOwn = url.origin === endpoint.origin;
  const used = isOwn ? authorizer.known(scope) : undefined;
  const answer = await http.send({ ...rest, url, headers: withAuthorization(headers, used) });
  const isUnasked = isOwn && used === undefined && answer.url.origin === endpoint.origin;
  if (answer.status === 403 && isUnasked) {
    const header = await introduce(parts, scope, request.signal);
    if (header === undefined) return answer;
    answer.discard();
    return http.send({ ...rest, url, headers: withAuthorization(headers, header) });
  }
  if (answer.status !== 401) return answer;
  const isOwnChallenge = isOwn && answer.url.origin === endpoint.origin;
  // Reads the body, so that nothing of this answer is left open whatever comes next.
  const refusal = await answerFault(answer, registry);
  const header = isOwnChallenge
    ? await authorizer.answer(answer, scope, used, request.signal)
    : undefined;
  if (header === undefined || header === used) throw refusal;
  const again = await http.send({ ...rest, url, headers: withAuthorization(headers, header) });
  if (again.status === 401) throw await answerFault(again, registry);
  return again;
}

/**
 * The header of who has credentials and was refused without having been asked for them: where pulls
 * are anonymous only `/v2/` asks. Undefined when there are none, or it does not ask either.
 */
async function introduce(
  { http, authorizer, endpoint }: Parts,
  scope: string,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  if (!(await authorizer.hasCredentials(scope))) return undefined;
  const url = new URL('/v2/', endpoint);
  const abort = signal === undefined ? {} : { signal };
  const probe = await http.send({ method: 'GET', url, ...abort });
  probe.discard();
  if (probe.status !== 401 || probe.url.origin !== endpoint.origin) return undefined;
  return authorizer.answer(probe, scope, undefined, signal);
}

function withAuthorization(
  headers: Readonly<Record<string, string>> | undefined,
  value: string | undefined,
): Readonly<Record<string, string>> {
  return value === undefined ? { ...headers } : { ...headers, authorization: value };
}

/**
 * The fault that an unexpected answer amounts to, with the registry's own reason when it gives one
 * (distribution-spec "Error Codes"). Reads the body.
 */
export async function answerFault(answer: RawAnswer, what: string): Promise<TrustFault> {
  const reason = await readReason(answer);
  const message = `${what}: the registry answered ${answer.status}${reason}`;
  const { status } = answer;
  if (status === 401) return new TrustFault('registry.unauthorized', message);
  if (status === 403) return new TrustFault('registry.denied', message, policyRemedy(answer));
  if (status === 429) return new TrustFault('registry.rate-limited', message);
  if (status === 405 || status === 501) return new TrustFault('registry.unsupported', message);
  if (status >= 500) return new TrustFault('registry.server-error', message);
  if (status >= 300 && status < 400) return new TrustFault('registry.redirect', message);
  if (status >= 400) return new TrustFault('registry.refused', message);
  return new TrustFault('registry.malformed-answer', message);
}

/**
 * What helps where a policy of a Bulla gateway refused, which no right to the repository changes.
 * Undefined for other registries, whose refusals carry no decision.
 */
function policyRemedy(answer: RawAnswer): string | undefined {
  const id = answer.header('bulla-decision') ?? '';
  if (!/^[0-9A-Z]{26}$/.test(id)) return undefined;
  const { origin } = answer.url;
  return (
    `Ask the gateway why: \`bulla decisions explain ${id} --server ${origin}\`. ` +
    'To sign what its policy does not admit yet, log in with a token that has the scope sign for this repository.'
  );
}

async function readReason(answer: RawAnswer): Promise<string> {
  try {
    const value = parseJson(await answer.read(ERROR_LIMIT), 'the answer');
    const reason = firstError(value);
    return reason === '' ? '' : ` ${quote(reason, REASON_LONGEST)}`;
  } catch (error) {
    // An error page of another kind says nothing that helps; the status does.
    if (error instanceof TrustFault) return '';
    throw error;
  }
}

function firstError(value: unknown): string {
  const errors: unknown = isRecord(value) ? value['errors'] : undefined;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  if (!isRecord(first)) return '';
  const { code, message } = first;
  return [code, message]
    .filter((part) => typeof part === 'string')
    .join(' ')
    .trim();
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
