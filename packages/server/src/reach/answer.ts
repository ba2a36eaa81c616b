import { TrustFault } from '@bulla/trust/fault/fault';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { NameAlias, nameReader } from '@bulla/trust/policy/names';
import type { PolicySet, ReadyPolicy } from '@bulla/trust/policy/policy-set';
import type { Answered, Ask, Decide, Refuse, Resolved } from '../decision/ask.ts';
import type { InForce } from '../decision/policies.ts';
import type { RegistryConnection } from '../registries/connection.ts';
import { inTime } from './in-time.ts';
import { type Located, type LocateParts, locate, ownPlace } from './locate.ts';
import { type ImageName, namesDigest, pinTo } from './name.ts';
import type { SeenNamespaces } from './namespaces.ts';
import { isOften, type Often } from './often.ts';
import type { FindOwn, OwnPlace, TagMemory } from './ports.ts';
import type { Reached, ReachQuestion } from './question.ts';
import { type ResolveParts, resolveOnce, rollbackOf } from './resolve.ts';
import { closedSource, type OpenWhere } from './sources.ts';
import { strictest } from './tag-rules.ts';

/** What questions about images are answered with. */
export interface ReachParts {
  readonly decide: Decide;
  readonly refuse: Refuse;
  readonly inForce: () => InForce;
  /** Which tier this server serves, for policies that name some. */
  readonly environment: string | null;
  readonly aliases: readonly NameAlias[];
  readonly own: FindOwn;
  /** How the registries of the configuration are reached, by their canonical hosts. */
  readonly connections: ReadonlyMap<string, RegistryConnection>;
  readonly memory: TagMemory;
  /** How old an answer about a tag may be, and how long one is waited for, in milliseconds. */
  readonly tagFreshMs: number;
  readonly tagDeadlineMs: number;
  readonly clock: () => Date;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** What questions are answered with. */
export interface Room {
  readonly parts: ReachParts;
  readonly seen: SeenNamespaces;
  readonly often: Often;
  readonly readName: ReturnType<typeof nameReader>;
  readonly located: LocateParts;
  readonly open: OpenWhere;
  /** Put before each source that is asked. */
  readonly view: (source: ArtifactSource) => ArtifactSource;
  readonly resolving: ResolveParts;
}

/** The answer to what is no reference. */
export async function refused(
  { refuse }: Pick<ReachParts, 'refuse'>,
  question: ReachQuestion,
  fault: TrustFault,
): Promise<Reached> {
  const { decision, cache } = await refuse(question, fault);
  const byDigest = namesDigest(question.reference);
  return { decision, cache, pinned: null, byDigest, tags: 'pin', enforcedTags: null };
}

/** The answer about an image whose name was read. */
export async function askAbout(
  room: Room,
  name: ImageName,
  question: ReachQuestion,
): Promise<Reached> {
  const { parts } = room;
  const place = ownPlace(room.located, name);
  const canonical = canonicalOf(name, place);
  const { set } = parts.inForce();
  const covering = set === null ? [] : coveringOf(set, parts, question, canonical);
  const located = locatedOr(room, name, place, question, covering.length > 0 ? set : null);
  if (covering.length > 0) room.seen.note(canonical, question);
  const source = sourceOf(room, located, canonical);
  const asked: Asked = { name, canonical, located, question, source };
  const answered = await answerInTime(room, asked);
  const { decision, cache } = answered;
  const { digest } = decision;
  const enforcing = covering.filter(({ document }) => document.mode === 'enforce');
  const reached: Reached = {
    decision,
    cache,
    pinned: digest === null ? null : pinTo(question.reference, digest),
    byDigest: name.digest !== null,
    tags: strictest(covering) ?? 'pin',
    enforcedTags: strictest(enforcing),
  };
  room.often.remember(question, { reached, answered, repository: canonical });
  return reached;
}

/** By which policies match: that of the place where it has one (semantics 7). */
export function canonicalOf(
  { canonical: { registry, repository } }: ImageName,
  place: OwnPlace | null,
): string {
  return place?.canonical ?? `${registry}/${repository}`;
}

/** What no policy covers is asked for nowhere (semantics 19). */
function locatedOr(
  { located }: Room,
  name: ImageName,
  place: OwnPlace | null,
  { credentials }: ReachQuestion,
  set: PolicySet | null,
): Located {
  if (set !== null) return locate(located, name, place, credentials, set);
  const says = 'no policy covers the image, so its registry was not asked';
  return { kind: 'unnamed', fault: new TrustFault('policy.no-match', says) };
}

/** The policies that a question about the repository is decided by. */
export function coveringOf(
  { policies }: PolicySet,
  { environment }: Pick<ReachParts, 'environment'>,
  { surface, namespace }: Pick<ReachQuestion, 'surface' | 'namespace'>,
  repository: string,
): readonly ReadyPolicy[] {
  return policies.filter((policy) =>
    policy.covers({ repository, surface, namespace, environment }),
  );
}

interface Asked {
  readonly name: ImageName;
  /** By which policies match. */
  readonly canonical: string;
  readonly located: Located;
  readonly question: ReachQuestion;
  readonly source: ArtifactSource;
}

/**
 * The answer, or by the end of the asker's time a refusal that says so. What was begun goes on: it is
 * recorded and cached as any, so that the one who asks again finds it.
 */
function answerInTime(room: Room, asked: Asked): Promise<Answered> {
  return inTime(decideOn(room, asked), asked.question.signal, () => {
    const says = 'no decision in the time that the door had';
    const problem = new TrustFault('decision.timeout', says);
    return room.parts.decide(askOf(asked, { problem, remembered: asked.name.digest }));
  });
}

async function decideOn(room: Room, asked: Asked): Promise<Answered> {
  const { parts, resolving } = room;
  const { located, name, question, canonical, source } = asked;
  const { tag, digest } = name;
  if (digest !== null) {
    const parents = located.kind === 'own' ? await located.place.parents(digest) : [];
    return parts.decide({ ...askOf(asked, { digest }), parents });
  }
  const tagName = { repository: canonical, tag };
  const resolve = { located, name: tagName, source, dryRun: question.dryRun };
  const resolved = await resolveOnce(resolving, resolve);
  const ask = askOf(asked, resolved);
  if (!('digest' in resolved)) return parts.decide(ask);
  const rollback = await rollbackOf(resolving, resolve, resolved.digest);
  return parts.decide({ ...ask, rollback });
}

function askOf({ name, canonical, located, question, source }: Asked, resolved: Resolved): Ask {
  const { reference, surface, namespace, actor, request, dryRun, signal } = question;
  return {
    reference,
    repository: canonical,
    tag: name.tag,
    resolved,
    parents: [],
    rollback: null,
    source,
    surface,
    namespace,
    actor,
    request,
    dryRun,
    access: located.kind === 'registry' ? located.where.access : null,
    often: isOften(question),
    ...(signal === undefined ? {} : { signal }),
  };
}

function sourceOf({ open, view }: Room, located: Located, canonical: string): ArtifactSource {
  switch (located.kind) {
    case 'own':
      return view(located.place.source);
    case 'registry':
      return view({ ...open(located.where), name: canonical });
    case 'unnamed':
      return closedSource(canonical, located.fault);
    default:
      return located satisfies never;
  }
}
