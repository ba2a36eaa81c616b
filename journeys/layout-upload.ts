import { contentOf, parseManifest } from '@bulla/trust/oci/manifest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { ArtifactSource, ArtifactTarget, StoredManifest } from '@bulla/trust/oci/store';
import { openRepository } from './artifact.ts';

/**
 * Uploads a whole layout as it lies there, byte for byte and tag for tag: companion and fallback tags
 * are tags like the others. Referrers that a layout has without a tag are listed under the fallback tag
 * of their subject, as their writer would have done in a registry without referrers API. `repository`
 * is `HOST/NAME` of a registry without access control. With `images`, only they and their evidence.
 */
export async function uploadLayout(
  path: string,
  repository: string,
  images: readonly string[] | null = null,
): Promise<void> {
  const layout = await openStore(parseReference(`oci:${path}`), {
    env: {},
    homeFolder: '/nonexistent',
  });
  const upload = { layout, repository, target: await openRepository(repository) };
  const tags = await layout.tags();
  const wanted = images ?? tags;
  // Evidence has tags that begin with the digest of its image.
  const isWanted = (tag: string) => wanted.includes(tag) || tag.startsWith('sha256-');
  // Images before indexes: a registry wants what an index lists.
  for (const kind of ['image', 'index'] as const) {
    for (const tag of tags.filter(isWanted)) await uploadTag(upload, tag, kind);
  }
  for (const tag of wanted) await uploadReferrers(upload, tag, new Set(tags));
}

interface Upload {
  readonly layout: ArtifactSource;
  readonly target: ArtifactTarget;
  readonly repository: string;
}

async function manifestOf({ layout }: Upload, name: string): Promise<StoredManifest> {
  const stored = await layout.manifest(name);
  if (stored === null) throw new Error(`the layout lacks ${name}`);
  return stored;
}

async function uploadTag(upload: Upload, name: string, kind: 'image' | 'index'): Promise<void> {
  const stored = await manifestOf(upload, name);
  if (parseManifest(stored).kind !== kind) return;
  await uploadContent(upload, stored);
  // Not by the library, which would tidy up the fallback tags.
  const [host, ...path] = upload.repository.split('/');
  const answer = await fetch(`http://${host}/v2/${path.join('/')}/manifests/${name}`, {
    method: 'PUT',
    headers: { 'content-type': stored.mediaType },
    body: Buffer.from(stored.bytes),
  });
  if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
}

async function uploadContent(upload: Upload, stored: StoredManifest): Promise<void> {
  const manifest = parseManifest(stored);
  for (const descriptor of contentOf(manifest)) {
    if (manifest.kind === 'index') {
      await uploadTag(upload, descriptor.digest, 'image');
      continue;
    }
    const bytes = await upload.layout.blob(descriptor);
    if (bytes === null) throw new Error(`the layout lacks ${descriptor.digest}`);
    await upload.target.putBlob(descriptor, bytes);
  }
}

async function uploadReferrers(
  upload: Upload,
  tag: string,
  tags: ReadonlySet<string>,
): Promise<void> {
  const { digest } = await manifestOf(upload, tag);
  if (tags.has(digest.replace(':', '-'))) return;
  const { descriptors } = await upload.layout.referrers(digest);
  for (const referrer of descriptors) {
    const stored = await manifestOf(upload, referrer.digest);
    await uploadContent(upload, stored);
    await upload.target.putManifest(stored);
  }
}
