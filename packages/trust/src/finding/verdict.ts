import { codeEntry } from '../fault/codes.ts';
import type { Finding } from './finding.ts';

/** The answer to one question about one artifact, with the whole tree that led to it. */
export interface Verdict {
  /** The reference as the user gave it. */
  readonly reference: string;
  /** What the verdict is about: canonical `repository@digest`, or a file's name and digest. */
  readonly artifact: string;
  /** `sha256:…` of the artifact; null when it could not be resolved. */
  readonly digest: string | null;
  /** Digests that this verdict covers beside `digest`, such as the chosen platform's leaf. */
  readonly covers: readonly string[];
  readonly finding: Finding;
  /** Digests of the evidence that was looked at. */
  readonly evidence: readonly string[];
  /** Name, date and digest of the trust root that was used; null when keys alone decided. */
  readonly trustRoot: string | null;
  /** When the first piece of accepted evidence expires; null when none does. */
  readonly validUntil: Date | null;
  /** The instant at which the verdict was taken. */
  readonly at: Date;
  /** Milliseconds from the question to the answer. */
  readonly durationMs: number;
}

/** The process exit code of a finding: 0 pass, 1 fail, 2 wrong use, 3 inconclusive, 4 defect. */
export function exitCodeOf(finding: Finding): 0 | 1 | 2 | 3 | 4 {
  if (finding.outcome === 'pass') return 0;
  if (finding.outcome === 'inconclusive') return 3;
  // Malformed evidence is refused, not wrong use: only a defect outranks the refusal.
  return finding.code !== undefined && codeEntry(finding.code).exit === 4 ? 4 : 1;
}
