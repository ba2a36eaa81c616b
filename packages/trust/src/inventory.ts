import { codeEntry } from './fault/codes.ts';
import { asFault, TrustFault } from './fault/fault.ts';
import { companionTags, parseCompanionTag } from './formats/cosign-legacy/layer.ts';
import {
  type AttachedContent,
  type AttachmentKind,
  kindOf,
  readLegacy,
  readReferrer,
} from './inventory/attachment.ts';
import { type BuildClaim, isBuildClaim, readBuildClaim } from './inventory/build-claim.ts';
import { mapBounded } from './oci/bounded.ts';
import type { Descriptor } from './oci/descriptor.ts';
import type { Digest } from './oci/digest.ts';
import { artifactTypeOf, type Manifest, parseManifest } from './oci/manifest.ts';
import type { ArtifactSource, CallOptions, Referrers, StoredManifest } from './oci/store.ts';

export type { AttachmentKind } from './inventory/attachment.ts';

/** One thing that is attached to an artifact. Nothing of it is verified. */
export interface Attachment extends AttachedContent {
  /** Digest of the manifest that holds it. */
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** The companion tag (`sha256-….sig`) under which it lies; null for a referrer. */
  readonly tag: string | null;
  /** Why it could not be read; null when it could. */
  readonly problem: string | null;
  /** What is attached to it in its turn. */
  readonly attached: readonly Attachment[];
}

/** An artifact, its children, and everything that is attached to each of them. */
export interface ArtifactNode {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly kind: 'image' | 'index' | 'unreadable';
  /** The type that the artifact gives itself, null when it gives none. */
  readonly artifactType: string | null;
  /** `os/architecture[/variant]` as the index says it; null for the artifact that was named. */
  readonly platform: string | null;
  readonly children: readonly ArtifactNode[];
  /** buildx attestation manifests of the index: claims that only the index's signature covers. */
  readonly claims: readonly BuildClaim[];
  readonly attached: readonly Attachment[];
  /** The way by which referrers were looked for. */
  readonly referrersBy: Referrers['by'];
  /** What could not be read, one sentence each. */
  readonly problems: readonly string[];
}

/** How an inventory is taken. */
export interface InventoryOptions extends CallOptions {
  /** Another repository that holds the evidence (cosign's `COSIGN_REPOSITORY`). */
  readonly evidenceSource?: ArtifactSource;
  /** Whether children of an index are looked at as well. Default true. */
  readonly children?: boolean;
}

const MAX_CHILDREN_DEPTH = 4;
const MAX_ATTACHED_DEPTH = 4;
const MAX_NODES = 10_000;
const PARALLEL = 8;

interface Walk {
  readonly source: ArtifactSource;
  readonly evidence: ArtifactSource;
  readonly call: CallOptions;
  readonly withChildren: boolean;
  readonly seen: Set<Digest>;
  /** Manifests that were read, the same one twice counted twice. */
  visits: number;
}

/**
 * Everything that is attached to an artifact and its children: referrers of any kind and theirs,
 * cosign's companion tags, buildx attestation manifests. A referrer counts only when its own
 * `subject` is the artifact. What cannot be read is named where it stands. Throws
 * `artifact.not-found`, `registry.limit` above 10,000 nodes, and what the source throws for outages.
 */
export async function takeInventory(
  source: ArtifactSource,
  tagOrDigest: string,
  options: InventoryOptions = {},
): Promise<ArtifactNode> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const stored = await source.manifest(tagOrDigest, call);
  if (stored === null) {
    throw new TrustFault(
      'artifact.not-found',
      `${source.name} has no ${tagOrDigest || 'artifact'}`,
    );
  }
  const walk: Walk = {
    source,
    evidence: options.evidenceSource ?? source,
    call,
    withChildren: options.children ?? true,
    seen: new Set(),
    visits: 0,
  };
  return readNode(walk, stored, null, 0);
}

async function readNode(
  walk: Walk,
  stored: StoredManifest,
  entry: Descriptor | null,
  depth: number,
): Promise<ArtifactNode> {
  count(walk, stored.digest);
  const manifest = readable(() => parseManifest(stored));
  const { attached, by, problems } = await readAttached(walk, stored.digest, 0);
  const base = {
    digest: stored.digest,
    mediaType: stored.mediaType,
    sizeBytes: stored.bytes.length,
    platform: entry === null ? null : platformOf(entry),
    attached,
    referrersBy: by,
  };
  if (typeof manifest === 'string') {
    const unreadable = {
      kind: 'unreadable',
      artifactType: null,
      children: [],
      claims: [],
    } as const;
    return { ...base, ...unreadable, problems: [manifest, ...problems] };
  }
  const below = await readChildren(walk, manifest, depth);
  return {
    ...base,
    kind: manifest.kind,
    artifactType: ownType(manifest),
    children: below.children,
    claims: below.claims,
    problems: [...below.problems, ...problems],
  };
}

/** An image's config type says nothing; another artifact's does. */
function ownType(manifest: Manifest): string | null {
  const type = artifactTypeOf(manifest) ?? null;
  return type !== null && /container\.image|oci\.image\.config/.test(type) ? null : type;
}

interface Below {
  readonly children: readonly ArtifactNode[];
  readonly claims: readonly BuildClaim[];
  readonly problems: readonly string[];
}

async function readChildren(walk: Walk, manifest: Manifest, depth: number): Promise<Below> {
  if (manifest.kind === 'image') return { children: [], claims: [], problems: [] };
  const problems: string[] = [];
  const claims: BuildClaim[] = [];
  const children: ArtifactNode[] = [];
  const tooDeep = depth >= MAX_CHILDREN_DEPTH;
  if (tooDeep) problems.push(`the index nests deeper than ${MAX_CHILDREN_DEPTH} levels`);
  await mapBounded(manifest.manifests, PARALLEL, async (entry) => {
    if (isBuildClaim(entry)) {
      claims.push(await readBuildClaim(walk.source, entry, walk.call));
      return;
    }
    if (!walk.withChildren || tooDeep) return;
    const stored = await fetch(walk.source, entry, walk.call);
    if (typeof stored === 'string') problems.push(stored);
    else children.push(await readNode(walk, stored, entry, depth + 1));
  });
  return { children: inOrder(children, manifest.manifests), claims, problems };
}

/** Children finish in any order; people expect that of the index. */
function inOrder(
  nodes: readonly ArtifactNode[],
  entries: readonly Descriptor[],
): readonly ArtifactNode[] {
  const places = new Map(entries.map(({ digest }, index) => [digest, index]));
  return nodes.toSorted((a, b) => (places.get(a.digest) ?? 0) - (places.get(b.digest) ?? 0));
}

interface Attached {
  readonly attached: readonly Attachment[];
  readonly by: Referrers['by'];
  readonly problems: readonly string[];
}

async function readAttached(walk: Walk, subject: Digest, depth: number): Promise<Attached> {
  const problems: string[] = [];
  const { descriptors, by, broken } = await walk.evidence.referrers(subject, walk.call);
  problems.push(...broken);
  const referrers = await mapBounded(descriptors, PARALLEL, (entry) =>
    readListed(walk, subject, entry, depth),
  );
  const companions = await mapBounded(companionTags(subject), PARALLEL, (tag) =>
    readCompanion(walk, tag),
  );
  const attached: Attachment[] = [];
  for (const found of [...referrers, ...companions]) {
    if (typeof found === 'string') problems.push(found);
    else if (found !== null) attached.push(found);
  }
  return { attached: attached.toSorted(byKind), by, problems };
}

const ORDER: readonly AttachmentKind[] = ['signature', 'attestation', 'sbom', 'referrer'];

function byKind(a: Attachment, b: Attachment): number {
  return ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.digest < b.digest ? -1 : 1);
}

/** A referrer of a list, or why it is none. */
async function readListed(
  walk: Walk,
  subject: Digest,
  entry: Descriptor,
  depth: number,
): Promise<Attachment | string> {
  const stored = await fetch(walk.evidence, entry, walk.call);
  if (typeof stored === 'string') return stored;
  const manifest = readable(() => parseManifest(stored));
  if (typeof manifest === 'string') return `${entry.digest}: ${manifest}`;
  if (manifest.subject?.digest !== subject) {
    return `${entry.digest} is listed as a referrer of ${subject} and is about something else`;
  }
  const isNew = !walk.seen.has(entry.digest);
  count(walk, entry.digest);
  const content = await readReferrer(walk.evidence, manifest, walk.call);
  const deeper =
    isNew && depth < MAX_ATTACHED_DEPTH ? await readAttached(walk, entry.digest, depth + 1) : null;
  return {
    ...content,
    digest: entry.digest,
    sizeBytes: stored.bytes.length,
    tag: null,
    problem: deeper?.problems[0] ?? null,
    attached: deeper?.attached ?? [],
  };
}

async function readCompanion(walk: Walk, tag: string): Promise<Attachment | string | null> {
  const stored = await walk.evidence.manifest(tag, walk.call);
  if (stored === null) return null;
  const kind = kindOf(parseCompanionTag(tag)?.kind ?? '');
  const base = { digest: stored.digest, sizeBytes: stored.bytes.length, tag, attached: [] };
  const manifest = readable(() => parseManifest(stored));
  if (typeof manifest === 'string') {
    const nothing = { format: null, artifactType: null, predicateTypes: [], count: 0 };
    return { ...base, ...nothing, kind, problem: manifest };
  }
  return {
    ...base,
    ...(await readLegacy(walk.evidence, manifest, kind, walk.call)),
    problem: manifest.kind === 'index' ? 'an index, and no signature manifest' : null,
  };
}

async function fetch(
  source: ArtifactSource,
  entry: Descriptor,
  call: CallOptions,
): Promise<StoredManifest | string> {
  try {
    const stored = await source.manifest(entry.digest, call);
    return stored ?? `${entry.digest} is listed and not there`;
  } catch (error) {
    return reasonOf(error);
  }
}

function readable<T>(read: () => T): T | string {
  try {
    return read();
  } catch (error) {
    return reasonOf(error);
  }
}

/** What its publisher wrote is named where it stands; an outage ends the inventory. */
function reasonOf(error: unknown): string {
  const fault = asFault(error);
  if (codeEntry(fault.code).exit !== 1) throw fault;
  return fault.message;
}

function platformOf({ platform }: Descriptor): string | null {
  if (platform === undefined) return null;
  const { os, architecture, variant } = platform;
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

function count(walk: Walk, digest: Digest): void {
  walk.seen.add(digest);
  walk.visits += 1;
  if (walk.visits > MAX_NODES) {
    throw new TrustFault('registry.limit', `${walk.source.name}: more than ${MAX_NODES} manifests`);
  }
}
