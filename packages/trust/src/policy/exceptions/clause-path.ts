import type { Requirement } from '../document.ts';

/** The clauses that stand beside `require`, by the checks of their findings. */
export const CLAUSES_BESIDE: ReadonlyMap<string, 'tags' | 'rollback'> = new Map([
  ['policy.tags', 'tags'],
  ['policy.rollback', 'rollback'],
]);

const PATH = /^require(?:\.(?:all|any|of)\[(?:0|[1-9][0-9]{0,2})\]){0,16}$/;

/** Whether a text has the form of a clause's name; no policy need have such a clause. */
export function isClausePath(text: string): boolean {
  return PATH.test(text) || [...CLAUSES_BESIDE.values()].some((name) => name === text);
}

/** The name of a requirement's part: `require.all[1]`; parts of `atLeast` stand in `of`. */
export function partPath(path: string, kind: 'all' | 'any' | 'atLeast', index: number): string {
  return `${path}.${kind === 'atLeast' ? 'of' : kind}[${index}]`;
}

/** A part of a requirement, and the name of its place. */
export interface PlacedRequirement {
  readonly path: string;
  readonly requirement: Requirement;
}

/**
 * All clauses of a requirement by their names, itself first, in the order of the text. What is
 * inserted before a clause moves its name.
 */
export function placedRequirements(
  requirement: Requirement,
  path = 'require',
): readonly PlacedRequirement[] {
  const own = { path, requirement };
  if (requirement.kind === 'signed' || requirement.kind === 'attested') return [own];
  const { kind, parts } = requirement;
  const below = parts.map((part, at) => placedRequirements(part, partPath(path, kind, at)));
  return [own, ...below.flat()];
}
