import { TrustFault } from '@bulla/trust/fault/fault';
import { callerOfAddress } from '../http/rate.ts';
import type { AccessConfig } from './config.ts';
import { openLru } from './lru.ts';

/** A sign-in that was let through and whose outcome is to be told. */
export interface Attempt {
  /** The password was right: it does not count, and its user begins anew from this address. */
  succeeded(): void;
}

/** Counts failed sign-ins in this process, per user and address. */
export interface Throttle {
  /**
   * Counts a sign-in as failed until it is told otherwise, so that many at the same time are
   * counted as well. Throws `access.too-many-attempts`, alike for users who are there and not.
   */
  attempt(name: string, address: string): Attempt;
}

interface Window {
  readonly began: number;
  count: number;
}

const MOST_KEPT = 50_000;

/** A throttle on a clock in milliseconds. */
export function openThrottle(config: AccessConfig, now: () => number): Throttle {
  const windows = openLru<Window>(MOST_KEPT);
  const windowOf = (key: string): Window => {
    const known = windows.get(key);
    if (known !== undefined && now() - known.began < config.attemptsMs) return known;
    const fresh = { began: now(), count: 0 };
    windows.set(key, fresh);
    return fresh;
  };
  return {
    attempt(name, address) {
      const network = callerOfAddress(address);
      const user = name.toLowerCase();
      const pair = windowOf(`pair ${network} ${user}`);
      const counted = [
        { window: pair, most: config.attemptsPerPair },
        { window: windowOf(`address ${network}`), most: config.attemptsPerAddress },
        { window: windowOf(`user ${user}`), most: config.attemptsPerUser },
      ];
      if (counted.some(({ window, most }) => window.count >= most)) {
        throw new TrustFault(
          'access.too-many-attempts',
          'too many sign-ins of this user or from this address have failed',
        );
      }
      for (const { window } of counted) window.count++;
      return {
        succeeded() {
          for (const { window } of counted) window.count--;
          pair.count = 0;
        },
      };
    },
  };
}
