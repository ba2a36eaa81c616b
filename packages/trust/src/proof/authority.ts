import type { PublicKey } from '../crypto/public-key.ts';
import type { ValidityPeriod } from '../crypto/validity-period.ts';

/** A test on one value: whole-string and bounded, compiled from a policy's pattern. */
export interface Matcher {
  /** The pattern for people, such as `exactly "dev@acme.example"`. */
  readonly text: string;
  matches(value: string): boolean;
}

/** A signer known by a public key. */
export interface KeyAuthority {
  readonly kind: 'key';
  readonly name: string;
  readonly key: PublicKey;
  /** When the key may have signed; both ends open when the caller sets none. */
  readonly validFor?: ValidityPeriod;
}

/** A claim of the certificate (a Fulcio extension by its name) and the value it must have. */
export interface ClaimRequirement {
  readonly claim: string;
  readonly value: string;
}

/** A signer known by an identity in a certificate: issuer *and* subject (semantics 9). */
export interface KeylessAuthority {
  readonly kind: 'keyless';
  readonly name: string;
  readonly issuer: Matcher;
  readonly subject: Matcher;
  readonly claims: readonly ClaimRequirement[];
  /**
   * Whether an identity counts whatever the patterns say; null where they decide. No policy has one:
   * it answers what would count if an identity changed its name.
   */
  readonly overrule?: (issuer: string, subject: string) => boolean | null;
}

/** Whoever may sign: what policies and options name, and what thresholds count. */
export type Authority = KeyAuthority | KeylessAuthority;
