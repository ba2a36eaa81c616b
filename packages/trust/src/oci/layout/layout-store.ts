import { stat } from 'node:fs/promises';
import { quote, TrustFault } from '../../fault/fault.ts';
import type { Digest } from '../digest.ts';
import { computeDigest } from '../digest.ts';
import { contentOf, MANIFEST_LIMIT, parseManifest } from '../manifest.ts';
import type {
  ArtifactSource,
  ArtifactTarget,
  PutManifestOptions,
  StoredManifest,
} from '../store.ts';
import { isSystemError } from '../system-error.ts';
import { blobName, type LayoutContent } from './content.ts';
import { folderContent } from './folder.ts';
import { addEntry, removeEntries, removeTag } from './layout-entries.ts';
import { findEntry } from './layout-index.ts';
import { layoutSource } from './layout-source.ts';
import { createLayout, removeFile, updateIndex, writeContent } from './layout-writer.ts';
import { tarContent } from './tar.ts';

/**
 * The layout at `path` as source and target: a folder, or a tar archive, which answers each write
 * with `layout.read-only`. `createLayout` makes an empty layout where nothing is.
 */
export async function openLayout(
  path: string,
  options: { readonly createLayout?: boolean } = {},
): Promise<ArtifactTarget> {
  const kind = await kindOf(path);
  if (kind === 'file') return archiveStore(tarContent(path));
  if (options.createLayout === true) await createLayout(path);
  return folderStore(folderContent(path));
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'nothing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (cause) {
    if (isSystemError(cause, 'ENOENT')) return 'nothing';
    throw new TrustFault('usage.file', `cannot open ${quote(path)}`, undefined, { cause });
  }
}

function archiveStore(content: LayoutContent): ArtifactTarget {
  const refuse = async (): Promise<never> => {
    throw new TrustFault('layout.read-only', `${content.path} is an archive`);
  };
  return {
    ...layoutSource(content),
    hasBlob: (digest) => has(content, digest),
    putBlob: refuse,
    mountBlob: refuse,
    putManifest: refuse,
    deleteManifest: refuse,
    deleteTag: refuse,
  };
}

async function has(content: LayoutContent, digest: Digest): Promise<boolean> {
  return (await content.open(blobName(digest))) !== null;
}

/**
 * The life of a write: content goes to a temporary file, is checked and synchronised, and is renamed
 * to its digest; then index.json is replaced the same way under the layout's lock. A reader sees the
 * old index or the new one, and every name in it leads to whole content.
 */
function folderStore(content: LayoutContent): ArtifactTarget {
  const source: ArtifactSource = layoutSource(content);
  return {
    ...source,
    hasBlob: (digest) => has(content, digest),
    async putBlob(descriptor, bytes) {
      if (await has(content, descriptor.digest)) return;
      await writeContent(content.path, descriptor, bytes);
    },
    mountBlob: async () => false,
    putManifest: (manifest, options) => putManifest(content, manifest, options),
    async deleteManifest(digest) {
      const isThere = await has(content, digest);
      await updateIndex(content, (index) => removeEntries(index, digest));
      if (isThere) await removeFile(content.path, digest);
      return isThere;
    },
    async deleteTag(tag) {
      let isThere = false;
      await updateIndex(content, (index) => {
        const next = removeTag(index, tag);
        isThere = next !== undefined;
        return next;
      });
      return isThere;
    },
  };
}

async function putManifest(
  content: LayoutContent,
  stored: Omit<StoredManifest, 'digest'>,
  { tag, replaces }: PutManifestOptions = {},
): Promise<Digest> {
  if (stored.bytes.length > MANIFEST_LIMIT) {
    throw new TrustFault('registry.limit', `a manifest has at most ${MANIFEST_LIMIT} bytes`);
  }
  const manifest = parseManifest(stored);
  for (const { digest, mediaType } of contentOf(manifest)) {
    // image-spec layer.md "Non-distributable Layers": their content is never in a store.
    const mayLack = /nondistributable|foreign/.test(mediaType);
    if (!mayLack && !(await has(content, digest))) {
      throw new TrustFault('content.missing', `${content.path} lacks ${digest}, which is named`);
    }
  }
  const digest = computeDigest(stored.bytes);
  const size = stored.bytes.length;
  if (!(await has(content, digest))) {
    await writeContent(content.path, { digest, size }, stored.bytes);
  }
  await updateIndex(content, (index) => {
    if (tag !== undefined && replaces !== undefined) {
      const current = findEntry(index, tag)?.digest ?? null;
      if (current !== replaces) {
        throw new TrustFault('registry.tag-moved', `${content.path}:${tag} was moved meanwhile`);
      }
    }
    return addEntry(index, { digest, size, manifest }, tag);
  });
  return digest;
}
