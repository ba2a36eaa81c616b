import { TrustFault } from './fault/fault.ts';
import {
  type Attachment,
  countVisit,
  fetchListed,
  PARALLEL,
  readAttached,
  readable,
  type Walk,
} from './inventory/attached.ts';
import { type BuildClaim, isBuildClaim, readBuildClaim } from './inventory/build-claim.ts';
import { mapBounded } from './oci/bounded.ts';
import type { Descriptor } from './oci/descriptor.ts';
import type { Digest } from './oci/digest.ts';
import { artifactTypeOf, type Manifest, parseManifest } from './oci/manifest.ts';
import type { ArtifactSource, CallOptions, Referrers, StoredManifest } from './oci/store.ts';

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

interface NodeWalk extends Walk {
  readonly source: ArtifactSource;
  readonly withChildren: boolean;
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
  const walk: NodeWalk = {
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
  walk: NodeWalk,
  stored: StoredManifest,
  entry: Descriptor | null,
  depth: number,
): Promise<ArtifactNode> {
  countVisit(walk, stored.digest);
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

async function readChildren(walk: NodeWalk, manifest: Manifest, depth: number): Promise<Below> {
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
    const stored = await fetchListed(walk.source, entry, walk.call);
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

function platformOf({ platform }: Descriptor): string | null {
  if (platform === undefined) return null;
  const { os, architecture, variant } = platform;
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/');
}
