import type { Ground } from '../ground.ts';
import { digestOfContent, KEYS } from '../keys.ts';
import type { Holdings } from './holdings.ts';

const HOUR_MS = 3600_000;
const HOURS_OF_DAY = 24;
const PARTS = 16;

/**
 * Marks stored content that no repository has: a server that was killed between the content and its
 * record leaves some, and nobody lets go of what nobody had. A sixteenth of all is looked at in one hour
 * of each day, by the first digit of its digest. Content that is being linked right now may be marked as
 * well: whoever links it calls `keep` afterwards, and a sweep asks again when the grace is over.
 */
export async function markOrphans(
  { objects, clock }: Ground,
  { isHeld }: Holdings,
): Promise<number> {
  const hour = Math.floor(clock().getTime() / HOUR_MS);
  if (hour % HOURS_OF_DAY !== 0) return 0;
  const digit = (Math.floor(hour / HOURS_OF_DAY) % PARTS).toString(16);
  let marked = 0;
  for (const algorithm of ['sha256', 'sha512']) {
    for (let second = 0; second < PARTS; second++) {
      const folder = `${KEYS.contents}${algorithm}/${digit}${second.toString(16)}/`;
      for (const name of await objects.list(folder)) {
        const digest = digestOfContent(name);
        if (digest === null || (await isHeld(digest))) continue;
        if (await objects.delete(name, clock())) marked += 1;
      }
    }
  }
  return marked;
}
