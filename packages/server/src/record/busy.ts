import { setTimeout as sleep } from 'node:timers/promises';
import { asFault } from '@bulla/trust/fault/fault';

const ATTEMPTS_MOST = 200;
const PAUSE_MOST_MS = 20;

/**
 * Runs a transaction again while the store says that another one was in its way (`storage.busy`, or
 * `storage.conflict`: another replica took the same number), and `mayGoOn`. Nothing was written then.
 */
export async function whileBusy<T>(task: () => Promise<T>, mayGoOn: () => boolean): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await task();
    } catch (error) {
      if (!isBusy(error) || attempt >= ATTEMPTS_MOST || !mayGoOn()) throw error;
      // Replicas that collided must not collide again.
      await sleep(Math.random() * Math.min(PAUSE_MOST_MS, attempt));
    }
  }
}

function isBusy(error: unknown): boolean {
  const { code } = asFault(error);
  return code === 'storage.busy' || code === 'storage.conflict';
}
