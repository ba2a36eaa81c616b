import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import { nameReader } from '@bulla/trust/policy/names';
import {
  askAbout,
  canonicalOf,
  coveringOf,
  type ReachParts,
  type Room,
  refused,
} from './answer.ts';
import { snapshot } from './content.ts';
import { accessNamer } from './credentials.ts';
import { namedHosts } from './hosts.ts';
import { ownPlace } from './locate.ts';
import { type ImageName, readImageName } from './name.ts';
import { seenNamespaces, soonAsking } from './namespaces.ts';
import { openOften } from './often.ts';
import type { AskAboutImage, AskAgain, Reached, ReachQuestion } from './question.ts';
import { sourceOpener } from './sources.ts';
import { type ResolveTag, tagResolver } from './tags.ts';

/** Questions about images, and what a push lets one do ahead of them. */
export interface ReachService {
  /** As `question.ts` has it. Nothing is sent before the first question. */
  readonly ask: AskAboutImage;
  /**
   * The answer that the same question by the same asker had a moment ago, given once more and counted,
   * without a wait; null where it has to be asked. A tag's is as fresh as the configuration wants
   * tags, and at most a second older.
   */
  readonly again: AskAgain;
  /** The canonical `registry/repository` of a reference; null for what is none. */
  canonicalOf(reference: string): string | null;
  /**
   * Asks the question for each namespace from which it may come soon, and the registry for all of them
   * as for one: so the same question finds its answer in the cache, and evidence at hand where another
   * namespace asks. Answers what came of it, by namespace.
   */
  prepare(
    question: Omit<ReachQuestion, 'namespace'>,
    namespaces: readonly string[],
  ): Promise<readonly Prepared[]>;
}

/** What was decided ahead for one namespace; null: for a question that names none. */
export interface Prepared {
  readonly namespace: string | null;
  readonly reached: Reached;
}

/** Puts together what the README of this folder lists. */
export function createReach(parts: ReachParts): ReachService {
  const room = roomOf(parts);
  const ask: AskAboutImage = async (question) => {
    const name = nameOrFault(room, question.reference);
    if (name instanceof TrustFault) return refused(parts, question, name);
    return askAbout(room, name, question);
  };
  return {
    ask,
    again: (question) => room.often.again(question),
    canonicalOf(reference) {
      const name = nameOrFault(room, reference);
      return name instanceof TrustFault ? null : canonicalOf(name, ownPlace(room.located, name));
    },
    async prepare(question, namespaces) {
      const name = nameOrFault(room, question.reference);
      if (name instanceof TrustFault) return [];
      const canonical = canonicalOf(name, ownPlace(room.located, name));
      const { set } = parts.inForce();
      const all = soonAsking(room.seen.of(canonical), namespaces, set?.policies ?? []);
      const once = askedOnce(room);
      const prepared: Prepared[] = [];
      for (const namespace of all) {
        // What no policy covers is refused without a look: there is nothing to be ahead of.
        const asked = { ...question, namespace };
        if (set === null || coveringOf(set, parts, asked, canonical).length === 0) continue;
        const reached = await askAbout(once, name, asked);
        prepared.push({ namespace, reached });
      }
      return prepared;
    },
  };
}

/** Beside the freshness of tags itself. */
const TAG_MOST_MS = 1000;

function roomOf(parts: ReachParts): Room {
  const mirrors = parts.aliases.map(({ from }) => from.split('/', 1)[0] ?? from);
  const seen = seenNamespaces();
  return {
    parts,
    seen,
    often: openOften({ tagMs: Math.min(TAG_MOST_MS, parts.tagFreshMs), seen, now: parts.now }),
    readName: nameReader(parts.aliases),
    located: {
      own: parts.own,
      connections: parts.connections,
      isNamed: namedHosts([...parts.connections.keys(), ...mirrors]),
      nameAccess: accessNamer(),
    },
    open: sourceOpener(),
    view: (source) => source,
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
}

/** The room for questions about one image at one moment, which differ by their namespaces alone. */
function askedOnce(room: Room): Room {
  let view: ArtifactSource | null = null;
  let led: ReturnType<ResolveTag> | null = null;
  const { resolving } = room;
  const noting = { note: () => undefined, of: room.seen.of };
  return {
    ...room,
    // What is asked ahead is no sign that a namespace will ask.
    seen: noting,
    view(source) {
      view ??= snapshot(source);
      return view;
    },
    resolving: {
      ...resolving,
      resolveTag(question) {
        led ??= resolving.resolveTag({ ...question, anew: true });
        return led;
      },
    },
  };
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
