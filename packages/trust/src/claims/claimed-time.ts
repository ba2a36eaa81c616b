import { asInstant, type Cursor, cursor, member } from '../bytes/shape.ts';
import { TrustFault } from '../fault/fault.ts';
import { PREDICATE_TYPES, predicateTypeMatches } from './predicate-type.ts';
import type { Statement } from './statement.ts';

/** Where each predicate type says when it was made, by its own specification. */
const PLACES: readonly { readonly type: string; readonly at: readonly string[] }[] = [
  { type: PREDICATE_TYPES.vuln, at: ['metadata', 'scanFinishedOn'] },
  { type: PREDICATE_TYPES.slsaprovenance02, at: ['metadata', 'buildFinishedOn'] },
  { type: PREDICATE_TYPES.slsaprovenance1, at: ['runDetails', 'metadata', 'finishedOn'] },
  { type: PREDICATE_TYPES.spdx, at: ['creationInfo', 'created'] },
  { type: PREDICATE_TYPES.cyclonedx, at: ['metadata', 'timestamp'] },
  { type: PREDICATE_TYPES.openvex, at: ['timestamp'] },
  { type: PREDICATE_TYPES.custom, at: ['Timestamp'] },
  { type: PREDICATE_TYPES.vsa, at: ['timeVerified'] },
  // in-toto attestation, spec/predicates/vulns.md and vulns_02.md
  { type: 'https://in-toto.io/attestation/vulns/v0.1', at: ['metadata', 'scanFinishedOn'] },
  { type: 'https://in-toto.io/attestation/vulns/v0.2', at: ['metadata', 'scanFinishedOn'] },
];

/**
 * When a statement says of itself that it was made; null when its type has no place for that, when
 * the place is empty, and when what stands there is no RFC 3339 instant.
 */
export function claimedTime(statement: Statement): Date | null {
  const place = PLACES.find(({ type }) => predicateTypeMatches(type, statement.predicateType));
  if (place === undefined) return null;
  const start = cursor(statement.predicate, 'predicate', 'predicate.malformed');
  try {
    return asInstant(place.at.reduce<Cursor>((at, key) => member(at, key), start));
  } catch (error) {
    if (error instanceof TrustFault) return null;
    throw error;
  }
}
