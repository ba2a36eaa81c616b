import { utf8 } from '../../bytes/byte-string.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { computeDigest, type Digest } from '../../oci/digest.ts';
import { MEDIA_TYPES } from '../../oci/manifest.ts';
import type { ArtifactTarget, CallOptions } from '../../oci/store.ts';
import { BUNDLE_MEDIA_TYPE } from './media-type.ts';

const EMPTY_CONFIG = utf8('{}');

/** A bundle on its way into a repository. */
export interface BundleToAttach {
  readonly bytes: Uint8Array;
  readonly subject: Descriptor;
  /** The predicate type of its statement, or null for a message signature. */
  readonly predicateType: string | null;
  /** When it was made; null leaves the annotation out. */
  readonly created: Date | null;
}

/**
 * Pushes a bundle as a referrer of its subject, as cosign 3 lays it out (cosign
 * pkg/oci/remote/write.go): blobs first, the manifest last, so that a reader never sees half of
 * it. Resolves to the digest of the referrer manifest.
 */
export async function attachBundle(
  target: ArtifactTarget,
  bundle: BundleToAttach,
  options: CallOptions = {},
): Promise<Digest> {
  const layer = { digest: computeDigest(bundle.bytes), size: bundle.bytes.length };
  const config = { digest: computeDigest(EMPTY_CONFIG), size: EMPTY_CONFIG.length };
  await Promise.all([
    target.putBlob(layer, bundle.bytes, options),
    target.putBlob(config, EMPTY_CONFIG, options),
  ]);
  const { mediaType, digest, size } = bundle.subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: BUNDLE_MEDIA_TYPE,
    config: { mediaType: MEDIA_TYPES.empty, ...config },
    layers: [{ mediaType: BUNDLE_MEDIA_TYPE, ...layer }],
    subject: { mediaType, digest, size },
    annotations: annotationsOf(bundle),
  };
  const bytes = utf8(JSON.stringify(manifest));
  return target.putManifest({ bytes, mediaType: MEDIA_TYPES.ociManifest }, options);
}

function annotationsOf(bundle: BundleToAttach): Readonly<Record<string, string>> {
  return {
    'dev.sigstore.bundle.content':
      bundle.predicateType === null ? 'message-signature' : 'dsse-envelope',
    ...(bundle.predicateType === null
      ? {}
      : { 'dev.sigstore.bundle.predicateType': bundle.predicateType }),
    ...(bundle.created === null
      ? {}
      : {
          'org.opencontainers.image.created': bundle.created
            .toISOString()
            .replace(/\.\d{3}Z$/, 'Z'),
        }),
  };
}
