import type { Statement } from '../claims/statement.ts';
import type { Finding } from '../finding/finding.ts';
import type { Digest } from '../oci/digest.ts';
import type { ArtifactSource, CallOptions } from '../oci/store.ts';
import type { Authority } from './authority.ts';
import type { ProofRequirements } from './requirements.ts';

/** The names of the formats, one per room. */
export type FormatName = 'sigstore-bundle' | 'cosign-legacy';

/** What is verified: the digest always, the bytes where they are at hand. */
export interface VerifiedArtifact {
  readonly digest: Digest;
  readonly bytes: Uint8Array | null;
}

/** One signature or attestation as it was found, not yet parsed: hostile bytes. */
export interface Evidence {
  readonly format: FormatName;
  /** Digest of the stored document. */
  readonly digest: string;
  /** Where it was found, for people. */
  readonly where: string;
  readonly bytes: Uint8Array;
  /** The annotations that belong to it (cosign-legacy keeps half of a signature there). */
  readonly annotations: Readonly<Record<string, string>>;
  readonly mediaType: string;
}

/** What was found for one artifact by one format. */
export interface FoundEvidence {
  readonly evidence: readonly Evidence[];
  /** Findings of what could not be read: broken documents (`fail`) and outages (`inconclusive`). */
  readonly problems: readonly Finding[];
}

/** What the evidence must be: a signature as such, or an attestation of one predicate type. */
export type Wanted =
  | { readonly kind: 'signature'; readonly annotations: Readonly<Record<string, string>> }
  | { readonly kind: 'attestation'; readonly predicateType: string };

/** The question that is put to one piece of evidence. */
export interface Question {
  readonly artifact: VerifiedArtifact;
  readonly wanted: Wanted;
  readonly authorities: readonly Authority[];
  readonly requirements: ProofRequirements;
}

/** What one piece of evidence is worth for one authority. */
export interface AuthorityAnswer {
  readonly authority: Authority;
  readonly finding: Finding;
  /** All ids that stand behind a pass: `key:<id>`, `identity:<issuer>|<subject>`. */
  readonly principals: readonly string[];
  /** The earliest trusted time of the signature, null when none was proved. */
  readonly time: Date | null;
  /** The attested statement, when an attestation was wanted and its subject is this artifact. */
  readonly statement: Statement | null;
  /** When a pass stops to hold; null when nothing in it expires. */
  readonly validUntil: Date | null;
}

/** The door of a format's room. */
export interface SignatureFormat {
  readonly name: FormatName;
  /** Whether the format binds a digest or a tag (notary-v1 alone binds a tag). */
  readonly binds: 'digest' | 'tag';
  /** Everything stored for `subject`; broken pieces are reported, outages are inconclusive. */
  find(source: ArtifactSource, subject: Digest, options?: FindOptions): Promise<FoundEvidence>;
  /** One answer per authority, in order. Pure: no I/O; never throws for what `evidence` holds. */
  verify(evidence: Evidence, question: Question): Promise<readonly AuthorityAnswer[]>;
}

/** How evidence is looked for. */
export interface FindOptions extends CallOptions {
  /** Another repository that holds the evidence (cosign's `COSIGN_REPOSITORY`). */
  readonly evidenceSource?: ArtifactSource;
  /** What will be asked: spares the download of evidence that says it is something else. */
  readonly wanted?: Wanted;
}
