import { utf8 } from '@bulla/trust/bytes/byte-string';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import type { ArtifactTarget } from '@bulla/trust/oci/store';

/** A descriptor of bytes that a test has at hand. */
export interface Sample {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

export function sample(bytes: Uint8Array, mediaType: string): Sample {
  return { bytes, mediaType, digest: computeDigest(bytes), size: bytes.length };
}

export function point({ mediaType, digest, size }: Sample, more: object = {}): object {
  return { mediaType, digest, size, ...more };
}

export const EMPTY = sample(utf8('{}'), MEDIA_TYPES.empty);

/** An image manifest over one layer with this text. */
export function image(text: string, more: object = {}): { manifest: Sample; layer: Sample } {
  const layer = sample(utf8(text), 'application/vnd.oci.image.layer.v1.tar');
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: point(EMPTY),
    layers: [point(layer)],
    ...more,
  };
  return { manifest: sample(utf8(JSON.stringify(document)), MEDIA_TYPES.ociManifest), layer };
}

/** An index over these manifests. */
export function index(children: readonly Sample[], more: object = {}): Sample {
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: children.map((child) => point(child)),
    ...more,
  };
  return sample(utf8(JSON.stringify(document)), MEDIA_TYPES.ociIndex);
}

/** A referrer of `subject` of an artifact type. */
export function referrer(subject: Sample, artifactType: string, text: string) {
  return image(text, { artifactType, subject: point(subject) });
}

export async function push(
  target: ArtifactTarget,
  { manifest, layer }: { manifest: Sample; layer: Sample },
  tag?: string,
): Promise<void> {
  await target.putBlob(EMPTY, EMPTY.bytes);
  await target.putBlob(layer, layer.bytes);
  await target.putManifest(manifest, tag === undefined ? {} : { tag });
}

export async function collect(chunks: AsyncIterable<Uint8Array> | null): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks ?? []) parts.push(chunk);
  return Buffer.concat(parts);
}
