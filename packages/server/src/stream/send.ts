import { asFault, type TrustFault } from '@bulla/trust/fault/fault';
import { exchange } from '@bulla/trust/oci/registry/exchange';
import { createTransport } from '@bulla/trust/oci/registry/transport';
import { retryAfterMs } from './backoff.ts';
import type { StreamConfig } from './config.ts';
import { firstSeq, type StreamEvent } from './event.ts';
import type { Format } from './formats/format.ts';
import { webhookHeaders } from './signing.ts';

/**
 * What became of a request: the receiver took it; it will never take it as it is; it may take it
 * later; or the server is about to stop. A reason names no path, header or body: they may be secret.
 */
export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'later'; readonly reason: string; readonly askedMs: number | null }
  | { readonly kind: 'stopped' };

/** Sends events as one request; never throws. */
export type Send = (events: readonly StreamEvent[], signal: AbortSignal) => Promise<Outcome>;

// An answer is read so far, to know that it came whole; nothing in it is of use.
const ANSWER_MOST_BYTES = 64 << 10;

/**
 * The way to a receiver. Each connection checks the address that it leads to (semantics 19): private
 * ranges only where the configuration says so. Redirects are not followed: they would take the
 * headers and the record elsewhere. `timeoutMs` bounds the whole request, however slowly bytes drip.
 */
export function createSender(
  config: StreamConfig,
  format: Format,
  { clock }: { readonly clock: () => Date },
): Send {
  const { url, headers, signingKeys, timeoutMs, caFile, privateAddresses } = config;
  const transport = createTransport(
    { env: {}, homeFolder: '', ...(caFile === null ? {} : { caFile }) },
    () => privateAddresses,
  );
  return async (events, signal) => {
    const end = AbortSignal.timeout(timeoutMs);
    const at = clock();
    try {
      const body = Buffer.from(format.render(events));
      const answer = await exchange(transport, {
        method: 'POST',
        url,
        headers: {
          'user-agent': 'bulla',
          accept: '*/*',
          ...headers,
          'content-type': format.contentType,
          ...webhookHeaders(signingKeys, { id: requestId(events), at, body }),
        },
        body,
        timeoutMs,
        signal: AbortSignal.any([signal, end]),
      });
      await readBounded(() => answer.read(ANSWER_MOST_BYTES));
      return outcomeOf(answer.status, answer.header('retry-after'), at);
    } catch (error) {
      if (signal.aborted) return { kind: 'stopped' };
      if (end.aborted) return { kind: 'later', reason: 'no answer in time', askedMs: null };
      return { kind: 'later', reason: reasonOf(asFault(error)), askedMs: null };
    }
  };
}

/** The id of a request: an event's own, or the range that a batch covers. It never changes. */
export function requestId(events: readonly StreamEvent[]): string {
  const [first, last] = [events[0], events.at(-1)];
  if (first === undefined || last === undefined) return '';
  return first === last ? first.id : `${firstSeq(first)}-${last.id}`;
}

/** An answer that is too long has come far enough: its status counts. */
async function readBounded(read: () => Promise<unknown>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (asFault(error).code !== 'registry.limit') throw error;
  }
}

function outcomeOf(status: number, retryAfter: string | undefined, at: Date): Outcome {
  const reason = `answered ${status}`;
  if (status >= 200 && status <= 299) return { kind: 'delivered' };
  const mayChange = status < 400 || status > 499 || status === 408 || status === 429;
  if (!mayChange) return { kind: 'refused', reason };
  return { kind: 'later', reason, askedMs: retryAfterMs(retryAfter, at) };
}

function reasonOf({ code, cause }: TrustFault): string {
  const system =
    cause instanceof Error && 'code' in cause && typeof cause.code === 'string'
      ? ` (${cause.code.slice(0, 64)})`
      : '';
  switch (code) {
    case 'registry.address':
      return 'the address is not one of the public internet; see privateAddresses';
    case 'registry.tls':
      return `the connection could not be secured${system}`;
    case 'registry.timeout':
      return 'no answer in time';
    case 'registry.malformed-answer':
      return 'the answer is not HTTP';
    case 'registry.unreachable':
      return `the receiver could not be reached${system}`;
    default:
      return `the request failed: ${code}`;
  }
}
