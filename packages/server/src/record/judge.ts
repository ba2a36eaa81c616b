import { type Finding, failed, failedBy, passed, skipped } from '@bulla/trust/finding/finding';
import { type ChainEnd, GENESIS } from './chain.ts';
import { type Head, openAnchorNote, type RecordKeys } from './signed-head.ts';
import type { Problems } from './walk.ts';

/** The clause that the checks of a record obey. */
export const RECORD_SOURCE = 'semantics 18';

/** The problems as one finding, each a child. */
export function reportOf(check: string, problems: Problems, says: string): Finding {
  const [worst] = problems.first;
  if (worst === undefined) return passed(check, says, RECORD_SOURCE);
  const because = problems.first.map((problem) => failed(check, problem.code, problem.says));
  const summary = `${problems.count} problems, the first at entry ${worst.seq}`;
  return { ...failed(check, worst.code, summary, RECORD_SOURCE), needs: 'all', because };
}

/** Where a record begins; `seq` 0 when nothing was pruned. */
export interface Start {
  readonly end: ChainEnd;
  readonly finding: Finding;
}

/** Where a record begins by its anchor's note, or at its first entry when there is none. */
export async function startAt(note: string | null, record: RecordKeys): Promise<Start> {
  const genesis = { seq: 0, hash: GENESIS };
  if (note === null) {
    return {
      end: genesis,
      finding: passed('record.start', 'the record begins at its first entry'),
    };
  }
  try {
    const { count, seq, hash, from, to } = await openAnchorNote(note, record);
    const times = `${from.toISOString()} to ${to.toISOString()}`;
    const says = `${count} entries up to ${seq}, of ${times}, were pruned`;
    return { end: { seq, hash }, finding: passed('record.start', says) };
  } catch (error) {
    return { end: genesis, finding: failedBy('record.start', error) };
  }
}

/** What is wrong between a head and the hash at its place (null: no entry); null when nothing is. */
export function compareHead(
  head: Head,
  there: string | null,
): { readonly code: 'record.truncated' | 'record.head-mismatch'; readonly says: string } | null {
  if (there === null) {
    return {
      code: 'record.truncated',
      says: `the head of ${head.at.toISOString()} is about entry ${head.seq}, which is not there`,
    };
  }
  if (there === head.hash) return null;
  const says = `expected entry ${head.seq} to be ${head.hash}, as signed, found ${there}`;
  return { code: 'record.head-mismatch', says };
}

/** The age of a head that nobody asks to be young, as of a record whose server does not run. */
export function anyAge(head: Head): Finding {
  const says = `the head of entry ${head.seq} was signed at ${head.at.toISOString()}, any age will do`;
  return skipped('record.fresh', says);
}

/** Whether a head is young enough at `at`. */
export function freshness(head: Head, at: Date, headAgeMs: number): Finding {
  const ageMs = at.getTime() - head.at.getTime();
  const says = `the newest head, of entry ${head.seq}, was signed at ${head.at.toISOString()}`;
  return ageMs <= headAgeMs
    ? passed('record.fresh', says)
    : failed('record.fresh', 'record.head-stale', `${says}, over ${headAgeMs / 1000} s ago`);
}

/** The finding about a head that an auditor kept; `there` is the hash of the entry at its place. */
export function keptFinding(head: Head, start: ChainEnd, there: string | null): Finding {
  if (head.seq < start.seq) {
    const says = `the head is about entry ${head.seq}; entries up to ${start.seq} were pruned`;
    return failed('record.kept', 'record.head-pruned', says);
  }
  const problem = compareHead(head, head.seq === start.seq ? start.hash : there);
  return problem === null
    ? passed('record.kept', `entry ${head.seq} is the one of the head that was kept`)
    : failed('record.kept', problem.code, problem.says);
}
