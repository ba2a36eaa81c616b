import type { Finding } from '../finding/finding.ts';
import type { PolicyMode, Surface } from './document.ts';
import type { UsedException } from './exceptions/document.ts';

/** What one policy came to for one image. */
export interface PolicyOutcome {
  readonly policy: string;
  readonly hash: string;
  readonly mode: PolicyMode;
  readonly finding: Finding;
  /** `pass`: satisfied; `deny`: refuses; `warn`, `audit`: not satisfied, and does not refuse. */
  readonly effect: 'pass' | 'warn' | 'audit' | 'deny';
}

/**
 * The answer of a door about one image, and all that led to it. It is what the record keeps, what
 * the gateway and the CLI print, and what a simulation compares.
 */
export interface Decision {
  /** Sortable by time, unique, and short enough to read out: 26 characters of Crockford's base 32. */
  readonly id: string;
  readonly outcome: 'admit' | 'deny';
  /** The reference as it was asked for. */
  readonly reference: string;
  /** Canonical `registry/repository`. */
  readonly repository: string;
  readonly tag: string | null;
  /** What the tag led to, and what was verified; null when it could not be resolved. */
  readonly digest: string | null;
  /** Leaves that this decision covers beside `digest`. */
  readonly covers: readonly string[];
  readonly surface: Surface;
  readonly namespace: string | null;
  readonly environment: string | null;
  readonly policies: readonly PolicyOutcome[];
  /** The whole tree: one child a policy. */
  readonly finding: Finding;
  /** One short sentence for each policy that was not satisfied and did not refuse. */
  readonly warnings: readonly string[];
  /** What let policies pass that would not have: each stands in their findings and warnings too. */
  readonly exceptions: readonly UsedException[];
  readonly policySetHash: string;
  readonly trustRootVersion: string;
  /** Digests of all evidence that was looked at. */
  readonly evidence: readonly string[];
  /** When the first piece of accepted evidence, or an exception, expires; null when none does. */
  readonly validUntil: Date | null;
  readonly at: Date;
  readonly durationMs: number;
}
