import { setTimeout as sleep } from 'node:timers/promises';
import { TrustFault } from '../../fault/fault.ts';
import type { RegistryOptions } from './options.ts';

const WAIT_MS = 50;

/**
 * Whether a registry says of bytes whose digest was computed from these very bytes that it is
 * another: distribution 2.8 on files does so to one of two that write one blob or one tag at once.
 */
export function isDigestRace(error: unknown): boolean {
  return (
    error instanceof TrustFault &&
    error.code === 'registry.refused' &&
    error.message.includes('DIGEST_INVALID')
  );
}

/** Waits until the other writer may be done: 50 to 100 ms, doubled with each attempt from 1 on. */
export async function waitOutRace(
  attempt: number,
  { random = Math.random }: RegistryOptions,
  signal?: AbortSignal,
): Promise<void> {
  const delayMs = WAIT_MS * 2 ** (attempt - 1) * (1 + random());
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new TrustFault('registry.cancelled', 'the wait was given up', undefined, { cause });
  }
}
