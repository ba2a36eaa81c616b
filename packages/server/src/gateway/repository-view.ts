import { TrustFault } from '@bulla/trust/fault/fault';
import { takeInventory } from '@bulla/trust/inventory';
import type { Attachment } from '@bulla/trust/inventory/attached';
import { mapBounded } from '@bulla/trust/oci/bounded';
import type { Digest } from '@bulla/trust/oci/digest';
import { hasRepository } from './ground.ts';
import { localSource } from './local-source.ts';
import { listsOf } from './manifests.ts';
import type { Place } from './place.ts';
import type { Gateway } from './service.ts';
import { isCompanionTag, readTagCell } from './tags.ts';

/** What is attached to an image; nothing of it is verified. */
export interface AttachedView {
  readonly digest: Digest;
  readonly kind: 'signature' | 'attestation' | 'other';
  /** Artifact type, predicate type or format, whichever says most. */
  readonly type: string;
}

/** The last pull of an image that was decided about. */
export interface LastDecision {
  readonly id: string;
  readonly outcome: string;
  readonly effect: string;
  readonly at: string;
}

/** Looks up the last decision about a digest of a canonical repository; null when there is none. */
export type FindLastDecision = (repository: string, digest: Digest) => Promise<LastDecision | null>;

/** A tag and what it leads to. */
export interface TagView {
  readonly tag: string;
  readonly digest: Digest;
  readonly mediaType: string | null;
  /** What the manifest lists, itself included; children count by their manifests. */
  readonly sizeBytes: number | null;
  readonly since: string | null;
  readonly lastDecision: LastDecision | null;
  readonly attached: readonly AttachedView[];
}

/** A page of a repository's tags. */
export interface RepositoryView {
  readonly name: string;
  /** `registry/repository`, by which policies match it (semantics 7). */
  readonly canonical: string;
  readonly tags: readonly TagView[];
  readonly next: string | null;
}

/** How long a digest stood under a tag, as far as it was seen. */
export interface TagPeriod {
  readonly digest: Digest;
  readonly from: string;
  /** Null while it stands there. */
  readonly until: string | null;
  /** Whether it came back after another. */
  readonly rollback: boolean;
}

const TAGS_PAGE = 25;
const TAGS_AT_ONCE = 4;

/**
 * A page of what is kept here of a repository, the tags of images with what is attached to them; of
 * an upstream what was pulled, without asking it. Throws `gateway.name-unknown`.
 */
export async function viewRepository(
  gateway: Gateway,
  place: Place,
  cursor: string | undefined,
  lastDecision: FindLastDecision,
): Promise<RepositoryView> {
  await requireRepository(gateway, place);
  const tags: string[] = [];
  let last = cursor;
  let more = true;
  while (more && tags.length <= TAGS_PAGE) {
    const page = await gateway.listTags(place.key, {
      n: TAGS_PAGE + 1,
      ...(last === undefined ? {} : { last }),
    });
    tags.push(...page.names.filter((tag) => !isCompanionTag(tag)));
    last = page.names.at(-1);
    more = page.more;
  }
  const shown = tags.slice(0, TAGS_PAGE);
  const views = await mapBounded(shown, TAGS_AT_ONCE, (tag) =>
    viewTag(gateway, place, tag, lastDecision),
  );
  return {
    name: place.name,
    canonical: place.canonical,
    tags: views.flat(),
    next: tags.length > TAGS_PAGE ? (shown.at(-1) ?? null) : null,
  };
}

async function requireRepository({ ground }: Gateway, place: Place): Promise<void> {
  if (await hasRepository(ground, place.key)) return;
  throw new TrustFault('gateway.name-unknown', `no repository ${place.name}`);
}

async function viewTag(
  { ground, ports }: Gateway,
  place: Place,
  tag: string,
  lastDecision: FindLastDecision,
): Promise<readonly TagView[]> {
  const digest = await readTagCell(ground, place.key, tag);
  // Deleted since it was listed.
  if (digest === null) return [];
  const content = await ground.contents.load(place.key, digest);
  const sightings = await ports.history.history(place.canonical, tag);
  const base = {
    tag,
    digest,
    since: sightings.find((one) => one.digest === digest)?.firstSeen.toISOString() ?? null,
    lastDecision: await lastDecision(place.canonical, digest),
  };
  // Of an upstream a tag may be known and its manifest not yet pulled.
  if (content === null) return [{ ...base, mediaType: null, sizeBytes: null, attached: [] }];
  const { attached } = await takeInventory(localSource(ground, place), digest, {
    children: false,
  });
  const lists = listsOf(content.bytes, content.record.mediaType);
  return [
    {
      ...base,
      mediaType: content.record.mediaType,
      sizeBytes: lists.reduce((sum, one) => sum + one.size, content.bytes.length),
      attached: attached.map(attachedView),
    },
  ];
}

function attachedView(one: Attachment): AttachedView {
  const { digest, kind, artifactType, predicateTypes, format } = one;
  const type = predicateTypes[0] ?? artifactType ?? format ?? 'unknown';
  return { digest, kind: kind === 'signature' || kind === 'attestation' ? kind : 'other', type };
}

/** What a tag led to, newest first. Throws `gateway.name-unknown`. */
export async function viewTagHistory(
  gateway: Gateway,
  place: Place,
  tag: string,
): Promise<readonly TagPeriod[]> {
  await requireRepository(gateway, place);
  const current = await readTagCell(gateway.ground, place.key, tag);
  const sightings = await gateway.ports.history.history(place.canonical, tag);
  return sightings.map(({ digest, firstSeen, lastSeen }, index) => {
    const newer = sightings[index - 1];
    return {
      digest,
      from: firstSeen.toISOString(),
      until: digest === current ? null : lastSeen.toISOString(),
      rollback: newer !== undefined && lastSeen >= newer.firstSeen,
    };
  });
}
