import type { ValidityPeriod } from '../crypto/validity-period.ts';
import type { Certificate } from './certificate.ts';

/** A certificate or timestamp authority that a trust root names. */
export interface CertificateAuthority {
  /** How people know it: its URI, or its root's subject. */
  readonly name: string;
  /**
   * The issuer of leaves first, the trust anchor last (sigstore_trustroot.proto). A timestamp
   * authority's chain may begin with its signing certificate.
   */
  readonly chain: readonly Certificate[];
  readonly validFor: ValidityPeriod;
}
