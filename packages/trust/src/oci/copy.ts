import { TrustFault } from '../fault/fault.ts';
import { mapBounded } from './bounded.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { contentOf, type Manifest, parseManifest } from './manifest.ts';
import type { ArtifactSource, ArtifactTarget, CallOptions, StoredManifest } from './store.ts';

/** What is copied besides the artifact itself, and how. */
export interface CopyOptions extends CallOptions {
  /** The name that the artifact gets in the target; none: its digest only. */
  readonly tag?: string;
  /** Whether all referrers go along, and theirs. Default false. */
  readonly referrers?: boolean;
  /** Tags of the source that belong to a digest, such as cosign's; those that exist go along. */
  readonly companions?: (digest: Digest) => readonly string[];
  /** Blobs at the same time. Default 4. */
  readonly concurrency?: number;
  readonly onProgress?: (event: CopyEvent) => void;
}

/** One thing that was copied, or that the target had already. */
export interface CopyEvent {
  readonly what: 'manifest' | 'blob';
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly how: 'copied' | 'mounted' | 'present';
}

/** What a copy has done. */
export interface CopyResult {
  readonly digest: Digest;
  readonly manifests: number;
  readonly blobs: number;
  /** Companion tags that pointed to something else in the target before. */
  readonly replacedTags: readonly string[];
  /** Entries of referrers lists that could not be read, one sentence each. */
  readonly broken: readonly string[];
}

const CONCURRENCY = 4;
const WHOLE_BYTES = 1 << 20;
const MAX_MANIFESTS = 20_000;
const MAX_DEPTH = 16;

interface Copy {
  readonly source: ArtifactSource;
  readonly target: ArtifactTarget;
  readonly options: CopyOptions;
  readonly call: CallOptions;
  readonly manifests: Set<Digest>;
  readonly blobs: Set<Digest>;
  readonly replacedTags: string[];
  readonly broken: string[];
}

/**
 * Copies an artifact, deep: blobs before their manifest, children before their index, a subject
 * before its referrers, so that nothing in the target ever names what is not there. What the target
 * has is not sent again, and blobs are mounted within one registry. Bytes are passed on as they are.
 * Throws `content.missing` when the source lacks the artifact or a part of it.
 */
export async function copyArtifact(
  source: ArtifactSource,
  tagOrDigest: string,
  target: ArtifactTarget,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const copy: Copy = {
    source,
    target,
    options,
    call: options.signal === undefined ? {} : { signal: options.signal },
    manifests: new Set(),
    blobs: new Set(),
    replacedTags: [],
    broken: [],
  };
  const digest = await copyTree(copy, tagOrDigest, options.tag, 0);
  const { replacedTags, broken } = copy;
  return {
    digest,
    manifests: copy.manifests.size,
    blobs: copy.blobs.size,
    replacedTags,
    broken,
  };
}

async function copyTree(
  copy: Copy,
  tagOrDigest: string,
  tag: string | undefined,
  depth: number,
): Promise<Digest> {
  const stored = await copy.source.manifest(tagOrDigest, copy.call);
  if (stored === null) {
    throw new TrustFault(
      'content.missing',
      `${copy.source.name} has no ${tagOrDigest || 'artifact'}`,
    );
  }
  const isNew = !copy.manifests.has(stored.digest);
  if (isNew || tag !== undefined) await copyManifest(copy, stored, tag, depth);
  if (isNew) await copyCompany(copy, stored.digest, depth);
  return stored.digest;
}

async function copyManifest(
  copy: Copy,
  stored: StoredManifest,
  tag: string | undefined,
  depth: number,
): Promise<void> {
  bound(copy, depth);
  copy.manifests.add(stored.digest);
  const { target, call, options } = copy;
  const event = {
    what: 'manifest',
    digest: stored.digest,
    sizeBytes: stored.bytes.length,
  } as const;
  const manifest = parseManifest(stored);
  const present = await target.resolve(stored.digest, call);
  // By the contract of targets a manifest that is there has all that it names; its children's
  // referrers are still to be copied.
  if (manifest.kind === 'index') {
    for (const child of manifest.manifests)
      await copyTree(copy, child.digest, undefined, depth + 1);
  } else if (present === null) {
    await copyBlobs(copy, manifest);
  }
  if (present === null || tag !== undefined || manifest.subject !== undefined) {
    await target.putManifest(stored, { ...call, ...(tag === undefined ? {} : { tag }) });
  }
  options.onProgress?.({ ...event, how: present === null ? 'copied' : 'present' });
}

async function copyBlobs(copy: Copy, manifest: Manifest): Promise<void> {
  const wanted = new Map<Digest, Descriptor>();
  for (const blob of contentOf(manifest))
    if (!copy.blobs.has(blob.digest)) wanted.set(blob.digest, blob);
  await mapBounded([...wanted.values()], copy.options.concurrency ?? CONCURRENCY, (blob) =>
    copyBlob(copy, blob),
  );
}

async function copyBlob(copy: Copy, blob: Descriptor): Promise<void> {
  const { source, target, call, options } = copy;
  const report = (how: CopyEvent['how']): void => {
    copy.blobs.add(blob.digest);
    options.onProgress?.({ what: 'blob', digest: blob.digest, sizeBytes: blob.size, how });
  };
  if (await target.hasBlob(blob.digest, call)) return report('present');
  if (await target.mountBlob(blob.digest, source, call)) return report('mounted');
  const content =
    blob.size <= WHOLE_BYTES
      ? await source.blob(blob, { ...call, maxBytes: WHOLE_BYTES })
      : await source.blobStream(blob, call);
  if (content !== null) {
    await target.putBlob(blob, content, call);
    return report('copied');
  }
  // image-spec layer.md "Non-distributable Layers": their content need not be in any registry.
  if (/nondistributable|foreign/.test(blob.mediaType)) return;
  throw new TrustFault('content.missing', `${source.name} lacks ${blob.digest}, which is named`);
}

/** What lies beside a manifest: its referrers and the tags that belong to it. */
async function copyCompany(copy: Copy, digest: Digest, depth: number): Promise<void> {
  const { source, target, call, options } = copy;
  if (options.referrers === true) {
    const { descriptors, broken } = await source.referrers(digest, call);
    copy.broken.push(...broken);
    for (const referrer of descriptors) {
      if ((await source.resolve(referrer.digest, call)) === null) {
        copy.broken.push(`${referrer.digest} is listed for ${digest} but not there`);
      } else {
        await copyTree(copy, referrer.digest, undefined, depth + 1);
      }
    }
  }
  for (const tag of options.companions?.(digest) ?? []) {
    const found = await source.resolve(tag, call);
    if (found === null) continue;
    const before = await target.resolve(tag, call);
    if (before !== null && before.digest !== found.digest) copy.replacedTags.push(tag);
    await copyTree(copy, tag, tag, depth + 1);
  }
}

function bound(copy: Copy, depth: number): void {
  if (depth > MAX_DEPTH || copy.manifests.size >= MAX_MANIFESTS) {
    throw new TrustFault(
      'registry.limit',
      `${copy.source.name}: more than ${MAX_MANIFESTS} manifests or ${MAX_DEPTH} levels`,
    );
  }
}
