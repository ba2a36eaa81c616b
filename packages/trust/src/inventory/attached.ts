import { codeEntry } from '../fault/codes.ts';
import { asFault, TrustFault } from '../fault/fault.ts';
import { companionTags, parseCompanionTag } from '../formats/cosign-legacy/layer.ts';
import { mapBounded } from '../oci/bounded.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import type { ArtifactSource, CallOptions, Referrers, StoredManifest } from '../oci/store.ts';
import {
  type AttachedContent,
  type AttachmentKind,
  kindOf,
  readLegacy,
  readReferrer,
} from './attachment.ts';

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

const MAX_ATTACHED_DEPTH = 4;
const MAX_NODES = 10_000;

/** So many manifests are read at a time. */
export const PARALLEL = 8;

/** One inventory under way. */
export interface Walk {
  /** Where evidence lies. */
  readonly evidence: ArtifactSource;
  readonly call: CallOptions;
  readonly seen: Set<Digest>;
  /** Manifests that were read, the same one twice counted twice. */
  visits: number;
}

/** What is attached to one manifest, and the way by which referrers were found. */
export interface Attached {
  readonly attached: readonly Attachment[];
  readonly by: Referrers['by'];
  readonly problems: readonly string[];
}

/** Everything that is attached to `subject`; `depth` counts referrers of referrers. */
export async function readAttached(walk: Walk, subject: Digest, depth: number): Promise<Attached> {
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
  const stored = await fetchListed(walk.evidence, entry, walk.call);
  if (typeof stored === 'string') return stored;
  const manifest = readable(() => parseManifest(stored));
  if (typeof manifest === 'string') return `${entry.digest}: ${manifest}`;
  if (manifest.subject?.digest !== subject) {
    return `${entry.digest} is listed as a referrer of ${subject} and is about something else`;
  }
  const isNew = !walk.seen.has(entry.digest);
  countVisit(walk, entry.digest);
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

/** The manifest that an entry leads to, or why it cannot be had. */
export async function fetchListed(
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

/** What `read` makes, or why it cannot. */
export function readable<T>(read: () => T): T | string {
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

/** Counts a manifest that was read. Throws `registry.limit` above 10,000. */
export function countVisit(walk: Walk, digest: Digest): void {
  walk.seen.add(digest);
  walk.visits += 1;
  if (walk.visits > MAX_NODES) {
    throw new TrustFault(
      'registry.limit',
      `${walk.evidence.name}: more than ${MAX_NODES} manifests`,
    );
  }
}
