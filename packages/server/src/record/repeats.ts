import { keyOfParts } from '../bounds/key.ts';
import type { CountAgain, MadeDecision } from '../decision/made.ts';
import { type Draft, draftOf } from './append.ts';
import type { Repeat } from './body.ts';
import type { RecordConfig } from './config.ts';

/** What counting repeated passes needs. `now` is a monotonic clock in milliseconds. */
export interface RepeatsParts {
  readonly config: RecordConfig;
  /** Resolves when the entry is durable; the same draft may be handed in again after a failure. */
  write(draft: Draft): Promise<void>;
  readonly clock: () => Date;
  readonly now: () => number;
}

/**
 * Passes that were recorded, and how often each was given again since. Counts are written about once
 * a second as one entry; no count that is not durable is older than a second: then the next repeated
 * pass waits, and throws `record.unavailable` when its predecessors' count cannot be written.
 */
export interface Repeats {
  /**
   * Counts a repeated pass: true when that is done, a promise when it has to wait for what came
   * before, null when its first one is not known to be recorded.
   */
  count(made: MadeDecision): true | Promise<void> | null;
  /** How the pass is counted when it is given again; each time false where `count` would not say true. */
  again(made: MadeDecision): CountAgain;
  /** A first pass, and when it is durable; if it never is, it is forgotten. */
  first(made: MadeDecision, durable: Promise<void>): void;
  /** Writes the counts that wait. */
  flush(): Promise<void>;
  /** Ends the writing by itself; counts that wait then are lost unless `flush` comes after. */
  stop(): void;
}

interface Known {
  readonly id: string;
  /** Null once the first pass is durable. */
  durable: Promise<void> | null;
  repeats: { count: number; first: Date; last: Date } | null;
}

const LATE_MS = 1000;
const ITEMS_MOST = 500;

/** Nothing is known yet: after a start each pass is recorded once as a first one. */
export function createRepeats(parts: RepeatsParts): Repeats {
  const { config, now } = parts;
  const known = new Map<string, Known>();
  const pending = new Set<Known>();
  const unwritten: Draft[] = [];
  /** When the oldest pending count came, and the oldest of those that are being written. */
  let pendingSince: number | null = null;
  let unwrittenSince: number | null = null;
  let timer: NodeJS.Timeout | null = null;
  let underway: Promise<void> | null = null;
  let following: Promise<void> | null = null;
  let stopped = false;

  function arm(): void {
    if (stopped || timer !== null || underway !== null) return;
    if (pending.size === 0 && unwritten.length === 0) return;
    timer = setTimeout(() => {
      // A failure is told to whoever counts next; the counts stay for the next attempt.
      start().catch(() => undefined);
    }, config.repeatsMs);
  }

  function start(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const mine = writeAll().finally(() => {
      underway = null;
      arm();
    });
    underway = mine;
    return mine;
  }

  function flush(): Promise<void> {
    if (underway === null) return start();
    // What is under way may have begun before the caller's counts came: one more follows it.
    following ??= underway
      .catch(() => undefined)
      .then(() => {
        following = null;
        return flush();
      });
    return following;
  }

  async function writeAll(): Promise<void> {
    if (pending.size > 0) {
      unwrittenSince ??= pendingSince;
      unwritten.push(...draftsOf([...pending].flatMap(takeRepeat), parts.clock()));
      pending.clear();
      pendingSince = null;
    }
    for (let draft = unwritten[0]; draft !== undefined; draft = unwritten[0]) {
      await parts.write(draft);
      unwritten.shift();
    }
    unwrittenSince = null;
  }

  function isLate(): boolean {
    const oldest = unwrittenSince ?? pendingSince;
    return oldest !== null && now() - oldest > LATE_MS;
  }

  function add(entry: Known, at: Date): true {
    const { repeats } = entry;
    if (repeats === null) {
      entry.repeats = { count: 1, first: at, last: at };
      pending.add(entry);
      pendingSince ??= now();
      arm();
    } else {
      repeats.count += 1;
      repeats.last = at;
    }
    return true;
  }

  async function addWhenWritten(entry: Known, at: Date): Promise<void> {
    await entry.durable;
    if (isLate()) await (underway ?? start());
    add(entry, at);
  }

  return {
    count(made) {
      const key = keyOf(made);
      const entry = known.get(key);
      if (entry === undefined) return null;
      // A map keeps the order of insertion: the pass used last comes last.
      known.delete(key);
      known.set(key, entry);
      const isFree = entry.durable === null && !isLate();
      return isFree ? add(entry, made.at) : addWhenWritten(entry, made.at);
    },
    again(made) {
      const key = keyOf(made);
      return (at) => {
        const entry = known.get(key);
        if (entry === undefined || entry.durable !== null || isLate()) return false;
        known.delete(key);
        known.set(key, entry);
        return add(entry, at);
      };
    },
    first(made, durable) {
      const key = keyOf(made);
      const entry: Known = { id: made.decision.id, durable, repeats: null };
      known.delete(key);
      known.set(key, entry);
      for (const oldest of known.keys()) {
        if (known.size <= config.knownPasses) break;
        known.delete(oldest);
      }
      durable.then(
        () => {
          entry.durable = null;
        },
        () => {
          if (known.get(key) === entry) known.delete(key);
        },
      );
    },
    flush,
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}

function takeRepeat(entry: Known): readonly Repeat[] {
  const { id, repeats } = entry;
  entry.repeats = null;
  if (repeats === null) return [];
  const { count, first, last } = repeats;
  return [{ id, count, first: first.toISOString(), last: last.toISOString() }];
}

function draftsOf(items: readonly Repeat[], at: Date): readonly Draft[] {
  const drafts: Draft[] = [];
  // Two known passes may carry one id; a decision has one count per entry.
  for (let from = 0; from < items.length; from += ITEMS_MOST) {
    const some = merged(items.slice(from, from + ITEMS_MOST));
    drafts.push(draftOf({ kind: 'repeats', at: at.toISOString(), items: some }));
  }
  return drafts;
}

function merged(items: readonly Repeat[]): readonly Repeat[] {
  const byId = new Map<string, Repeat>();
  for (const item of items) {
    const same = byId.get(item.id) ?? { ...item, count: 0 };
    const [first = item.first] = [same.first, item.first].sort();
    const last = [same.last, item.last].sort().at(-1) ?? item.last;
    byId.set(item.id, { id: item.id, count: same.count + item.count, first, last });
  }
  return [...byId.values()];
}

/**
 * Whether a decision may be counted instead of written: a pass from the cache, with nothing to warn
 * of. Refusals, warnings and all that was decided anew are entries of their own (semantics 18).
 */
export function isRepeatable({ cache, decision }: MadeDecision): boolean {
  return cache === 'hit' && isPlainPass(decision);
}

/** Admitted because every policy was satisfied, by no exception and with nothing to warn of. */
export function isPlainPass(decision: MadeDecision['decision']): boolean {
  const { outcome, warnings, policies, exceptions } = decision;
  return (
    outcome === 'admit' &&
    warnings.length === 0 &&
    exceptions.length === 0 &&
    policies.every(({ effect }) => effect === 'pass')
  );
}

/** Policy, digest, namespace and user of a pass (semantics 18), and by what name it was asked for. */
function keyOf({ decision, actor }: MadeDecision): string {
  const { policySetHash, trustRootVersion, repository, tag, digest, surface } = decision;
  const { namespace, environment } = decision;
  const image = [repository, tag, digest, surface, namespace, environment];
  return keyOfParts([policySetHash, trustRootVersion, ...image, actor.id]);
}
