import { TrustFault } from '@bulla/trust/fault/fault';
import { openRecent } from '../bounds/recent.ts';
import { callerOfAddress } from '../http/rate.ts';
import type { AccessConfig } from './config.ts';

/** Bounds failed sign-ins in this process, per user and address. */
export interface Throttle {
  /**
   * Runs a check of a password and counts it when it fails. So many may run at once as may still
   * fail; others wait, so that guesses made together are bounded as well, and right passwords sent
   * together all pass. Throws `access.too-many-attempts`, alike for users who are there and not,
   * `access.busy` when too many wait, and what the check throws, which counts as no guess.
   */
  guard(name: string, address: string, check: () => Promise<boolean>): Promise<boolean>;
}

interface Window {
  readonly began: number;
  failed: number;
  running: number;
  readonly waiting: (() => void)[];
}

interface Counted {
  readonly window: Window;
  readonly most: number;
}

const MOST_KEPT = 50_000;
/** One more than a name may have: all that are longer are nobody's, and are counted as few. */
const NAME_LONGEST = 65;

/** A throttle on a clock in milliseconds. */
export function openThrottle(config: AccessConfig, now: () => number): Throttle {
  const windows = openRecent<Window>(MOST_KEPT);
  const windowOf = (key: string): Window => {
    const known = windows.get(key);
    if (known !== undefined && now() - known.began < config.attemptsMs) return known;
    const fresh = { began: now(), failed: 0, running: 0, waiting: [] };
    windows.set(key, fresh);
    return fresh;
  };
  return {
    async guard(name, address, check) {
      const network = callerOfAddress(address);
      const user = name.slice(0, NAME_LONGEST).toLowerCase();
      const counted = await turn(config, () => {
        const ofAddress = {
          window: windowOf(`address ${network}`),
          most: config.attemptsPerAddress,
        };
        // Who may try nothing more makes no windows either: they would push out those of others.
        requireAttempts([ofAddress]);
        const pair = { window: windowOf(`pair ${network} ${user}`), most: config.attemptsPerPair };
        const ofUser = { window: windowOf(`user ${user}`), most: config.attemptsPerUser };
        return [pair, ofAddress, ofUser];
      });
      try {
        const right = await check();
        const [pair] = counted;
        if (!right) for (const { window } of counted) window.failed++;
        else if (pair !== undefined) pair.window.failed = 0;
        return right;
      } finally {
        for (const { window } of counted) {
          window.running--;
          for (const wake of window.waiting.splice(0)) wake();
        }
      }
    },
  };
}

/** Resolves with the windows of a sign-in when it may run, and counts it as running. */
async function turn(
  config: AccessConfig,
  windows: () => readonly Counted[],
): Promise<readonly Counted[]> {
  for (;;) {
    const counted = windows();
    requireAttempts(counted);
    const full = counted.find(({ window, most }) => window.failed + window.running >= most);
    if (full === undefined) {
      // Before anything is awaited: whoever asks next sees it.
      for (const { window } of counted) window.running++;
      return counted;
    }
    const { waiting } = full.window;
    if (waiting.length >= config.passwordsWaiting) {
      throw new TrustFault('access.busy', `${waiting.length} sign-ins are waiting for others`);
    }
    await new Promise<void>((resolve) => waiting.push(resolve));
  }
}

function requireAttempts(counted: readonly Counted[]): void {
  if (counted.every(({ window, most }) => window.failed < most)) return;
  throw new TrustFault(
    'access.too-many-attempts',
    'too many sign-ins of this user or from this address have failed',
  );
}
