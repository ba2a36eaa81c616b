import { encodeHex } from '@bulla/trust/bytes/hex';
import { TrustFault } from '@bulla/trust/fault/fault';
import { addressBytes } from './address.ts';
import type { Rate } from './limits.ts';

/** Token buckets by caller: a principal's id or a remote address. */
export interface RateLimit {
  /**
   * Takes one token of `caller`. Throws `http.rate-limited`; `retryAfterOf` tells from when on a
   * token is there again.
   */
  take(caller: string): void;
  /** How many callers are remembered. */
  readonly callers: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

const CALLERS_MOST = 65_536;

/**
 * Buckets that hold `rate.burst` tokens and regain `rate.perSecond`. At most `callersMost` are
 * remembered; the one that was quiet for longest goes first, as it has regained most.
 * `nowMs` is a clock that never goes back.
 */
export function createRateLimit(
  rate: Rate,
  nowMs: () => number,
  callersMost: number = CALLERS_MOST,
): RateLimit {
  const buckets = new Map<string, Bucket>();
  return {
    take(caller) {
      const now = nowMs();
      const bucket = buckets.get(caller) ?? { tokens: rate.burst, atMs: now };
      const gained = ((now - bucket.atMs) / 1000) * rate.perSecond;
      bucket.tokens = Math.min(rate.burst, bucket.tokens + gained);
      bucket.atMs = now;
      // A Map keeps the order of insertion: what is set again goes to its end.
      buckets.delete(caller);
      buckets.set(caller, bucket);
      if (buckets.size > callersMost) forgetOldest(buckets);
      if (bucket.tokens < 1) throw tooMany((1 - bucket.tokens) / rate.perSecond);
      bucket.tokens -= 1;
    },
    get callers() {
      return buckets.size;
    },
  };
}

function forgetOldest(buckets: Map<string, Bucket>): void {
  for (const oldest of buckets.keys()) {
    buckets.delete(oldest);
    return;
  }
}

const waits = new WeakMap<Error, number>();

function tooMany(seconds: number): TrustFault {
  const wait = Math.max(1, Math.ceil(seconds));
  const fault = new TrustFault('http.rate-limited', `too many requests; wait ${wait} s`);
  waits.set(fault, wait);
  return fault;
}

/** Whole seconds for the Retry-After header (RFC 9110 §10.2.3); null for any other fault. */
export function retryAfterOf(fault: Error): number | null {
  return waits.get(fault) ?? null;
}

/** Under which key a remote address is counted: one network of IPv6 (/64) is one caller. */
export function callerOfAddress(address: string): string {
  if (!address.includes(':')) return address;
  const bytes = addressBytes(address);
  return bytes === null ? address : `${encodeHex(bytes.subarray(0, 8))}::/64`;
}
