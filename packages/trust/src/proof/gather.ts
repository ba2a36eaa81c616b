import { codeEntry } from '../fault/codes.ts';
import { asFault } from '../fault/fault.ts';
import { type Finding, failedBy, inconclusive } from '../finding/finding.ts';
import type { Evidence, FoundEvidence } from './evidence.ts';

/** So many documents of one artifact are fetched at a time. */
const PARALLEL = 16;

/**
 * The finding of a fault while evidence was looked for. Only an outage of the source that the
 * caller named is inconclusive (semantics 2); content that its publisher wrote is `fail`.
 */
export function findProblem(check: string, error: unknown): Finding {
  const fault = asFault(error);
  return codeEntry(fault.code).exit === 3
    ? { ...inconclusive(check, fault.code, fault.message), remedy: fault.remedy }
    : failedBy(check, fault);
}

/** Fetches each item with bounded parallelism, keeping order; null leaves an item out. */
export async function fetchEach<T>(
  check: string,
  items: readonly T[],
  fetch: (item: T) => Promise<Evidence | Finding | null>,
): Promise<FoundEvidence> {
  const results: (Evidence | Finding | null)[] = new Array(items.length).fill(null);
  let next = 0;
  const worker = async () => {
    for (;;) {
      const index = next++;
      const item = items[index];
      if (index >= items.length || item === undefined) return;
      try {
        results[index] = await fetch(item);
      } catch (error) {
        results[index] = findProblem(check, error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(PARALLEL, items.length) }, worker));
  const evidence: Evidence[] = [];
  const problems: Finding[] = [];
  for (const result of results) {
    if (result === null) continue;
    if ('outcome' in result) problems.push(result);
    else evidence.push(result);
  }
  return { evidence, problems };
}
