import type { Authority } from '../proof/authority.ts';
import type { ProofRequirements } from '../proof/requirements.ts';
import type { Surface, TrustPolicy } from './document.ts';

/** An authority with its key and trust root at hand. */
export interface ReadyAuthority {
  readonly name: string;
  /** Null for a kind that no format of this release proves: it fails (`policy.authority-unsupported`). */
  readonly authority: Authority | null;
  /** Of a `static` authority: why it refuses (`policy.static`). */
  readonly refusal?: string;
  readonly kind: TrustPolicy['authorities'][string]['kind'];
  readonly requirements: Omit<ProofRequirements, 'at'>;
}

/** Where an image is asked for; null means that the door does not know, which loosens nothing. */
export interface PolicyScope {
  /** Canonical `registry/repository`, as `canonicalName` makes it (semantics 7). */
  readonly repository: string;
  readonly surface: Surface;
  readonly namespace: string | null;
  readonly environment: string | null;
}

/** A policy that is ready to be evaluated: patterns compiled, keys and trust roots loaded. */
export interface ReadyPolicy {
  readonly document: TrustPolicy;
  /** `sha256:…` over the document, its keys and its trust roots: equal hashes decide alike. */
  readonly hash: string;
  readonly authorities: ReadonlyMap<string, ReadyAuthority>;
  covers(scope: PolicyScope): boolean;
}

/** All policies of a door. */
export interface PolicySet {
  readonly policies: readonly ReadyPolicy[];
  /** `sha256:…` over the hashes of all, whatever their order. */
  readonly hash: string;
  /** Names and digests of all trust roots that they use, sorted; part of every decision. */
  readonly trustRootVersion: string;
}
