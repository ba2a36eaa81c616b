import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { concat } from '../bytes/byte-string.ts';
import { quote, TrustFault } from '../fault/fault.ts';

/** What every call of a service may be told. */
export interface ServiceCallOptions {
  /** For the whole call with its retries. Default 60 s: a log answers when its checkpoint is out. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** One request to a signing service. */
export interface ServiceRequest extends ServiceCallOptions {
  readonly url: string;
  readonly contentType: string;
  readonly accept: string;
  readonly body: Uint8Array;
  /** Largest answer that is read. */
  readonly maxBytes: number;
}

/** A service's answer, whole. */
export interface ServiceAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const ATTEMPTS = 4;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;

/**
 * POSTs to a log or a timestamp authority. 429 and 503 are tried again, up to four times in all,
 * after `Retry-After` or half a second, doubled each time; other failures are not, because the
 * service may have acted. Redirects are refused. Throws `service.url`, `service.unreachable`,
 * `service.timeout`, `service.busy`, `service.redirect`, `service.answer-limit`, and
 * `service.cancelled` when the caller's signal ends it.
 */
export async function callService(request: ServiceRequest): Promise<ServiceAnswer> {
  const url = parseServiceUrl(request.url);
  const deadline = AbortSignal.timeout(request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const signal =
    request.signal === undefined ? deadline : AbortSignal.any([request.signal, deadline]);
  try {
    for (let attempt = 1; ; attempt++) {
      const answer = await exchange(url, request, signal);
      if (answer.status !== 429 && answer.status !== 503) return refuseRedirect(url, answer);
      if (attempt === ATTEMPTS) {
        const says = `${url.origin} answered ${answer.status} ${ATTEMPTS} times`;
        throw new TrustFault('service.busy', says);
      }
      await sleep(delayMs(answer, attempt), undefined, { signal });
    }
  } catch (cause) {
    throw explain(cause, url, request, deadline);
  }
}

function explain(
  cause: unknown,
  url: URL,
  request: ServiceRequest,
  deadline: AbortSignal,
): unknown {
  if (cause instanceof TrustFault) return cause;
  if (request.signal?.aborted === true) {
    const says = `the request to ${url.origin} was given up`;
    return new TrustFault('service.cancelled', says, undefined, { cause });
  }
  if (deadline.aborted) {
    const says = `${url.origin} gave no answer in ${request.timeoutMs ?? DEFAULT_TIMEOUT_MS} ms`;
    return new TrustFault('service.timeout', says, undefined, { cause });
  }
  // Whatever the network does has a code; anything else is a defect and stays one.
  if (!(cause instanceof Error && 'code' in cause)) return cause;
  const says = `${url.origin}: ${quote(`${cause.code} ${cause.message}`)}`;
  return new TrustFault('service.unreachable', says, undefined, { cause });
}

/** The URL of a service, http or https and without credentials. Throws `service.url`. */
export function parseServiceUrl(text: string): URL {
  const url = URL.parse(text);
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === null || !isHttp || url.username !== '' || url.password !== '') {
    // Never the text itself: it may hold a password.
    const found = url === null ? 'something else' : `${url.protocol}//${url.host}`;
    throw new TrustFault('service.url', `expected an http or https URL, found ${quote(found)}`);
  }
  return url;
}

/** The text of a short answer, as it may stand in a message. */
export function reasonOf(answer: ServiceAnswer): string {
  return quote(Buffer.from(answer.body.subarray(0, 500)).toString('utf8').trim());
}

function refuseRedirect(url: URL, answer: ServiceAnswer): ServiceAnswer {
  if (answer.status < 300 || answer.status > 399) return answer;
  const target = quote(answer.headers.location ?? 'nowhere');
  const says = `${url.origin} answered ${answer.status} and leads to ${target}`;
  throw new TrustFault('service.redirect', says);
}

function delayMs(answer: ServiceAnswer, attempt: number): number {
  const seconds = answer.headers['retry-after'];
  const asked =
    seconds !== undefined && /^\d{1,6}$/.test(seconds)
      ? Number(seconds) * 1000
      : FIRST_DELAY_MS * 2 ** (attempt - 1);
  return Math.min(asked, MAX_DELAY_MS);
}

async function exchange(
  url: URL,
  request: ServiceRequest,
  signal: AbortSignal,
): Promise<ServiceAnswer> {
  const options: RequestOptions = {
    method: 'POST',
    headers: {
      'Content-Type': request.contentType,
      'Content-Length': request.body.length,
      Accept: request.accept,
      'User-Agent': 'bulla',
    },
    signal,
  };
  const { request: start } =
    url.protocol === 'http:' ? await import('node:http') : await import('node:https');
  const message = await new Promise<IncomingMessage>((resolve, reject) => {
    start(url, options, resolve).once('error', reject).end(request.body);
  });
  const body = await readBounded(message, url, request.maxBytes);
  return { status: message.statusCode ?? 0, headers: message.headers, body };
}

async function readBounded(
  message: IncomingMessage,
  url: URL,
  maxBytes: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of message) {
    if (!(part instanceof Uint8Array)) continue;
    sizeBytes += part.length;
    if (sizeBytes > maxBytes) {
      // Leaving the loop destroys the connection.
      const says = `${url.origin} answered more than ${maxBytes} bytes`;
      throw new TrustFault('service.answer-limit', says);
    }
    parts.push(part);
  }
  return concat(...parts);
}
