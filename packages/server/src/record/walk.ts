import type { Code } from '@bulla/trust/fault/codes';
import { type ChainEnd, entryHash, isChainHash } from './chain.ts';

/** An entry with its place, as it is checked. */
export interface Link extends ChainEnd {
  readonly previous: string;
  readonly body: string;
}

/** Something that is wrong with the record, and at which entry. */
export interface Problem {
  readonly code: Code;
  readonly says: string;
  readonly seq: number;
}

/** Problems as they are found; beyond the first of each code they are only counted. */
export interface Problems {
  add(problem: Problem): void;
  readonly first: readonly Problem[];
  readonly count: number;
}

const PROBLEMS_MOST = 20;

/** An empty list of problems. */
export function createProblems(): Problems {
  const first: Problem[] = [];
  let count = 0;
  return {
    add(problem) {
      count += 1;
      if (first.length < PROBLEMS_MOST) first.push(problem);
    },
    first,
    get count() {
      return count;
    },
  };
}

/** A walk along the chain. */
export interface Walk {
  /** Checks the next entry: its number, that it follows the one before, and its hash. */
  step(link: Link): void;
  /** The last entry that was walked, or where the walk began; null before the first of a part. */
  readonly end: ChainEnd | null;
  readonly count: number;
}

/**
 * Walks from `start`, or from wherever the first entry stands when that is null. With `gaps` entries
 * may be missing in between, as in a filtered export; each is still checked by itself.
 */
export function createWalk(
  start: ChainEnd | null,
  problems: Problems,
  options: { readonly gaps?: boolean } = {},
): Walk {
  let end = start;
  let count = 0;
  return {
    step(link) {
      count += 1;
      const { seq, previous, hash, body } = link;
      const follows = end === null || checkPlace(end, link, problems, options.gaps ?? false);
      if (follows && end !== null && seq === end.seq + 1 && previous !== end.hash) {
        const says = `expected entry ${seq} to follow ${end.hash}, found ${previous}`;
        problems.add({ code: 'record.chain-broken', says, seq });
      } else if (!isChainHash(previous) || entryHash(previous, seq, body) !== hash) {
        const says = `the content of entry ${seq} does not have the hash ${hash}`;
        problems.add({ code: 'record.chain-broken', says, seq });
      }
      end = { seq, hash };
    },
    get end() {
      return end;
    },
    get count() {
      return count;
    },
  };
}

function checkPlace(end: ChainEnd, { seq }: Link, problems: Problems, gaps: boolean): boolean {
  if (seq <= end.seq) {
    const says = `expected an entry after ${end.seq}, found entry ${seq}`;
    problems.add({ code: 'record.order', says, seq });
    return false;
  }
  if (seq > end.seq + 1 && !gaps) {
    const says = `expected entry ${end.seq + 1}, found entry ${seq}`;
    problems.add({ code: 'record.gap', says, seq });
    return false;
  }
  return true;
}
