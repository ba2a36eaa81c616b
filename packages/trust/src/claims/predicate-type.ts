import { quote, TrustFault } from '../fault/fault.ts';

/** cosign's statement by which an image is signed as such (cosign, specs/BUNDLE_SPEC.md). */
export const COSIGN_SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';

/** Short names of predicate types, as cosign has them, and Bulla's own beside. */
export const PREDICATE_TYPES = {
  custom: 'https://cosign.sigstore.dev/attestation/v1',
  vuln: 'https://cosign.sigstore.dev/attestation/vuln/v1',
  slsaprovenance: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance02: 'https://slsa.dev/provenance/v0.2',
  slsaprovenance1: 'https://slsa.dev/provenance/v1',
  link: 'https://in-toto.io/Link/v1',
  spdx: 'https://spdx.dev/Document',
  spdxjson: 'https://spdx.dev/Document',
  cyclonedx: 'https://cyclonedx.org/bom',
  openvex: 'https://openvex.dev/ns',
  testresult: 'https://in-toto.io/attestation/test-result/v0.1',
  vsa: 'https://slsa.dev/verification_summary/v1',
} as const;

/** A short name of the table. */
export type PredicateName = keyof typeof PREDICATE_TYPES;

/** Whether `name` is a short name of the table. */
export function isPredicateName(name: string): name is PredicateName {
  return Object.hasOwn(PREDICATE_TYPES, name);
}

/** The predicate URI of a short name or of a URI. Throws `usage.invalid` for anything else. */
export function predicateTypeOf(nameOrUri: string): string {
  if (isPredicateName(nameOrUri)) return PREDICATE_TYPES[nameOrUri];
  if (/^[a-z][a-z0-9+.-]*:\S+$/i.test(nameOrUri)) return nameOrUri;
  throw new TrustFault(
    'usage.invalid',
    `expected a predicate URI or one of ${Object.keys(PREDICATE_TYPES).join(', ')}, found ${quote(nameOrUri)}`,
  );
}

/**
 * Whether a statement of type `found` is one of type `wanted`: equal, or a versioned form of
 * SPDX's, CycloneDX's or OpenVEX's unversioned URI (`https://openvex.dev/ns/v0.2.0`).
 */
export function predicateTypeMatches(wanted: string, found: string): boolean {
  if (wanted === found) return true;
  const versioned: readonly string[] = [
    PREDICATE_TYPES.spdx,
    PREDICATE_TYPES.cyclonedx,
    PREDICATE_TYPES.openvex,
  ];
  if (!versioned.includes(wanted) || !found.startsWith(`${wanted}/v`)) return false;
  return /^[0-9.]+$/.test(found.slice(wanted.length + 2));
}
