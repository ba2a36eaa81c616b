import { quote, TrustFault } from '@bulla/trust/fault/fault';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Bounds of a time that a user gives, in milliseconds. */
export interface SpanBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** A reader of an option that is a length of time, such as `15m`. Throws `usage.invalid`. */
export function spanOption(option: string, { minMs, maxMs }: SpanBounds): (text: string) => number {
  return (text) => {
    const [, digits, unit = ''] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? [];
    const ms = Number(digits) * (UNITS[unit] ?? 0);
    if (digits !== undefined && ms >= minMs && ms <= maxMs) return ms;
    const bounds = `from ${minMs} ms to ${maxMs} ms`;
    throw new TrustFault(
      'usage.invalid',
      `expected a time such as 30s or 15m, ${bounds}, at ${option}, found ${quote(text)}`,
    );
  };
}
