import type { ClientRequest, IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJson } from '@bulla/trust/bytes/json';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { isLoopbackHost } from '@bulla/trust/oci/loopback';
import { interrupted } from '../output/interrupt.ts';
import type { Api, ApiCall } from './api.ts';
import { parseProblem } from './parse.ts';

/** How a server is asked. */
export interface ApiClientOptions {
  /** As the user wrote it. */
  readonly url: string;
  /** An API token. */
  readonly token: string;
  /** Authorities in PEM that count instead of the system's; null: the system's. */
  readonly ca: Uint8Array | null;
  /** A certificate of one's own with its key, in PEM, for a listener that wants one. */
  readonly client?: { readonly certificate: Uint8Array; readonly key: Uint8Array } | null;
  /** What asks, as the server's record has it. Default `bulla`. */
  readonly agent?: string;
  readonly signal: AbortSignal;
}

const PREFIX = '/api/bulla/v1';
const TIMEOUT_MS = 30_000;
const ANSWER_MOST_BYTES = 32 << 20;
const PROBLEM_MOST_BYTES = 64 << 10;
const ATTEMPTS = 3;
const WAIT_MOST_MS = 5_000;
// A header ends where a control begins, and no token has one.
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

/**
 * The product API of a running server. TLS, or plain HTTP to this machine; nothing is redirected. A
 * GET is tried again, up to three times in all, when the server answers 429 or 503; nothing else is,
 * because the server may have acted. Throws `server.address-invalid` and `server.token-missing`.
 */
export function openApiClient(options: ApiClientOptions): Api {
  const origin = parseServerUrl(options.url);
  if (!TOKEN.test(options.token)) {
    throw new TrustFault(
      'server.token-missing',
      'what BULLA_TOKEN or --token-file holds is empty or no API token',
    );
  }
  return {
    kind: 'server',
    origin: origin.origin,
    async json(call) {
      const silence = AbortSignal.timeout(call.timeoutMs ?? TIMEOUT_MS);
      return explained(options, origin, silence, async (signal) => {
        const answer = await ask(origin, call, options, signal);
        const bytes = await readBounded(answer, ANSWER_MOST_BYTES);
        if (bytes.length === 0) return null;
        return parseJson(bytes, 'the answer', { maxBytes: ANSWER_MOST_BYTES });
      });
    },
    chunks: (call) => chunksOf(origin, call, options),
    prune() {
      throw new TrustFault(
        'usage.invalid',
        'a running server prunes its record by itself, as its configuration says',
        'Set record.retention in bulla.yaml; or stop the server and give its data folder: --data.',
      );
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** A server's address: scheme, host and port. Throws `server.address-invalid`. */
export function parseServerUrl(text: string): URL {
  const url = URL.parse(text);
  const isBare =
    url !== null && `${url.username}${url.password}${url.search}${url.hash}${url.pathname}` === '/';
  // Never the text itself: it may hold a password.
  const found = url === null ? 'something else' : quote(`${url.protocol}//${url.host}`);
  if (url === null || !isBare || !/^https?:$/.test(url.protocol)) {
    throw new TrustFault('server.address-invalid', `expected https://HOST[:PORT], found ${found}`);
  }
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    const says = `a token goes to another machine by https:// only, found ${found}`;
    throw new TrustFault('server.address-invalid', says);
  }
  return url;
}

async function* chunksOf(
  origin: URL,
  call: ApiCall,
  options: ApiClientOptions,
): AsyncGenerator<Uint8Array> {
  const silenceMs = call.timeoutMs ?? TIMEOUT_MS;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), silenceMs);
  try {
    const heard = <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> =>
      explained(options, origin, late.signal, work);
    const answer = await heard((signal) => ask(origin, call, options, signal));
    const iterator: AsyncIterator<unknown> = answer[Symbol.asyncIterator]();
    try {
      for (;;) {
        timer.refresh();
        const next = await heard(() => iterator.next());
        if (next.done === true) return;
        if (next.value instanceof Uint8Array) yield next.value;
      }
    } finally {
      answer.destroy();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a part of a call, and gives what the network does the fault's form. */
async function explained<T>(
  { signal }: ApiClientOptions,
  { origin }: URL,
  late: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await work(AbortSignal.any([signal, late]));
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    if (signal.aborted) throw interrupted();
    if (late.aborted) {
      throw new TrustFault('server.timeout', `${origin} gave no answer in time`, undefined, {
        cause,
      });
    }
    // Whatever the network does has a code; anything else is a defect and stays one.
    if (!(cause instanceof Error && 'code' in cause)) throw cause;
    const says = `${origin}: ${quote(`${String(cause.code)} ${cause.message}`)}`;
    const remedy = isUntrusted(String(cause.code))
      ? 'Give the authority of the server’s certificate with --cacert FILE; of `bulla up` it is DATA/tls/ca.pem.'
      : undefined;
    throw new TrustFault('server.unreachable', says, remedy, { cause });
  }
}

function isUntrusted(code: string): boolean {
  return /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)/.test(code);
}

/** An answer of success; its body is still to be read. */
async function ask(
  origin: URL,
  call: ApiCall,
  options: ApiClientOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  for (let attempt = 1; ; attempt++) {
    const answer = await send(origin, call, options, signal);
    const { statusCode: status = 0 } = answer;
    if (status >= 200 && status <= 299) return answer;
    const fault = await refusalOf(answer, origin);
    const isBusy = status === 429 || status === 503;
    if (call.method !== 'GET' || !isBusy || attempt === ATTEMPTS) throw fault;
    await sleep(waitMs(answer, attempt), undefined, { signal });
  }
}

function waitMs({ headers }: IncomingMessage, attempt: number): number {
  const seconds = headers['retry-after'] ?? '';
  const asked = /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : 250 * 2 ** attempt;
  return Math.min(asked, WAIT_MOST_MS);
}

async function send(
  origin: URL,
  { method, path, query = {}, body }: ApiCall,
  { token, ca, client = null, agent = 'bulla' }: ApiClientOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const url = new URL(`${PREFIX}/${path.map(encodeURIComponent).join('/')}`, origin);
  url.search = new URLSearchParams(query).toString();
  const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body));
  const settings = {
    method,
    headers: {
      Authorization: `Bearer ${token}`,
      Accept: 'application/json',
      'User-Agent': agent,
      ...(bytes === null
        ? {}
        : { 'Content-Type': 'application/json', 'Content-Length': bytes.length }),
    },
    signal,
    agent: false as const,
    ...(ca === null ? {} : { ca: Buffer.from(ca) }),
    ...(client === null
      ? {}
      : { cert: Buffer.from(client.certificate), key: Buffer.from(client.key) }),
  };
  const { request } =
    origin.protocol === 'http:' ? await import('node:http') : await import('node:https');
  return new Promise((resolve, reject) => {
    const sent: ClientRequest = request(url, settings, resolve);
    sent.once('error', reject).end(bytes ?? undefined);
  });
}

/** The fault that a server answered, with its remedy. */
async function refusalOf(answer: IncomingMessage, { origin }: URL): Promise<TrustFault> {
  const { statusCode: status = 0, headers } = answer;
  const type = headers['content-type']?.split(';', 1)[0];
  if (type === 'application/problem+json') {
    return parseProblem(await readBounded(answer, PROBLEM_MOST_BYTES));
  }
  answer.destroy();
  const where = headers.location === undefined ? '' : ` and leads to ${quote(headers.location)}`;
  const says = `${origin} answered ${status}${where}, where an answer of the API was expected`;
  return new TrustFault('server.answer-malformed', says);
}

async function readBounded(answer: IncomingMessage, mostBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of answer) {
    if (!(part instanceof Uint8Array)) continue;
    sizeBytes += part.length;
    if (sizeBytes > mostBytes) {
      // Leaving the loop destroys the connection.
      const says = `the answer is larger than ${mostBytes} bytes`;
      throw new TrustFault('server.answer-malformed', says);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}
