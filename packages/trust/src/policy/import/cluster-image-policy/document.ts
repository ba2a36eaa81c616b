import type { Place } from '../../../bytes/yaml/node.ts';

/** A value of an identity: the same text, or an expression that is found anywhere in it. */
export type SoughtText = { readonly exact: string } | { readonly search: string };

/** `keyless.identities[]`: issuer and subject, both mandatory there as here. */
export interface SoughtIdentity {
  readonly place: Place;
  readonly issuer: SoughtText;
  readonly subject: SoughtText;
}

/** `key`: exactly one of three sources, and the hash that signatures are made over. */
export interface KeySource {
  readonly place: Place;
  readonly source:
    | { readonly kind: 'data'; readonly pem: string }
    | { readonly kind: 'kms'; readonly uri: string }
    | { readonly kind: 'secretRef'; readonly name: string };
  readonly hashAlgorithm: string;
}

/** `keyless`: who may sign, and which certificate authority vouches. */
export interface KeylessSource {
  readonly place: Place;
  readonly url: string | null;
  readonly caCert: boolean;
  readonly identities: readonly SoughtIdentity[];
  readonly trustRootRef: string | null;
  readonly ignoresSct: boolean;
}

/** `static`: an answer without looking. */
export interface StaticAnswer {
  readonly place: Place;
  readonly action: 'pass' | 'fail';
  readonly message: string;
}

/** `ctlog` or `rfc3161timestamp`: which service, and which trust root knows its keys. */
export interface ProofService {
  readonly place: Place;
  readonly url: string | null;
  readonly trustRootRef: string | null;
}

/** `source[]`: where else signatures lie. */
export interface SignatureSource {
  readonly place: Place;
  readonly oci: string | null;
  readonly tagPrefix: string | null;
  readonly pullSecrets: boolean;
}

/** `attestations[]`: a type that must be there, and an expression over it. */
export interface SoughtAttestation {
  readonly place: Place;
  readonly name: string;
  readonly predicateType: string;
  readonly policy: InlinePolicy | null;
}

/** CUE or Rego, inline or elsewhere; what it says is not read. */
export interface InlinePolicy {
  readonly place: Place;
  readonly type: 'cue' | 'rego';
}

/** One of `spec.authorities[]`. */
export interface CipAuthority {
  readonly place: Place;
  readonly name: string;
  readonly signer:
    | {
        readonly kind: 'key';
        readonly key: KeySource;
      }
    | { readonly kind: 'keyless'; readonly keyless: KeylessSource }
    | {
        readonly kind: 'static';
        readonly answer: StaticAnswer;
      };
  readonly sources: readonly SignatureSource[];
  readonly ctlog: ProofService | null;
  readonly timestamp: ProofService | null;
  readonly format: 'legacy' | 'bundle';
  readonly attestations: readonly SoughtAttestation[];
}

/** One of `spec.images[]`. */
export interface CipImage {
  readonly place: Place;
  readonly glob: string;
}

/** A ClusterImagePolicy of policy.sigstore.dev, with its defaults filled in. */
export interface ClusterImagePolicy {
  readonly apiVersion: string;
  readonly name: string;
  readonly place: Place;
  readonly images: readonly CipImage[];
  readonly authorities: readonly CipAuthority[];
  readonly mode: 'enforce' | 'warn';
  /** Each `spec.match[]`; none: every kind of object. */
  readonly match: readonly Place[];
  readonly policy: InlinePolicy | null;
}
