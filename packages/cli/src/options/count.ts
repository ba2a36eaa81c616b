import { quote, TrustFault } from '@bulla/trust/fault/fault';

/** Reads a whole number of 1 or more at `option`. Throws `usage.invalid`. */
export function positiveCount(option: string): (text: string) => number {
  return (text) => {
    if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
    throw new TrustFault(
      'usage.invalid',
      `expected a whole number of 1 or more at ${option}, found ${quote(text)}`,
    );
  };
}
