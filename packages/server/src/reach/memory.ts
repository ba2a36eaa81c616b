import type { Digest } from '@bulla/trust/oci/digest';
import type { Rollback } from '@bulla/trust/policy/evaluate/rollback';
import type { TagMemory } from './ports.ts';

/** A tag of a canonical repository. */
export interface TagName {
  readonly repository: string;
  readonly tag: string;
}

/** Whether the digest is an older one come back, told without noting that it was seen. */
export async function peekRollback(
  memory: Pick<TagMemory, 'history'>,
  { repository, tag }: TagName,
  digest: Digest,
): Promise<Rollback | null> {
  const sightings = await memory.history(repository, tag);
  const [newest] = sightings;
  if (newest === undefined || newest.digest === digest) return null;
  const isKnown = sightings.some((one) => one.digest === digest);
  return isKnown ? { newer: newest.digest, newerSince: newest.firstSeen } : null;
}

/** What the tag led to when it was seen last; null when it never was. */
export async function lastSeen(
  memory: Pick<TagMemory, 'history'>,
  { repository, tag }: TagName,
): Promise<Digest | null> {
  const sightings = await memory.history(repository, tag);
  const [last] = sightings.toSorted((a, b) => b.lastSeen.getTime() - a.lastSeen.getTime());
  return last?.digest ?? null;
}
