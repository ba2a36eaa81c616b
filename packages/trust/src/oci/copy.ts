import { TrustFault } from '../fault/fault.ts';
import { mapBounded } from './bounded.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { contentOf, parseManifest } from './manifest.ts';
import type { ArtifactSource, ArtifactTarget, CallOptions, StoredManifest } from './store.ts';

/** What is copied besides the artifact itself, and how. */
export interface CopyOptions extends CallOptions {
  /** The name that the artifact gets in the target; none: its digest only. */
  readonly tag?: string;
  /** Whether all referrers go along, and theirs. Default false. */
  readonly referrers?: boolean;
  /** Tags that belong to a digest, such as cosign's; those that exist go along. */
  readonly companions?: Companions;
  /** Another repository whose referrers and companion tags of the copied digests go along too. */
  readonly evidence?: ArtifactSource;
  /** Blobs at the same time. Default 4. */
  readonly concurrency?: number;
  readonly onProgress?: (event: CopyEvent) => void;
}

/** Tags that belong to a digest, and what becomes of one that source and target both have. */
export interface Companions {
  readonly tags: (digest: Digest) => readonly string[];
  /**
   * Adds what `added` holds to what the target has under `tag`, and loses nothing of either; the
   * content that `added` names is in the target. `kept`: the target had all of it; `replace`: tags
   * of this kind are not joined, and the copied one takes the place. Throws when both cannot be kept.
   */
  readonly join: (
    target: ArtifactTarget,
    tag: string,
    added: StoredManifest,
    options: CallOptions,
  ) => Promise<'kept' | 'joined' | 'replace'>;
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
  /** Companion tags under which the target now has its own content and the copied. */
  readonly joinedTags: readonly string[];
  /** Entries of referrers lists that could not be read, one sentence each. */
  readonly broken: readonly string[];
}

const CONCURRENCY = 4;
const WHOLE_BYTES = 1 << 20;
const MAX_MANIFESTS = 20_000;
const MAX_DEPTH = 16;

interface Copy {
  readonly target: ArtifactTarget;
  readonly options: CopyOptions;
  /** Where evidence is looked for, the artifact's own repository first. */
  readonly evidence: readonly ArtifactSource[];
  readonly call: CallOptions;
  readonly manifests: Set<Digest>;
  readonly blobs: Set<Digest>;
  readonly replacedTags: string[];
  readonly joinedTags: string[];
  readonly broken: string[];
}

/**
 * Copies an artifact, deep: blobs before their manifest, children before their index, a subject
 * before its referrers, so that nothing in the target ever names what is not there. What the target
 * has is not sent again, and blobs are mounted within one registry. Bytes are passed on as they are,
 * but for companion tags that the target has as well, which are joined. Throws `content.missing`
 * when the source lacks the artifact or a part of it, `registry.cancelled` when it is given up.
 */
export async function copyArtifact(
  source: ArtifactSource,
  tagOrDigest: string,
  target: ArtifactTarget,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const copy: Copy = {
    target,
    options,
    evidence: options.evidence === undefined ? [source] : [source, options.evidence],
    call: options.signal === undefined ? {} : { signal: options.signal },
    manifests: new Set(),
    blobs: new Set(),
    replacedTags: [],
    joinedTags: [],
    broken: [],
  };
  const digest = await copyTree(copy, source, tagOrDigest, options.tag, 0);
  const { replacedTags, joinedTags, broken } = copy;
  return {
    digest,
    manifests: copy.manifests.size,
    blobs: copy.blobs.size,
    replacedTags,
    joinedTags,
    broken,
  };
}

async function copyTree(
  copy: Copy,
  source: ArtifactSource,
  tagOrDigest: string,
  tag: string | undefined,
  depth: number,
): Promise<Digest> {
  goOn(copy);
  const stored = await source.manifest(tagOrDigest, copy.call);
  if (stored === null) {
    throw new TrustFault('content.missing', `${source.name} has no ${tagOrDigest || 'artifact'}`);
  }
  const isNew = !copy.manifests.has(stored.digest);
  if (isNew || tag !== undefined) await copyManifest(copy, source, stored, tag, depth);
  if (isNew) await copyCompany(copy, stored.digest, depth);
  return stored.digest;
}

async function copyManifest(
  copy: Copy,
  source: ArtifactSource,
  stored: StoredManifest,
  tag: string | undefined,
  depth: number,
): Promise<void> {
  bound(copy, source, depth);
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
      await copyTree(copy, source, child.digest, undefined, depth + 1);
  } else if (present === null) {
    await copyBlobs(copy, source, contentOf(manifest));
  }
  if (present === null || tag !== undefined || manifest.subject !== undefined) {
    await target.putManifest(stored, { ...call, ...(tag === undefined ? {} : { tag }) });
  }
  options.onProgress?.({ ...event, how: present === null ? 'copied' : 'present' });
}

async function copyBlobs(
  copy: Copy,
  source: ArtifactSource,
  blobs: readonly Descriptor[],
): Promise<void> {
  const wanted = new Map<Digest, Descriptor>();
  for (const blob of blobs) if (!copy.blobs.has(blob.digest)) wanted.set(blob.digest, blob);
  await mapBounded([...wanted.values()], copy.options.concurrency ?? CONCURRENCY, (blob) =>
    copyBlob(copy, source, blob),
  );
}

async function copyBlob(copy: Copy, source: ArtifactSource, blob: Descriptor): Promise<void> {
  goOn(copy);
  const { target, call, options } = copy;
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
    await target.putBlob(
      blob,
      content instanceof Uint8Array ? content : going(copy, content),
      call,
    );
    return report('copied');
  }
  // image-spec layer.md "Non-distributable Layers": their content need not be in any registry.
  if (/nondistributable|foreign/.test(blob.mediaType)) return;
  throw new TrustFault('content.missing', `${source.name} lacks ${blob.digest}, which is named`);
}

/** What lies beside a manifest: its referrers and the tags that belong to it. */
async function copyCompany(copy: Copy, digest: Digest, depth: number): Promise<void> {
  for (const source of copy.evidence) {
    if (copy.options.referrers === true) await copyReferrers(copy, source, digest, depth);
    for (const tag of copy.options.companions?.tags(digest) ?? []) {
      await copyCompanion(copy, source, tag, depth);
    }
  }
}

async function copyReferrers(
  copy: Copy,
  source: ArtifactSource,
  digest: Digest,
  depth: number,
): Promise<void> {
  const { descriptors, broken } = await source.referrers(digest, copy.call);
  copy.broken.push(...broken);
  for (const referrer of descriptors) {
    if ((await source.resolve(referrer.digest, copy.call)) === null) {
      copy.broken.push(`${referrer.digest} is listed for ${digest} but not there`);
    } else {
      await copyTree(copy, source, referrer.digest, undefined, depth + 1);
    }
  }
}

async function copyCompanion(
  copy: Copy,
  source: ArtifactSource,
  tag: string,
  depth: number,
): Promise<void> {
  const { target, call, options } = copy;
  const found = await source.manifest(tag, call);
  if (found === null) return;
  const before = await target.resolve(tag, call);
  if (before !== null && before.digest !== found.digest) {
    const manifest = parseManifest(found);
    // Signatures of others in the target are not the source's to replace.
    if (manifest.kind === 'image') await copyBlobs(copy, source, contentOf(manifest));
    const outcome = await options.companions?.join(target, tag, found, call);
    if (outcome === 'joined') copy.joinedTags.push(tag);
    if (outcome !== 'replace') return;
    copy.replacedTags.push(tag);
  }
  await copyTree(copy, source, found.digest, tag, depth + 1);
}

function bound(copy: Copy, source: ArtifactSource, depth: number): void {
  if (depth > MAX_DEPTH || copy.manifests.size >= MAX_MANIFESTS) {
    throw new TrustFault(
      'registry.limit',
      `${source.name}: more than ${MAX_MANIFESTS} manifests or ${MAX_DEPTH} levels`,
    );
  }
}

/** A layout's reads and writes do not look at the signal: between two of them this does. */
function goOn({ call }: Copy): void {
  if (call.signal?.aborted === true) {
    throw new TrustFault('registry.cancelled', 'the copy was given up');
  }
}

async function* going(copy: Copy, content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    goOn(copy);
    yield chunk;
  }
}
