import type { Pattern } from './pattern.ts';

/** A place where a policy is enforced; a "door" in prose. */
export type Surface = 'pull' | 'admission' | 'gate' | 'node' | 'watch';

/** What a policy that is not satisfied does: it refuses, it admits with a warning, or it only records. */
export type PolicyMode = 'enforce' | 'warn' | 'audit';

/** What an outage of a service that the policy names does (semantics 2 and 3). */
export type OnInconclusive =
  | 'deny'
  | 'warn'
  | { readonly lastKnownGood: { readonly maxAgeMs: number } };

/** What a door that changes references does with a tag; `refuse` asks for digests. */
export type TagRule = 'pin' | 'refuse' | 'leave';

/** Which node of a multi-arch tree must carry the evidence (semantics 6). */
export type TreeMode = 'named' | 'index' | 'leaf' | 'any' | 'both';

/** Which proofs of a signer are asked for; one that is switched off is shown as `skipped`. */
export interface ProofSwitches {
  readonly log: boolean;
  readonly sct: boolean;
  readonly timestamp: boolean;
}

/** A signer known by a public key: a file beside the policy, or PEM in it. Exactly one is given. */
export interface KeyAuthoritySpec {
  readonly kind: 'key';
  readonly ref: string | null;
  readonly pem: string | null;
  /** Name of the trust root whose logs and timestamp authorities must vouch as well; null: none. */
  readonly trustRoot: string | null;
  readonly proof: ProofSwitches;
}

/** A signer known by the identity in a short-lived certificate: issuer *and* subject (semantics 9). */
export interface KeylessAuthoritySpec {
  readonly kind: 'keyless';
  readonly issuer: Pattern;
  readonly subject: Pattern;
  /** Fulcio extensions by name and the exact value that each must have. */
  readonly claims: Readonly<Record<string, string>>;
  /** Always named (semantics 11): `public-good`, one of `spec.trustRoots`, or one of the door's. */
  readonly trustRoot: string;
  readonly proof: ProofSwitches;
}

/** A kind that a later format brings: parsed and kept, and failing until then (semantics 2). */
export interface UnsupportedAuthoritySpec {
  readonly kind: 'notary' | 'x509' | 'openpgp';
  /** The document's own value, as plain JSON. */
  readonly value: unknown;
}

/**
 * Nobody: it never signed anything, and says why. What a policy of another tool asks for and this one
 * cannot express is refused by it, in the verdict's own tree. There is no `pass` beside it (semantics
 * 1): an image that needs no signature is covered by a policy that only records.
 */
export interface StaticAuthoritySpec {
  readonly kind: 'static';
  readonly message: string;
}

/** Whoever may sign, by the policy's own name for them. */
export type AuthoritySpec =
  | KeyAuthoritySpec
  | KeylessAuthoritySpec
  | StaticAuthoritySpec
  | UnsupportedAuthoritySpec;

/** The most vulnerabilities of each severity that are not answered by a VEX statement. */
export type SeverityLimits = Readonly<
  Partial<Record<'critical' | 'high' | 'medium' | 'low' | 'unknown', number>>
>;

/** What a SLSA provenance must say (0.2 and 1.0 alike). */
export interface ProvenanceCondition {
  readonly builder: Pattern | null;
  readonly sourceRepository: Pattern | null;
  readonly branch: Pattern | null;
}

/** What a software bill of materials must be. */
export interface SbomCondition {
  /** Fewest packages or components that it must list; at least 1. */
  readonly minPackages: number;
}

/** So many of the named authorities signed this digest as such (semantics 8 and 9). */
export interface SignedRequirement {
  readonly kind: 'signed';
  readonly of: readonly string[];
  readonly atLeast: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** So many of the named authorities attested a statement of the type that satisfies every condition. */
export interface AttestedRequirement {
  readonly kind: 'attested';
  /** A predicate type: a URI, or one of the short names of `claims/predicate-type.ts`. */
  readonly type: string;
  readonly by: readonly string[];
  readonly atLeast: number;
  /** CEL over `statement`, `predicate`, `subject`, `predicateType`. */
  readonly where: string | null;
  readonly maxAgeMs: number | null;
  /** `claimed`: where no trusted time is proved, the predicate's own counts (semantics 13). */
  readonly time: 'trusted' | 'claimed';
  readonly vulnerabilities: SeverityLimits | null;
  /** Authorities whose OpenVEX statements answer findings of the report; empty: none do. */
  readonly vexBy: readonly string[];
  readonly provenance: ProvenanceCondition | null;
  readonly sbom: SbomCondition | null;
}

/** What an image must satisfy. `all` needs each of its parts, `any` one, `atLeast` so many. */
export type Requirement =
  | { readonly kind: 'all'; readonly parts: readonly Requirement[] }
  | { readonly kind: 'any'; readonly parts: readonly Requirement[] }
  | { readonly kind: 'atLeast'; readonly atLeast: number; readonly parts: readonly Requirement[] }
  | SignedRequirement
  | AttestedRequirement;

/** The keys that may break the glass, and for how long at most. */
export interface BreakGlassRules {
  /** Names of `key` authorities that are kept for this alone (semantics 17). */
  readonly keys: readonly string[];
  /** At most four hours. */
  readonly maxDurationMs: number;
}

/** Which exceptions a policy accepts (semantics 17). */
export interface ExceptionRules {
  /** Names of `key` authorities. */
  readonly approvers: readonly string[];
  readonly maxDurationMs: number;
  /** `digest`: an exception names one digest; `repository`: it may be for a whole repository. */
  readonly maxScope: 'digest' | 'repository';
  readonly breakGlass: BreakGlassRules | null;
}

/** A `TrustPolicy` document, checked and with its defaults filled in (docs/policy.md). */
export interface TrustPolicy {
  readonly name: string;
  readonly description: string | null;
  readonly images: readonly Pattern[];
  readonly exclude: readonly Pattern[];
  readonly surfaces: readonly Surface[];
  /**
   * Null: every namespace. A door that knows no namespace is taken to be in each for a policy that
   * enforces, and in none for one that warns or records: that could admit what nothing else covers.
   */
  readonly namespaces: readonly Pattern[] | null;
  /** Null: every environment. A door that was told of none is taken as one without a namespace is. */
  readonly environments: readonly string[] | null;
  readonly mode: PolicyMode;
  readonly onInconclusive: OnInconclusive;
  readonly tags: TagRule;
  readonly tree: TreeMode;
  /** Whether an older digest that comes back under a tag refuses. */
  readonly rollback: 'allow' | 'refuse';
  /** Files of trusted roots by name, relative to the policy. */
  readonly trustRoots: Readonly<Record<string, { readonly file: string }>>;
  readonly authorities: Readonly<Record<string, AuthoritySpec>>;
  readonly require: Requirement;
  /** Null: none are accepted. */
  readonly exceptions: ExceptionRules | null;
}
