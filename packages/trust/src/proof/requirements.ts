import type { TrustedRoot } from '../trust-root/trusted-root.ts';

/** What a proof of the signer must hold; a switched-off check is shown as `skipped`. */
export interface ProofRequirements {
  /** Null only when keys alone decide: then no log and no timestamp can be checked. */
  readonly trustRoot: TrustedRoot | null;
  /** The present, or the instant of `--at`; never a trusted time (semantics 10). */
  readonly at: Date;
  /** Whether a log entry is required when the trust root names a log. */
  readonly log: boolean;
  /** Whether a certificate needs an SCT. */
  readonly sct: boolean;
  /** Whether timestamps are looked at. */
  readonly timestamp: boolean;
}
