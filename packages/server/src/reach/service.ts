import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import { type NameAlias, nameReader } from '@bulla/trust/policy/names';
import type { PolicySet, ReadyPolicy } from '@bulla/trust/policy/policy-set';
import type { Answered, Ask, Decide, Refuse, Resolved } from '../decision/ask.ts';
import type { InForce } from '../decision/policies.ts';
import type { RegistryConnection } from '../registries/connection.ts';
import { accessNamer } from './credentials.ts';
import { namedHosts } from './hosts.ts';
import { inTime } from './in-time.ts';
import { type Located, type LocateParts, locate, ownPlace } from './locate.ts';
import { type ImageName, namesDigest, pinTo, readImageName } from './name.ts';
import type { FindOwn, OwnPlace, TagMemory } from './ports.ts';
import type { AskAboutImage, Reached, ReachQuestion } from './question.ts';
import { type ResolveParts, resolveOnce, rollbackOf } from './resolve.ts';
import { closedSource, type OpenWhere, sourceOpener } from './sources.ts';
import { strictest } from './tag-rules.ts';
import { tagResolver } from './tags.ts';

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
}

/** Answers `AskAboutImage` as `question.ts` has it. Nothing is sent before the first question. */
export function createReach(parts: ReachParts): AskAboutImage {
  const mirrors = parts.aliases.map(({ from }) => from.split('/', 1)[0] ?? from);
  const room: Room = {
    parts,
    readName: nameReader(parts.aliases),
    located: {
      own: parts.own,
      connections: parts.connections,
      isNamed: namedHosts([...parts.connections.keys(), ...mirrors]),
      nameAccess: accessNamer(),
    },
    open: sourceOpener(),
    resolving: {
      memory: parts.memory,
      clock: parts.clock,
      resolveTag: tagResolver({
        freshMs: parts.tagFreshMs,
        deadlineMs: parts.tagDeadlineMs,
        clock: parts.clock,
      }),
    },
  };
  return async (question) => {
    const name = nameOrFault(room, question.reference);
    if (name instanceof TrustFault) return refused(parts, question, name);
    return askAbout(room, name, question);
  };
}

interface Room {
  readonly parts: ReachParts;
  readonly readName: ReturnType<typeof nameReader>;
  readonly located: LocateParts;
  readonly open: OpenWhere;
  readonly resolving: ResolveParts;
}

function nameOrFault({ readName }: Room, text: string): ImageName | TrustFault {
  try {
    return readImageName(text, readName);
  } catch (error) {
    const fault = asFault(error);
    if (fault.code !== 'reference.malformed') throw fault;
    return fault;
  }
}

async function refused(
  { refuse }: ReachParts,
  question: ReachQuestion,
  fault: TrustFault,
): Promise<Reached> {
  const { decision, cache } = await refuse(question, fault);
  const byDigest = namesDigest(question.reference);
  return { decision, cache, pinned: null, byDigest, tags: 'pin', enforcedTags: null };
}

async function askAbout(room: Room, name: ImageName, question: ReachQuestion): Promise<Reached> {
  const { parts } = room;
  const place = ownPlace(room.located, name);
  const { registry, repository } = name.canonical;
  const canonical = place?.canonical ?? `${registry}/${repository}`;
  const { set } = parts.inForce();
  const covering = set === null ? [] : coveringOf(set, parts, question, canonical);
  const located = locatedOr(room, name, place, question, covering.length > 0 ? set : null);
  const source = sourceOf(room, located, canonical);
  const asked: Asked = { name, canonical, located, question, source };
  const { decision, cache } = await answerInTime(room, asked);
  const { digest } = decision;
  const enforcing = covering.filter(({ document }) => document.mode === 'enforce');
  return {
    decision,
    cache,
    pinned: digest === null ? null : pinTo(question.reference, digest),
    byDigest: name.digest !== null,
    tags: strictest(covering) ?? 'pin',
    enforcedTags: strictest(enforcing),
  };
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

function coveringOf(
  { policies }: PolicySet,
  { environment }: ReachParts,
  { surface, namespace }: ReachQuestion,
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
    ...(signal === undefined ? {} : { signal }),
  };
}

function sourceOf({ open }: Room, located: Located, canonical: string): ArtifactSource {
  switch (located.kind) {
    case 'own':
      return located.place.source;
    case 'registry':
      return { ...open(located.where), name: canonical };
    case 'unnamed':
      return closedSource(canonical, located.fault);
    default:
      return located satisfies never;
  }
}
