import type { SignatureAlgorithm } from '../crypto/algorithm.ts';
import type { PublicKey } from '../crypto/public-key.ts';
import type { ValidityPeriod } from '../crypto/validity-period.ts';

/** A transparency log's or CT log's key as a trust root names it. */
export interface LogKey {
  /** Base URL of the log as the trust root gives it. */
  readonly baseUrl: string;
  /** The origin line of its checkpoints: the host of `baseUrl` (and path where it has one). */
  readonly origin: string;
  readonly key: PublicKey;
  readonly algorithm: SignatureAlgorithm;
  /** Log id: SHA-256 of the SPKI for Rekor v1 and CT, the C2SP key id for Rekor v2. */
  readonly logId: Uint8Array;
  readonly validFor: ValidityPeriod;
}
