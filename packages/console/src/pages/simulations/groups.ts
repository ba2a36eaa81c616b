import type { SimulatedAnswer } from '../../api/simulations.ts';

/** By what changes are told apart. */
export const GROUPINGS = {
  policy: 'Policy',
  namespace: 'Namespace',
  repository: 'Repository',
  reason: 'Reason',
} as const;

/** One of them. */
export type Grouping = keyof typeof GROUPINGS;

/** So many images and decisions that change, for one value. */
export interface ChangeGroup {
  readonly change: NonNullable<SimulatedAnswer['change']>;
  readonly value: string;
  readonly images: number;
  readonly decisions: number;
}

/**
 * Changed images counted by policy, namespace, repository or reason, the most decisions first. An image
 * with several reasons counts once for each.
 */
export function groupChanges(
  changes: readonly SimulatedAnswer[],
  by: Grouping,
): readonly ChangeGroup[] {
  const groups = new Map<string, ChangeGroup>();
  for (const image of changes) {
    const { change } = image;
    if (change === null) continue;
    for (const value of new Set(valuesOf(image, by))) {
      const key = JSON.stringify([change, value]);
      const known = groups.get(key) ?? { change, value, images: 0, decisions: 0 };
      groups.set(key, {
        ...known,
        images: known.images + 1,
        decisions: known.decisions + image.decisions,
      });
    }
  }
  return [...groups.values()].toSorted(
    (a, b) => b.decisions - a.decisions || (a.value < b.value ? -1 : 1),
  );
}

function valuesOf(image: SimulatedAnswer, by: Grouping): readonly string[] {
  switch (by) {
    case 'policy':
      return image.because.map(({ policy }) => policy ?? 'no one policy');
    case 'reason':
      return image.because.map(({ clause, code }) => `${clause}: ${code}`);
    case 'namespace':
      return [image.namespace ?? 'no namespace'];
    case 'repository':
      return [image.repository];
    default:
      return by satisfies never;
  }
}
