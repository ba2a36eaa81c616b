import type { Code } from '@bulla/trust/fault/codes';
import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import type { Place } from '../place.ts';

const CODES: ReadonlyMap<Code, readonly [Code, string]> = new Map<Code, readonly [Code, string]>([
  ['registry.unreachable', ['upstream.unreachable', 'cannot be reached']],
  ['registry.tls', ['upstream.unreachable', 'cannot be reached by a TLS connection to be trusted']],
  ['registry.cancelled', ['upstream.unreachable', 'was given up']],
  ['registry.address', ['upstream.unreachable', 'leads to an address that nobody listed']],
  ['registry.timeout', ['upstream.timeout', 'gave no answer in time']],
  ['registry.rate-limited', ['upstream.rate-limited', 'allows no more requests for now']],
  ['registry.server-error', ['upstream.failed', 'answered with an error of its own']],
  ['registry.unauthorized', ['upstream.denied', 'wants other credentials than the gateway has']],
  ['registry.denied', ['upstream.denied', 'does not give this to the gateway']],
]);

/** What the operator of the gateway can do about what stands in its configuration. */
const REMEDIES: ReadonlyMap<Code, string> = new Map<Code, string>([
  [
    'registry.address',
    'If this upstream lies on a private network, set privateAddresses: true for it in the gateway’s configuration.',
  ],
  [
    'registry.tls',
    'Name the authority of its certificate as ca of this upstream in the gateway’s configuration; set plainHttp: true only if it speaks no TLS.',
  ],
  [
    'registry.unauthorized',
    'Name credentials that this upstream takes (usernameEnv, passwordEnv) in the gateway’s configuration, and check them there.',
  ],
]);

/**
 * What a fault of an upstream is to the gateway's caller: an outage, a limit and a refusal stay what
 * they are and never become "unknown". The message has the canonical name and our own words, so that
 * nothing of the upstream's answer or of our credentials reaches the caller; the cause keeps it.
 * Faults of our own store go on as they are.
 */
export function upstreamFault(error: unknown, place: Pick<Place, 'canonical'>): TrustFault {
  const fault = asFault(error);
  const { code } = fault;
  if (/^(?:storage|upstream|gateway|internal)\./.test(code)) return fault;
  const [mapped, says] = CODES.get(code) ?? [
    'upstream.malformed' as const,
    `sent what was not asked for (${code})`,
  ];
  return new TrustFault(mapped, `${place.canonical}: the upstream ${says}`, REMEDIES.get(code), {
    cause: fault,
  });
}
