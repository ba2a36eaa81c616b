import { encodeHex } from '@bulla/trust/bytes/hex';
import { TrustFault } from '@bulla/trust/fault/fault';
import { addressBytes } from './address.ts';
import type { Rate } from './limits.ts';

/** Token buckets by caller: a remote address, or a user at one. */
export interface RateLimit {
  /**
   * Takes one token of `caller`. Throws `http.rate-limited`; `retryAfterOf` tells from when on a
   * token is there again.
   */
  take(caller: string): void;
  /** How many callers are remembered. */
  readonly callers: number;
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
  const tokenMs = 1000 / rate.perSecond;
  const burstMs = (rate.burst - 1) * tokenMs;
  // When a caller's bucket is full again. One number a caller, and no rounding that adds up.
  const fullAt = new Map<string, number>();
  return {
    take(caller) {
      const now = nowMs();
      const full = Math.max(fullAt.get(caller) ?? now, now);
      const waitMs = full - now - burstMs;
      // A Map keeps the order of insertion: what is set again goes to its end.
      fullAt.delete(caller);
      fullAt.set(caller, waitMs > 0 ? full : full + tokenMs);
      if (fullAt.size > callersMost) forgetOldest(fullAt);
      if (waitMs > 0) throw tooMany(waitMs / 1000);
    },
    get callers() {
      return fullAt.size;
    },
  };
}

function forgetOldest(fullAt: Map<string, number>): void {
  for (const oldest of fullAt.keys()) {
    fullAt.delete(oldest);
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
