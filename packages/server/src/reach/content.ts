import { remembered } from '@bulla/trust/decide/material';
import { isDigest } from '@bulla/trust/oci/digest';
import type { ArtifactSource, StoredManifest } from '@bulla/trust/oci/store';
import { keyOfParts } from '../bounds/key.ts';
import { openRecent } from '../bounds/recent.ts';

/** All content in memory together, and the largest piece: evidence comes to some KiB. */
const MEMORY_BYTES = 32 << 20;
const PIECE_BYTES = 1 << 20;

interface Piece {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
}

/** Puts memory before a source; `view` names the repository and the credentials that open it. */
export type KeepContent = (source: ArtifactSource, view: string) => ArtifactSource;

/**
 * Keeps what a digest names, of manifests and small blobs, and nothing that can change: tags and
 * referrers are asked for each time. The source checked the digests, and each view has only what
 * itself was given.
 */
export function keptContent(): KeepContent {
  const recent = openRecent<Piece>(MEMORY_BYTES, ({ bytes }) => bytes.length + 512);
  const keep = (key: string, piece: Piece): void => {
    if (piece.bytes.length <= PIECE_BYTES) recent.set(key, piece);
  };
  return (source, view) => ({
    ...source,
    async manifest(tagOrDigest, options) {
      const key = (digest: string) => keyOfParts([view, 'manifest', digest]);
      const known = isDigest(tagOrDigest) ? recent.get(key(tagOrDigest)) : undefined;
      if (known !== undefined && isDigest(tagOrDigest)) return { ...known, digest: tagOrDigest };
      const found: StoredManifest | null = await source.manifest(tagOrDigest, options);
      if (found !== null) {
        const { bytes, mediaType, digest } = found;
        keep(key(digest), { bytes, mediaType });
      }
      return found;
    },
    async blob(descriptor, options) {
      const { digest, size } = descriptor;
      const key = keyOfParts([view, 'blob', digest, size]);
      const known = recent.get(key);
      if (known !== undefined && size <= (options?.maxBytes ?? PIECE_BYTES)) return known.bytes;
      const bytes = await source.blob(descriptor, options);
      if (bytes !== null) keep(key, { bytes, mediaType: '' });
      return bytes;
    },
  });
}

/** The source at one moment: what it said of a manifest, a tag or referrers it is not asked again. */
export function snapshot(source: ArtifactSource): ArtifactSource {
  const manifests = new Map<string, ReturnType<ArtifactSource['manifest']>>();
  const referrers = new Map<string, ReturnType<ArtifactSource['referrers']>>();
  return {
    ...source,
    manifest: (tagOrDigest, options) =>
      remembered(manifests, tagOrDigest, () => source.manifest(tagOrDigest, options)),
    referrers: (subject, query) =>
      remembered(referrers, JSON.stringify([subject, query?.artifactType ?? null]), () =>
        source.referrers(subject, query),
      ),
  };
}
