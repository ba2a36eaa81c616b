import type { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { Rollback } from '@bulla/trust/policy/evaluate/rollback';

/** An image's repository in this server's own store, or behind one of the gateway's prefixes. */
export interface OwnPlace {
  /** Canonical `registry/repository`, prefixes mapped back (semantics 7). */
  readonly canonical: string;
  /** The registry behind a prefix; null for a repository of this server. */
  readonly upstream: {
    readonly registry: string;
    readonly repository: string;
    /** Whether the prefix serves anybody, so that no right to it is to be asked (semantics 19). */
    readonly isOpen: boolean;
  } | null;
  readonly source: ArtifactSource;
  /** What a tag leads to. Without `remember` nothing of the answer is kept. */
  resolve(
    tag: string,
    remember: boolean,
  ): Promise<
    | { readonly digest: Digest | null }
    | { readonly problem: TrustFault; readonly remembered: Digest | null }
  >;
  /** Indexes of the repository that list the digest, newest first, as far as they are stored here. */
  parents(digest: Digest): Promise<readonly Digest[]>;
}

/** The place of a canonical name; null for what lies elsewhere. */
export type FindOwn = (registry: string, repository: string) => OwnPlace | null;

/** What tags led to over time, as the gateway notes it too (rollback memory). */
export interface TagMemory {
  seen(repository: string, tag: string, digest: Digest, at: Date): Promise<Rollback | null>;
  /** Newest first. */
  history(
    repository: string,
    tag: string,
  ): Promise<
    readonly { readonly digest: Digest; readonly firstSeen: Date; readonly lastSeen: Date }[]
  >;
}
