import { asFault } from '@bulla/trust/fault/fault';
import type { AccessService } from '../access/service.ts';
import type { Gateway } from '../gateway/service.ts';
import type { Log } from '../http/log.ts';

const EVERY_MS = 3600_000;

/** Once an hour: content that nothing has any more, sessions and links that are over. */
export function startUpkeep(
  gateway: Gateway | null,
  access: AccessService,
  log: Log,
): AsyncDisposable {
  let running: Promise<void> = Promise.resolve();
  const run = async () => {
    try {
      await access.sweep();
      if (gateway === null) return;
      await gateway.collect();
      await gateway.sweep();
    } catch (error) {
      // What failed is left to the next run.
      log.warn('the hourly upkeep failed', { fault: asFault(error) });
    }
  };
  const timer = setInterval(() => {
    running = run();
  }, EVERY_MS);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
