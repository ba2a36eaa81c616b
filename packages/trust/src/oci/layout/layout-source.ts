import { TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import { isDigest } from '../digest.ts';
import { MANIFEST_LIMIT, sniffMediaType } from '../manifest.ts';
import type { ArtifactSource } from '../store.ts';
import { type LayoutContent, readBlob, readManifest, streamBlob } from './content.ts';
import { findEntry, REF_NAME, readLayoutIndex } from './layout-index.ts';
import { createReferrerFinder } from './layout-referrers.ts';

const DEFAULT_BLOB_LIMIT = 32 << 20;

/**
 * The reading side of a layout (image-layout.md), over a folder or a tar archive. Every digest is
 * checked; index.json is read anew for each question about names, so another process's writes are
 * seen. An empty name asks for the only artifact of the layout.
 */
export function layoutSource(content: LayoutContent): ArtifactSource {
  const finder = createReferrerFinder(content);
  return {
    name: `oci:${content.path}`,
    resolve: (tagOrDigest) => resolve(content, tagOrDigest),
    async manifest(tagOrDigest) {
      const found = await resolve(content, tagOrDigest);
      if (found === null) return null;
      return readManifest(content, found.digest, found.mediaType);
    },
    async blob(descriptor, options) {
      const bytes = await readBlob(
        content,
        descriptor.digest,
        options?.maxBytes ?? DEFAULT_BLOB_LIMIT,
      );
      if (bytes !== null && bytes.length !== descriptor.size) {
        throw new TrustFault(
          'registry.digest-mismatch',
          `expected ${descriptor.size} bytes of ${descriptor.digest}, found ${bytes.length}`,
        );
      }
      return bytes;
    },
    blobStream: (descriptor) => streamBlob(content, descriptor),
    referrers: (subject, query) => finder.find(subject, query?.artifactType),
    tags: () => listTags(content),
  };
}

async function resolve(content: LayoutContent, tagOrDigest: string): Promise<Descriptor | null> {
  const index = await readLayoutIndex(content);
  const entry = findEntry(index, tagOrDigest);
  if (entry !== undefined) return entry;
  if (!isDigest(tagOrDigest)) return null;
  // A child of an index stands only among the blobs, without its media type.
  const bytes = await readBlob(content, tagOrDigest, MANIFEST_LIMIT);
  const mediaType = bytes === null ? undefined : sniffMediaType(bytes);
  if (bytes === null || mediaType === undefined) return null;
  return { mediaType, digest: tagOrDigest, size: bytes.length };
}

async function listTags(content: LayoutContent): Promise<readonly string[]> {
  const { entries } = await readLayoutIndex(content);
  const names = new Set<string>();
  for (const { annotations } of entries) {
    const name = annotations?.[REF_NAME];
    if (name !== undefined) names.add(name);
  }
  return [...names].sort();
}
