import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';

/** How long and how far one call may go. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

/** A manifest exactly as it was received; `digest` was computed from `bytes`. */
export interface StoredManifest {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: Digest;
}

/** Which referrers are wanted. */
export interface ReferrersQuery extends CallOptions {
  readonly artifactType?: string;
}

/** The referrers of a subject as they were listed, and the way by which they were found. */
export interface Referrers {
  readonly descriptors: readonly Descriptor[];
  /** `api`: the referrers API; `tag`: the fallback tag `sha256-<hex>`. */
  readonly by: 'api' | 'tag';
  /** Entries that were left out because they are broken, one sentence each. */
  readonly broken: readonly string[];
}

/**
 * The reading side of one repository: a registry's, or an OCI layout. Implementations check every
 * digest before they return bytes, bound every size and time, and tell "not there" (null or an
 * empty list) from "no answer" (a TrustFault whose code's exit is 3).
 */
export interface ArtifactSource {
  /** Canonical name for people, `registry.example/app` or `oci:PATH`. */
  readonly name: string;
  /** The descriptor behind a tag or a digest, or null when the source answered and lacks it. */
  resolve(tagOrDigest: string, options?: CallOptions): Promise<Descriptor | null>;
  /** The manifest behind a tag or a digest, or null. At most 4 MiB. */
  manifest(tagOrDigest: string, options?: CallOptions): Promise<StoredManifest | null>;
  /** A whole blob, at most `maxBytes` (default 32 MiB), or null. */
  blob(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    options?: CallOptions & { readonly maxBytes?: number },
  ): Promise<Uint8Array | null>;
  /** A blob as a stream whose digest and size are checked by its end; null when absent. */
  blobStream(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    options?: CallOptions,
  ): Promise<AsyncIterable<Uint8Array> | null>;
  /** All referrers of a subject, pages joined; both ways of finding them are the store's affair. */
  referrers(subject: Digest, query?: ReferrersQuery): Promise<Referrers>;
  /** Every tag. */
  tags(options?: CallOptions): Promise<readonly string[]>;
}

/** Under which tag a manifest is written, and what that must lead to until then. */
export interface PutManifestOptions extends CallOptions {
  readonly tag?: string;
  readonly replaces?: Digest | null;
}

/**
 * The writing side. Each write is idempotent; a manifest is accepted only after everything that it
 * names, so a reader never sees half a signature.
 */
export interface ArtifactTarget extends ArtifactSource {
  hasBlob(digest: Digest, options?: CallOptions): Promise<boolean>;
  /** Uploads bytes (monolithic) or a stream (chunked); the digest is checked on the way. */
  putBlob(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    content: Uint8Array | AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<void>;
  /** Mounts a blob of another repository of the same registry; false when it must be uploaded. */
  mountBlob(digest: Digest, from: ArtifactSource, options?: CallOptions): Promise<boolean>;
  /**
   * Writes a manifest under its digest, and under `tag` when one is given. When the manifest has a
   * subject and the registry does not keep referrers itself, the fallback tag is updated and read
   * back; throws `registry.referrer-lost` if the entry is not there in the end. With `replaces` the
   * tag is written only while it points to that digest (null: to nothing), as far as the store can
   * tell: registries without conditional requests cannot. Throws `registry.tag-moved`.
   */
  putManifest(
    manifest: Omit<StoredManifest, 'digest'>,
    options?: PutManifestOptions,
  ): Promise<Digest>;
  /** Deletes a manifest by digest and its fallback entry; false when it was not there. */
  deleteManifest(digest: Digest, options?: CallOptions): Promise<boolean>;
  /** Deletes a tag only; false when it was not there. */
  deleteTag(tag: string, options?: CallOptions): Promise<boolean>;
}
