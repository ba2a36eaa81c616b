import { asInstant, cursor } from '@bulla/trust/bytes/shape';
import { quote, TrustFault } from '@bulla/trust/fault/fault';

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/**
 * An instant that a user wrote at `option`: RFC 3339, a day (its beginning in UTC), or a time such as
 * `12h` or `30d`, which is so long before or after `now`. Throws `usage.invalid`.
 */
export function instantOf(
  text: string,
  { option, now, toward }: { option: string; now: Date; toward: 'past' | 'future' },
): Date {
  const [, digits, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (digits !== undefined) {
    const ms = Number(digits) * (UNITS[unit] ?? 0);
    return new Date(now.getTime() + (toward === 'past' ? -ms : ms));
  }
  const whole = DAY.test(text) ? `${text}T00:00:00Z` : text;
  try {
    return asInstant(cursor(whole, option, 'usage.invalid'));
  } catch (cause) {
    throw new TrustFault(
      'usage.invalid',
      `expected a time such as 2026-11-21T12:00:00Z, 2026-11-21, 12h or 30d at ${option}, found ${quote(text)}`,
      undefined,
      { cause },
    );
  }
}

/** A length of time that a user wrote at `option`, such as `12h` or `7d`, in ms. Throws `usage.invalid`. */
export function spanMs(text: string, option: string): number {
  const [, digits, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * (UNITS[unit] ?? 0);
  const says = `expected a time such as 12h or 7d at ${option}, found ${quote(text)}`;
  throw new TrustFault('usage.invalid', says);
}
