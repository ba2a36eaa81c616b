import type { Code } from '../../fault/codes.ts';
import type { Digest } from '../../oci/digest.ts';
import type { PolicyOutcome } from '../decision.ts';
import type { Surface } from '../document.ts';
import type { Rollback } from '../evaluate/rollback.ts';

/** What a case is decided from. */
export type CaseSubject =
  /** An image in a registry, or in a layout whose path is relative to the file. */
  | { readonly kind: 'image'; readonly reference: string }
  /**
   * Evidence that was stored with a decision, in a file relative to this one; `digest` tells which
   * when the file holds that of several images.
   */
  | { readonly kind: 'dossier'; readonly file: string; readonly digest: Digest | null };

/** What must come out of a case. */
export interface Expectation {
  readonly outcome: 'admit' | 'deny';
  /** The strictest effect of all policies, or that of `policy`; null: any. */
  readonly effect: PolicyOutcome['effect'] | null;
  /** A code of what did not pass; null: any or none. */
  readonly code: Code | null;
  /** The policy that `effect` and `code` are asked of; null: all of them together. */
  readonly policy: string | null;
}

/** One question to the policies, and its answer. */
export interface PolicyCase {
  readonly name: string;
  readonly subject: CaseSubject;
  /** The reference that the policies see; null: the image's own. */
  readonly as: string | null;
  readonly surface: Surface;
  readonly namespace: string | null;
  readonly environment: string | null;
  readonly platform: string | null;
  /** The present of the decision, never a trusted time (semantics 10); null: now. */
  readonly at: Date | null;
  /** That the tag went back to this image; null: it did not. */
  readonly rollback: Rollback | null;
  /** Files of exceptions that the door holds, and folders of them; none: it holds none. */
  readonly exceptions: readonly string[];
  readonly expect: Expectation;
}

/** A `*.test.yaml` file (docs/policy.md): policies and what they must decide. Paths are relative to it. */
export interface PolicyTest {
  /** At least one file or folder. */
  readonly policies: readonly string[];
  /** Files of trusted roots by the names that policies use. */
  readonly trustRoots: Readonly<Record<string, string>>;
  /** At least one. */
  readonly cases: readonly PolicyCase[];
}
