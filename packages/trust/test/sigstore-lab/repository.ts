import { utf8 } from '@bulla/trust/bytes/byte-string';
import type { Descriptor } from '@bulla/trust/oci/descriptor';
import { computeDigest, type Digest, isDigest } from '@bulla/trust/oci/digest';
import { MEDIA_TYPES, parseManifest } from '@bulla/trust/oci/manifest';
import type { ArtifactTarget, CallOptions, StoredManifest } from '@bulla/trust/oci/store';
import type { Evidence } from '@bulla/trust/proof/evidence';

/** What a test plans for a call: a throw, or another answer; undefined lets it pass. */
export interface Faults {
  manifest?(
    tagOrDigest: string,
    options?: CallOptions,
  ): StoredManifest | null | undefined | Promise<StoredManifest | null | undefined>;
  blob?(digest: Digest): Uint8Array | null | undefined | Promise<Uint8Array | null | undefined>;
  referrers?(subject: Digest, found: readonly Descriptor[]): readonly Descriptor[] | undefined;
  putBlob?(digest: Digest): void | Promise<void>;
  putManifest?(manifest: Omit<StoredManifest, 'digest'>, tag?: string): 'lose' | undefined;
}

/** One repository in memory, with its content open to the test. */
export interface LabRepository extends ArtifactTarget {
  readonly blobs: Map<string, Uint8Array>;
  readonly manifests: Map<string, StoredManifest>;
  readonly tagged: Map<string, Digest>;
  /** The calls in order, `manifest <ref>`, `blob <digest>` and so on. */
  readonly calls: string[];
  faults: Faults;
  /** Puts a manifest without its content, for broken repositories. */
  plant(
    document: unknown,
    options?: { readonly tag?: string; readonly mediaType?: string },
  ): StoredManifest;
}

export function openRepository(name = 'registry.example/app'): LabRepository {
  const blobs = new Map<string, Uint8Array>();
  const manifests = new Map<string, StoredManifest>();
  const tagged = new Map<string, Digest>();
  const calls: string[] = [];
  const store = (bytes: Uint8Array, mediaType: string, tag?: string): StoredManifest => {
    const stored = { bytes, mediaType, digest: computeDigest(bytes) };
    manifests.set(stored.digest, stored);
    if (tag !== undefined) tagged.set(tag, stored.digest);
    return stored;
  };
  const repository: LabRepository = {
    name,
    blobs,
    manifests,
    tagged,
    calls,
    faults: {},
    plant(document, { tag, mediaType = MEDIA_TYPES.ociManifest } = {}) {
      const bytes = document instanceof Uint8Array ? document : utf8(JSON.stringify(document));
      return store(bytes, mediaType, tag);
    },
    async resolve(tagOrDigest, options) {
      const found = await repository.manifest(tagOrDigest, options);
      return (
        found && { mediaType: found.mediaType, digest: found.digest, size: found.bytes.length }
      );
    },
    async manifest(tagOrDigest, options) {
      calls.push(`manifest ${tagOrDigest}`);
      options?.signal?.throwIfAborted();
      const planned = await repository.faults.manifest?.(tagOrDigest, options);
      if (planned !== undefined) return planned;
      const digest = isDigest(tagOrDigest) ? tagOrDigest : tagged.get(tagOrDigest);
      return manifests.get(digest ?? '') ?? null;
    },
    async blob({ digest }) {
      calls.push(`blob ${digest}`);
      const planned = await repository.faults.blob?.(digest);
      return planned === undefined ? (blobs.get(digest) ?? null) : planned;
    },
    async blobStream({ digest }) {
      const bytes = blobs.get(digest);
      if (bytes === undefined) return null;
      return (async function* () {
        yield bytes;
      })();
    },
    async referrers(subject) {
      calls.push(`referrers ${subject}`);
      const descriptors = [...manifests.values()].flatMap((stored) => {
        const entry = referrerEntry(stored, subject);
        return entry === null ? [] : [entry];
      });
      return {
        descriptors: repository.faults.referrers?.(subject, descriptors) ?? descriptors,
        by: 'api',
        broken: [],
      };
    },
    tags: async () => [...tagged.keys()].sort(),
    hasBlob: async (digest) => blobs.has(digest),
    async putBlob({ digest }, content) {
      calls.push(`putBlob ${digest}`);
      await repository.faults.putBlob?.(digest);
      if (!(content instanceof Uint8Array)) throw new TypeError('the lab takes bytes only');
      blobs.set(digest, content);
    },
    mountBlob: async () => false,
    async putManifest(manifest, options) {
      calls.push(`putManifest ${options?.tag ?? computeDigest(manifest.bytes)}`);
      const planned = repository.faults.putManifest?.(manifest, options?.tag);
      if (planned === 'lose') return computeDigest(manifest.bytes);
      return store(manifest.bytes, manifest.mediaType, options?.tag).digest;
    },
    deleteManifest: async (digest) => manifests.delete(digest),
    deleteTag: async (tag) => tagged.delete(tag),
  };
  return repository;
}

function referrerEntry(stored: StoredManifest, subject: Digest): Descriptor | null {
  try {
    const manifest = parseManifest(stored);
    if (manifest.subject?.digest !== subject) return null;
    return {
      mediaType: stored.mediaType,
      digest: stored.digest,
      size: stored.bytes.length,
      ...(manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
      ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
    };
  } catch {
    return null;
  }
}

const EMPTY = utf8('{}');

function descriptor(bytes: Uint8Array, mediaType: string): Descriptor {
  return { mediaType, digest: computeDigest(bytes), size: bytes.length };
}

/** An image whose one layer has this text, under a tag when one is given. */
export function putImage(
  repository: LabRepository,
  text: string,
  options: { readonly tag?: string } = {},
): StoredManifest {
  const layer = utf8(text);
  repository.blobs.set(computeDigest(layer), layer);
  repository.blobs.set(computeDigest(EMPTY), EMPTY);
  return repository.plant(
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: descriptor(EMPTY, MEDIA_TYPES.empty),
      layers: [descriptor(layer, 'application/vnd.oci.image.layer.v1.tar')],
    },
    options,
  );
}

/** An index over children, each with its descriptor's further members (platform, annotations). */
export function putIndex(
  repository: LabRepository,
  children: readonly { readonly of: StoredManifest; readonly more?: object }[],
  options: { readonly tag?: string } = {},
): StoredManifest {
  return repository.plant(
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociIndex,
      manifests: children.map(({ of, more = {} }) => ({
        ...descriptor(of.bytes, of.mediaType),
        ...more,
      })),
    },
    { ...options, mediaType: MEDIA_TYPES.ociIndex },
  );
}

const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** A bundle as a referrer; `more` replaces members of its manifest. */
export function attachBundle(
  repository: LabRepository,
  subject: StoredManifest,
  evidence: Pick<Evidence, 'bytes'>,
  more: object = {},
): StoredManifest {
  repository.blobs.set(computeDigest(evidence.bytes), evidence.bytes);
  repository.blobs.set(computeDigest(EMPTY), EMPTY);
  return repository.plant({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: BUNDLE,
    config: descriptor(EMPTY, MEDIA_TYPES.empty),
    layers: [descriptor(evidence.bytes, BUNDLE)],
    subject: descriptor(subject.bytes, subject.mediaType),
    ...more,
  });
}

/** Layers under the `.sig` or `.att` tag of a digest. */
export function attachLayers(
  repository: LabRepository,
  subject: Digest,
  kind: 'sig' | 'att',
  layers: readonly Evidence[],
): StoredManifest {
  repository.blobs.set(computeDigest(EMPTY), EMPTY);
  for (const { bytes } of layers) repository.blobs.set(computeDigest(bytes), bytes);
  return repository.plant(
    {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: descriptor(EMPTY, MEDIA_TYPES.empty),
      layers: layers.map(({ bytes, mediaType, annotations }) => ({
        ...descriptor(bytes, mediaType),
        annotations,
      })),
    },
    { tag: `${subject.replace(':', '-')}.${kind}` },
  );
}
