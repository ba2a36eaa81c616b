import { PREDICATE_TYPES, predicateTypeOf } from '../../claims/predicate-type.ts';
import type { Wanted } from '../../proof/evidence.ts';
import type { AttestedRequirement, Requirement, SignedRequirement } from '../document.ts';
import type { ReadyAuthority, ReadyPolicy } from '../policy-set.ts';
import { namedAuthorities } from './named-authorities.ts';

/** Evidence that a policy asks for, and whom it may be from. */
export interface Asked {
  readonly wanted: Wanted;
  readonly authorities: readonly ReadyAuthority[];
  /** Whether it is asked of every node that is judged; else only where another statement wants it. */
  readonly isSure: boolean;
}

/** What a `signed` clause wants. */
export function signatureWanted({ annotations }: SignedRequirement): Wanted {
  return { kind: 'signature', annotations };
}

/** What an `attested` clause wants. Throws `usage.invalid` for a type that is none. */
export function attestationWanted({ type }: AttestedRequirement): Wanted & {
  readonly kind: 'attestation';
} {
  return { kind: 'attestation', predicateType: predicateTypeOf(type) };
}

/** The statements that answer the findings of a scan. */
export const VEX_WANTED: Wanted = { kind: 'attestation', predicateType: PREDICATE_TYPES.openvex };

/** One text for each question, equal for equal ones. */
export function wantedKey(wanted: Wanted): string {
  if (wanted.kind === 'attestation') return `attestation ${wanted.predicateType}`;
  const names = Object.keys(wanted.annotations).sort();
  return names.length === 0
    ? 'signature'
    : `signature ${JSON.stringify(names.map((name) => [name, wanted.annotations[name]]))}`;
}

/** All evidence that a policy may ask for; one question may come several times. */
export function askedBy(policy: ReadyPolicy): readonly Asked[] {
  return askedIn(policy.document.require, policy);
}

function askedIn(requirement: Requirement, policy: ReadyPolicy): readonly Asked[] {
  switch (requirement.kind) {
    case 'signed':
      return [
        {
          wanted: signatureWanted(requirement),
          authorities: namedAuthorities(policy, requirement.of),
          isSure: true,
        },
      ];
    case 'attested': {
      const { by, vexBy } = requirement;
      const own = {
        wanted: attestationWanted(requirement),
        authorities: namedAuthorities(policy, by),
        isSure: true,
      };
      return vexBy.length === 0
        ? [own]
        : [
            own,
            { wanted: VEX_WANTED, authorities: namedAuthorities(policy, vexBy), isSure: false },
          ];
    }
    default:
      return requirement.parts.flatMap((part) => askedIn(part, policy));
  }
}
