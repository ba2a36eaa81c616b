import type { TrustPolicy } from './document.ts';
import { compilePattern, type Pattern } from './pattern.ts';
import type { PolicyScope } from './policy-set.ts';

/** What a policy may be limited by. */
export type CoverageAspect = 'images' | 'exclude' | 'surfaces' | 'namespaces' | 'environments';

/** One of a policy's limits, and whether the scope meets it. */
export interface CoveragePart {
  readonly aspect: CoverageAspect;
  readonly holds: boolean;
  /** With the pattern or the list that decided. */
  readonly says: string;
}

interface Limit {
  readonly aspect: CoverageAspect;
  holds(scope: PolicyScope): boolean;
  says(scope: PolicyScope): string;
}

/**
 * Whether a policy holds for an image: one image pattern and no exclusion matches, and the surface,
 * namespace and environment are among its own. What a door does not know (null) is taken as met by
 * a policy that enforces, which adds its demands, and as not met by one that only warns or records,
 * which would admit what nothing else covers: not knowing never loosens.
 */
export function coverage(document: TrustPolicy): (scope: PolicyScope) => boolean {
  const limits = limitsOf(document);
  return (scope) => limits.every((limit) => limit.holds(scope));
}

/** Each limit of the policy, the images first: the policy covers the scope when all of them hold. */
export function coverageParts(document: TrustPolicy, scope: PolicyScope): readonly CoveragePart[] {
  const parts = limitsOf(document).map(({ aspect, holds, says }) => {
    return { aspect, holds: holds(scope), says: says(scope) };
  });
  return ORDER.flatMap((aspect) => parts.filter((part) => part.aspect === aspect));
}

const ORDER = [
  'images',
  'exclude',
  'surfaces',
  'namespaces',
  'environments',
] as const satisfies readonly CoverageAspect[];

interface Compiled {
  readonly text: string;
  readonly matches: (value: string) => boolean;
}

/** The cheap ones first: most scopes that are not met fail by them. */
function limitsOf(document: TrustPolicy): readonly Limit[] {
  const { surfaces, environments, namespaces, mode } = document;
  const known = new Set(surfaces);
  const images = document.images.map(compiled);
  const exclude = document.exclude.map(compiled);
  const unknown = mode === 'enforce';
  return [
    {
      aspect: 'surfaces',
      holds: ({ surface }) => known.has(surface),
      says: ({ surface }) => `the surface ${surface} is ${among(known.has(surface), surfaces)}`,
    },
    ...(environments === null
      ? []
      : [
          placeLimit(
            { aspect: 'environments', word: 'environment', unknown },
            environments.map((exact) => ({ ...compiled({ exact }), text: exact })),
            ({ environment }) => environment,
          ),
        ]),
    ...(namespaces === null
      ? []
      : [
          placeLimit(
            { aspect: 'namespaces', word: 'namespace', unknown },
            namespaces.map(compiled),
            ({ namespace }) => namespace,
          ),
        ]),
    {
      aspect: 'images',
      holds: ({ repository }) => images.some(({ matches }) => matches(repository)),
      says: ({ repository }) => nameSays(repository, images),
    },
    ...(exclude.length === 0 ? [] : [exclusion(exclude)]),
  ];
}

function exclusion(exclude: readonly Compiled[]): Limit {
  return {
    aspect: 'exclude',
    holds: ({ repository }) => !exclude.some(({ matches }) => matches(repository)),
    says: ({ repository }) => nameSays(repository, exclude, ', which is excluded'),
  };
}

function placeLimit(
  limit: Pick<Limit, 'aspect'> & { readonly word: string; readonly unknown: boolean },
  allowed: readonly Compiled[],
  placeOf: (scope: PolicyScope) => string | null,
): Limit {
  const { aspect, word, unknown } = limit;
  const holds = (place: string | null) =>
    place === null ? unknown : allowed.some(({ matches }) => matches(place));
  const texts = allowed.map(({ text }) => text);
  return {
    aspect,
    holds: (scope) => holds(placeOf(scope)),
    says(scope) {
      const place = placeOf(scope);
      if (place !== null) return `the ${word} ${place} is ${among(holds(place), texts)}`;
      const why = unknown ? 'a policy that enforces counts that as met' : 'so that is not met';
      return `this place was told of no ${word}, the policy is for ${texts.join(', ')}: ${why}`;
    },
  };
}

function nameSays(repository: string, patterns: readonly Compiled[], then = ''): string {
  const found = patterns.find(({ matches }) => matches(repository));
  return found === undefined
    ? `${repository} is none of ${patterns.map(({ text }) => text).join(', ')}`
    : `${repository} is of ${found.text}${then}`;
}

function among(is: boolean, all: readonly string[]): string {
  return `${is ? 'one' : 'none'} of ${all.join(', ')}`;
}

function compiled(pattern: Pattern): Compiled {
  return { text: patternText(pattern), matches: compilePattern(pattern) };
}

function patternText(pattern: Pattern): string {
  if ('exact' in pattern) return pattern.exact;
  return 'glob' in pattern ? `glob ${pattern.glob}` : `regex ${pattern.regex}`;
}
