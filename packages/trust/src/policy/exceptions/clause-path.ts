import type { Requirement } from '../document.ts';

/** The clauses that stand beside `require`, by the checks of their findings. */
export const CLAUSES_BESIDE: ReadonlyMap<string, string> = new Map([
  ['policy.tags', 'tags'],
  ['policy.rollback', 'rollback'],
]);

const PATH = /^require(?:\.(?:all|any|of)\[(?:0|[1-9][0-9]{0,2})\]){0,16}$/;

/** Whether a text has the form of a clause's name; no policy need have such a clause. */
export function isClausePath(text: string): boolean {
  return PATH.test(text) || [...CLAUSES_BESIDE.values()].includes(text);
}

/** The name of a requirement's part: `require.all[1]`; parts of `atLeast` stand in `of`. */
export function partPath(path: string, kind: 'all' | 'any' | 'atLeast', index: number): string {
  return `${path}.${kind === 'atLeast' ? 'of' : kind}[${index}]`;
}

/**
 * The names of all clauses of a requirement, itself first, in the order of the text. They are stable
 * as long as the policy's text is: what is inserted before a clause moves its name.
 */
export function clausePaths(requirement: Requirement, path = 'require'): readonly string[] {
  if (requirement.kind === 'signed' || requirement.kind === 'attested') return [path];
  const { kind, parts } = requirement;
  return [path, ...parts.flatMap((part, at) => clausePaths(part, partPath(path, kind, at)))];
}
