import { setTimeout as sleep } from 'node:timers/promises';
import { quote, TrustFault } from '../../fault/fault.ts';
import type { HostNames } from './address.ts';
import { exchange, type RawAnswer } from './exchange.ts';
import { DEFAULT_TIMEOUT_MS, type RegistryOptions } from './options.ts';
import { createTransport, type Transport } from './transport.ts';

/** One request as the rest of the client states it. */
export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  /** What its missed deadlines count for: the scope, which names the repository. Default: the client. */
  readonly patienceFor?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /**
   * Reads a 2xx answer whole, at most so many bytes, before it is returned, so that a connection
   * that breaks within the body is tried again as well.
   */
  readonly wholeBytes?: number;
  readonly signal?: AbortSignal;
  /** Whether a broken connection may be tried again. Default: by the method. */
  readonly isRepeatable?: boolean;
  readonly onSent?: (bytes: number) => void;
}

/** Sends requests with deadlines, redirects and retries. */
export interface HttpClient {
  send(request: HttpRequest): Promise<RawAnswer>;
}

const MAX_REDIRECTS = 3;
const MAX_TRIES = 4;
const MAX_WAIT_MS = 20_000;
const MAX_TIMEOUTS = 4;
const TIMEOUTS_WITHIN_MS = 60_000;
const BACKOFF_MS = 100;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
// Sending these twice has the effect of sending them once (RFC 9110 §9.2.2).
const IDEMPOTENT: readonly string[] = ['GET', 'HEAD', 'PUT', 'DELETE'];

/**
 * A client for one set of options. A connection that breaks and 500, 502 and 504 are tried again for
 * idempotent methods, 429 and 503 for all after their `Retry-After` (at most 20 s and the
 * timeout), four tries in all. Redirects of GET and HEAD
 * are followed at most three deep, without credentials to another origin, and never from HTTPS to
 * HTTP (`registry.redirect`). After four deadlines missed within a minute nothing more is sent for the
 * same repository for a while (`registry.timeout`): ten thousand referrers would be as many waits. Other
 * repositories are asked on: who publishes to one must not be able to stop all of a registry. Other
 * answers, also errors, are returned.
 */
export function createHttpClient(options: RegistryOptions, isNamed: HostNames): HttpClient {
  const transport = createTransport(options, isNamed);
  const patience = createPatience(options);
  return {
    async send(request) {
      for (let attempt = 1; ; attempt++) {
        patience.check(request);
        const outcome = await attemptOnce(transport, options, request);
        const isLast = attempt === MAX_TRIES;
        if (outcome instanceof TrustFault) {
          patience.note(request, outcome);
          if (isLast || !mayRetry(request, outcome)) throw outcome;
          await pause(options, request, attempt, undefined);
        } else {
          if (isLast || !isPassing(request, outcome.status)) return outcome;
          const wanted = retryAfterMs(outcome.header('retry-after'), options);
          if (wanted !== undefined && wanted > longestWaitMs(options)) return outcome;
          outcome.discard();
          await pause(options, request, attempt, wanted);
        }
      }
    },
  };
}

function longestWaitMs(options: RegistryOptions): number {
  return Math.min(MAX_WAIT_MS, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
}

interface Patience {
  check(request: HttpRequest): void;
  note(request: HttpRequest, fault: TrustFault): void;
}

/** So many that missed deadlines are known; the one that did so first is forgotten first. */
const IMPATIENT_MOST = 1000;

function createPatience(options: RegistryOptions): Patience {
  const now = options.now ?? Date.now;
  const missed = new Map<string, readonly number[]>();
  return {
    check({ method, url, patienceFor = '' }) {
      const times = missed.get(patienceFor);
      const [first] = times ?? [];
      if (times?.length !== MAX_TIMEOUTS || first === undefined) return;
      if (now() - first > TIMEOUTS_WITHIN_MS) return;
      throw new TrustFault(
        'registry.timeout',
        `${method} ${url.origin} was not sent: ${MAX_TIMEOUTS} requests before it had no answer in time`,
      );
    },
    note({ patienceFor = '' }, { code }) {
      if (code !== 'registry.timeout') return;
      const times = [...(missed.get(patienceFor) ?? []), now()].slice(-MAX_TIMEOUTS);
      missed.delete(patienceFor);
      missed.set(patienceFor, times);
      const [oldest] = missed.keys();
      if (missed.size > IMPATIENT_MOST && oldest !== undefined) missed.delete(oldest);
    },
  };
}

async function attemptOnce(
  transport: Transport,
  options: RegistryOptions,
  request: HttpRequest,
): Promise<RawAnswer | TrustFault> {
  try {
    const answer = await follow(transport, options, request);
    const { wholeBytes } = request;
    if (wholeBytes === undefined || answer.status < 200 || answer.status > 299) return answer;
    const bytes = await answer.read(wholeBytes);
    return { ...answer, read: async () => bytes, discard: () => {} };
  } catch (error) {
    if (error instanceof TrustFault) return error;
    throw error;
  }
}

function isRepeatable(request: HttpRequest): boolean {
  return request.isRepeatable ?? IDEMPOTENT.includes(request.method);
}

/** Whether a status may be another one in a moment: 429 and 503 say so, other 5xx only may. */
function isPassing(request: HttpRequest, status: number): boolean {
  if (status === 429 || status === 503) return true;
  return isRepeatable(request) && (status === 500 || status === 502 || status === 504);
}

function mayRetry(request: HttpRequest, fault: TrustFault): boolean {
  if (fault.code !== 'registry.unreachable' || !isRepeatable(request)) return false;
  const cause = fault.cause;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  // A name that does not exist and a port that nobody listens on will not change in a second.
  return code !== 'ENOTFOUND' && code !== 'ECONNREFUSED' && code !== 'ERR_INVALID_URL';
}

async function pause(
  options: RegistryOptions,
  request: HttpRequest,
  attempt: number,
  wantedMs: number | undefined,
): Promise<void> {
  const random = options.random ?? Math.random;
  const backoff = BACKOFF_MS * 2 ** (attempt - 1);
  const delayMs = (wantedMs ?? backoff) + random() * backoff;
  const { signal } = request;
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new TrustFault('registry.cancelled', 'the wait was given up', undefined, { cause });
  }
}

/** `Retry-After` in milliseconds: seconds or an HTTP date (RFC 9110 §10.2.3). */
function retryAfterMs(value: string | undefined, options: RegistryOptions): number | undefined {
  if (value === undefined) return undefined;
  if (/^[0-9]{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  if (Number.isNaN(date)) return undefined;
  return Math.max(0, date - (options.now ?? Date.now)());
}

async function follow(
  transport: Transport,
  options: RegistryOptions,
  request: HttpRequest,
): Promise<RawAnswer> {
  let { url } = request;
  let headers: Readonly<Record<string, string>> = {
    'user-agent': options.userAgent ?? 'bulla',
    ...request.headers,
  };
  for (let redirects = 0; ; redirects++) {
    const answer = await exchange(transport, { ...exchangeOf(options, request), url, headers });
    const isSafe = request.method === 'GET' || request.method === 'HEAD';
    if (!REDIRECTS.includes(answer.status) || !isSafe) return answer;
    answer.discard();
    const next = redirectTarget(answer, redirects);
    if (next.origin !== url.origin) headers = withoutCredentials(headers);
    url = next;
  }
}

function exchangeOf(options: RegistryOptions, request: HttpRequest) {
  return {
    method: request.method,
    timeoutMs: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    ...(request.body === undefined ? {} : { body: request.body }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
    ...(request.onSent === undefined ? {} : { onSent: request.onSent }),
  };
}

function redirectTarget(answer: RawAnswer, redirects: number): URL {
  const location = answer.header('location') ?? '';
  const from = answer.url;
  if (redirects >= MAX_REDIRECTS) {
    throw new TrustFault(
      'registry.redirect',
      `more than ${MAX_REDIRECTS} redirects, the last to ${quote(location)}`,
    );
  }
  const next = URL.parse(location, from.href);
  if (location === '' || next === null || !/^https?:$/.test(next.protocol)) {
    throw new TrustFault('registry.redirect', `${from.origin} redirects to ${quote(location)}`);
  }
  // Semantics 19: never from HTTPS to HTTP.
  if (from.protocol === 'https:' && next.protocol === 'http:') {
    throw new TrustFault(
      'registry.redirect',
      `${from.origin} redirects to HTTP, ${quote(location)}`,
    );
  }
  next.username = '';
  next.password = '';
  return next;
}

function withoutCredentials(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(?:authorization|cookie)$/i.test(name)),
  );
}
