import { TrustFault } from '@bulla/trust/fault/fault';

/** The fault of work that its user broke off. */
export function interrupted(): TrustFault {
  return new TrustFault('usage.interrupted', 'the command was interrupted');
}

/**
 * `work`, or `usage.interrupted` as soon as the user interrupts: for waits that the system does not
 * break off, such as a pipe or a terminal that nobody writes to.
 */
export async function unlessInterrupted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return work;
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(interrupted());
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
