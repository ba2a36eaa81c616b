import type { Change, ChangeReason } from './compare.ts';

/** An image that was asked about again, as far as groups tell of it. */
interface GroupedImage {
  readonly change: Change | null;
  readonly namespace: string | null;
  readonly because: readonly ChangeReason[];
  /** How many decisions there were about it. */
  readonly decisions: number;
}

/** What changes in one namespace for one clause of one policy. */
export interface ChangeGroup extends Omit<ChangeReason, 'says'> {
  readonly change: Change;
  readonly namespace: string | null;
  readonly images: number;
  readonly decisions: number;
}

/**
 * How much changes in each namespace for each clause of each policy, what most decisions stand behind
 * first. An image with several reasons is in the group of each; one that does not change is in none.
 */
export function changeGroups(images: readonly GroupedImage[]): readonly ChangeGroup[] {
  const groups = new Map<string, ChangeGroup>();
  for (const { change, namespace, because, decisions } of images) {
    if (change === null) continue;
    for (const { policy, clause, code } of because) {
      const of = { change, policy, namespace, clause, code };
      const key = JSON.stringify(of);
      const group = groups.get(key) ?? { ...of, images: 0, decisions: 0 };
      groups.set(key, {
        ...of,
        images: group.images + 1,
        decisions: group.decisions + decisions,
      });
    }
  }
  return [...groups.values()].toSorted((a, b) => b.decisions - a.decisions);
}
