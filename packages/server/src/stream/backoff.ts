import type { StreamPace } from './config.ts';

/**
 * How long to wait after so many failures in a row: the first wait doubled each time, up to the
 * longest, less up to a half that `random` (0 to 1) draws, so that streams that failed together do not
 * come back together. Never shorter than a receiver asked for, as far as it may ask.
 */
export function waitMs(
  failures: number,
  askedMs: number | null,
  pace: StreamPace,
  random: () => number,
): number {
  const doubled = pace.firstWaitMs * 2 ** Math.min(30, Math.max(0, failures - 1));
  const own = Math.min(doubled, pace.longestWaitMs) * (1 - random() / 2);
  return Math.max(own, Math.min(askedMs ?? 0, pace.longestAskedMs));
}

/**
 * The wait of a `Retry-After` (RFC 9110 §10.2.3) in milliseconds: seconds, or an HTTP date; null for
 * anything else.
 */
export function retryAfterMs(header: string | undefined, at: Date): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const time = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? null : Math.max(0, time - at.getTime());
}
