import { openRecent } from '../bounds/recent.ts';
import type { Answered } from '../decision/ask.ts';
import type { SeenNamespaces } from './namespaces.ts';
import type { AskAgain, KnownQuestion, Reached } from './question.ts';

/** Answers that are given again and again: a Deployment of a hundred Pods asks a hundred times. */
export interface Often {
  readonly again: AskAgain;
  /** What a question came to, if that may be given again. */
  remember(question: KnownQuestion, came: CameTo): void;
}

/** What is remembered of an answer. */
export interface CameTo {
  readonly reached: Reached;
  readonly answered: Answered;
  /** Canonical. */
  readonly repository: string;
}

/** What such a memory needs. */
export interface OftenParts {
  /** How long what a tag led to is taken for what it leads to. */
  readonly tagMs: number;
  readonly seen: SeenNamespaces;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

interface Held {
  readonly reached: Reached;
  readonly again: () => Answered | null;
  readonly untilMs: number;
  readonly repository: string;
}

const HELD_MOST = 20_000;

/**
 * A memory of answers by the question's own words. Whether one still holds is not decided here: the
 * decision itself knows (`Answered.again`), and the record counts each use. Here is only remembered
 * what need not be read, looked up and hashed again.
 */
export function openOften({ tagMs, seen, now }: OftenParts): Often {
  const held = openRecent<Held>(HELD_MOST);
  return {
    again(question) {
      if (!isOften(question)) return null;
      const found = held.get(keyOf(question));
      if (found === undefined || found.untilMs <= now() || found.again() === null) return null;
      seen.note(found.repository, question);
      return found.reached;
    },
    remember(question, { reached, answered, repository }) {
      const { again } = answered;
      if (again === undefined || !isOften(question)) return;
      const untilMs = reached.byDigest ? Number.POSITIVE_INFINITY : now() + tagMs;
      held.set(keyOf(question), { reached, again, untilMs, repository });
    },
  };
}

/** Whoever brings credentials is asked about anew: what they open is theirs alone (semantics 14). */
export function isOften({ surface, credentials, dryRun }: KnownQuestion): boolean {
  return surface === 'admission' && credentials.length === 0 && !dryRun;
}

/** With the lengths of its parts: whatever they hold, two questions have two keys. */
function keyOf({ namespace, actor, reference }: KnownQuestion): string {
  const place = namespace === null ? '-' : `${namespace.length}:${namespace}`;
  return `${place} ${actor.id.length}:${actor.id} ${reference}`;
}
