import { encodeBase64 } from '../../bytes/base64.ts';
import { utf8 } from '../../bytes/byte-string.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { computeDigest } from '../../oci/digest.ts';
import { MEDIA_TYPES } from '../../oci/manifest.ts';
import { ANNOTATIONS, SIMPLE_SIGNING_MEDIA_TYPE } from './layer.ts';

/** One new signature of the tag scheme: a payload layer and its annotations. */
export interface LegacyLayer {
  readonly bytes: Uint8Array;
  readonly descriptor: Descriptor;
}

/** The layer of a signed payload; an RFC 3161 response over the signature may stand beside it. */
export function buildSignatureLayer(
  payload: Uint8Array,
  signature: Uint8Array,
  timestamp: Uint8Array | null,
): LegacyLayer {
  const annotations: Record<string, string> = { [ANNOTATIONS.signature]: encodeBase64(signature) };
  if (timestamp !== null) {
    annotations[ANNOTATIONS.timestamp] = JSON.stringify({
      SignedRFC3161Timestamp: encodeBase64(timestamp),
    });
  }
  return layer(payload, SIMPLE_SIGNING_MEDIA_TYPE, annotations);
}

function layer(
  bytes: Uint8Array,
  mediaType: string,
  annotations: Readonly<Record<string, string>>,
): LegacyLayer {
  const descriptor = { mediaType, size: bytes.length, digest: computeDigest(bytes), annotations };
  return { bytes, descriptor };
}

/** A manifest with its config, ready to be pushed under a companion tag. */
export interface LegacyManifest {
  readonly bytes: Uint8Array;
  readonly config: Uint8Array;
}

const EPOCH = '0001-01-01T00:00:00Z';

/** The manifest of all layers of a tag, with the config that cosign writes beside it. */
export function buildLegacyManifest(layers: readonly Descriptor[]): LegacyManifest {
  const config = utf8(
    JSON.stringify({
      architecture: '',
      created: EPOCH,
      history: layers.map(() => ({ created: EPOCH })),
      os: '',
      rootfs: { type: 'layers', diff_ids: layers.map((entry) => entry.digest) },
      config: {},
    }),
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      size: config.length,
      digest: computeDigest(config),
    },
    layers: layers.map(({ mediaType, size, digest, annotations }) => ({
      mediaType,
      size,
      digest,
      ...(annotations === undefined ? {} : { annotations }),
    })),
  };
  return { bytes: utf8(JSON.stringify(manifest)), config };
}
