import { TrustFault } from '@bulla/trust/fault/fault';
import { DEFAULT_TIMEOUT_MS } from '@bulla/trust/oci/registry/options';
import type { CliContext } from '../context.ts';
import type { RegistryFlags } from './registry.ts';

/** The work on one artifact may take as long as so many silences of its registry. */
const TIMEOUTS = 20;

/**
 * A signal for work whose length a registry decides, because it says how much evidence there is: it
 * ends with the user's interrupt, or after twenty timeouts with `registry.timeout`. Copies have
 * none: a large artifact takes the time that it takes, as long as its bytes move.
 */
export function workSignal(flags: RegistryFlags, context: CliContext): AbortSignal {
  const limitMs =
    TIMEOUTS * (flags.timeout === undefined ? DEFAULT_TIMEOUT_MS : flags.timeout * 1000);
  const late = new AbortController();
  const timer = setTimeout(
    () => {
      const says = `the work on one artifact took longer than ${limitMs / 1000} s`;
      late.abort(new TrustFault('registry.timeout', says));
    },
    Math.min(limitMs, 2 ** 31 - 1),
  );
  // The command ends when its work is done, and does not wait for this.
  timer.unref();
  return AbortSignal.any([context.signal, late.signal]);
}
