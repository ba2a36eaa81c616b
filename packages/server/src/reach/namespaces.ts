import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { openRecent } from '../bounds/recent.ts';
import type { ReachQuestion } from './question.ts';

/** From which namespaces a repository's images were asked about of late. */
export interface SeenNamespaces {
  /** Notes a question that policies cover; of a dry run nothing is noted. */
  note(repository: string, question: Pick<ReachQuestion, 'namespace' | 'dryRun'>): void;
  of(repository: string): readonly string[];
}

const REPOSITORIES_MOST = 10_000;
/** Of one repository, and so many all together are asked for ahead. */
const NAMESPACES_MOST = 32;

/** A memory of this process: what it forgets costs the next question its place in the cache. */
export function seenNamespaces(): SeenNamespaces {
  const recent = openRecent<readonly string[]>(REPOSITORIES_MOST);
  return {
    note(repository, { namespace, dryRun }) {
      if (namespace === null || dryRun) return;
      const known = recent.get(repository) ?? [];
      if (known[0] === namespace) return;
      const others = known.filter((one) => one !== namespace);
      recent.set(repository, [namespace, ...others].slice(0, NAMESPACES_MOST));
    },
    of: (repository) => recent.get(repository) ?? [],
  };
}

/**
 * The namespaces to ask for ahead, each once, at most 32 beside none at all: those that the
 * configuration lists, those that asked of late, and those that policies name by their letters. A cached
 * decision holds for its namespace alone (semantics 14), and a pattern names no namespace.
 */
export function soonAsking(
  seen: readonly string[],
  configured: readonly string[],
  policies: readonly ReadyPolicy[],
): readonly (string | null)[] {
  const named = policies
    .flatMap(({ document }) => document.namespaces ?? [])
    .flatMap((pattern) => ('exact' in pattern ? [pattern.exact] : []));
  return [null, ...[...new Set([...configured, ...seen, ...named])].slice(0, NAMESPACES_MOST)];
}
