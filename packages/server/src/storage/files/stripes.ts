import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { type Exclusion, exclusion } from '../exclusion.ts';
import { type Lock, openLock } from '../lock.ts';

/** Exclusion between processes, and its end. */
export interface Stripes extends Exclusion {
  /** Closes the locks. Only when no task is running. */
  close(): void;
}

/** How long a task waits for other processes. */
export interface StripesOptions {
  readonly waitMs?: number;
}

interface Stripe {
  readonly lock: Lock;
  /** Since when this process has had the stripe almost without a pause, and until when. */
  since: number;
  until: number;
}

/** How many files the names share. Each takes a descriptor and some memory, once it was needed. */
const STRIPES = 32;
const WAIT_MS = 30_000;
const ASK_FIRST_MS = 1;
const ASK_LAST_MS = 20;
const PAUSE_MS = 2;
const ROW_MS = 250;

/**
 * Runs tasks of one key one after another, whichever of the processes on `folder` they are of. A key
 * has a lock file by its hash, so a few keys share one; a task must not wait for another one. Within
 * this process tasks queue up before the lock, so that one of them asks for it. Nobody waits in the
 * event loop: a lock that is taken is asked for again after a while that grows and is drawn. A
 * process that has had a lock for a quarter of a second lets others ask once before it goes on.
 * Throws `storage.busy` when other processes leave no turn in half a minute.
 */
export function openStripes(folder: string, { waitMs = WAIT_MS }: StripesOptions = {}): Stripes {
  const inside = exclusion();
  const opened = new Map<number, Stripe>();

  async function stripeOf(index: number): Promise<Stripe> {
    const known = opened.get(index);
    if (known !== undefined) return known;
    const path = `${folder}/${index.toString(16).padStart(2, '0')}`;
    const stripe = { lock: await openLock(path), since: 0, until: 0 };
    opened.set(index, stripe);
    return stripe;
  }

  return {
    run(key, task) {
      const index = indexOf(key);
      const end = performance.now() + waitMs;
      return inside.run(String(index), async () => {
        const stripe = await stripeOf(index);
        await take(stripe, key, end);
        try {
          return await task();
        } finally {
          stripe.lock.release();
          stripe.until = performance.now();
        }
      });
    },
    idle: () => inside.idle(),
    close() {
      for (const { lock } of opened.values()) lock.close();
      opened.clear();
    },
  };
}

function indexOf(key: string): number {
  return Number.parseInt(hash('sha256', key).slice(0, 8), 16) % STRIPES;
}

async function take(stripe: Stripe, key: string, end: number): Promise<void> {
  const now = performance.now();
  if (now - stripe.until > PAUSE_MS) {
    stripe.since = now;
  } else if (now - stripe.since > ROW_MS) {
    // Longer than the longest pause of who asks, so that everybody asks once.
    await sleep(ASK_LAST_MS + PAUSE_MS);
    stripe.since = performance.now();
  }
  for (let pauseMs = ASK_FIRST_MS; !stripe.lock.tryExclusive(); pauseMs *= 2) {
    if (performance.now() >= end) {
      const message = `other processes on this folder hold ${quote(key)} without a pause`;
      throw new TrustFault('storage.busy', message);
    }
    await sleep(Math.min(pauseMs, ASK_LAST_MS) * (0.5 + Math.random() / 2));
    stripe.since = performance.now();
  }
}
