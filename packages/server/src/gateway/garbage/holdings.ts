import type { Digest } from '@bulla/trust/oci/digest';
import { keyPages } from '../../storage/key-pages.ts';
import { type Ground, hasContent, isContentWanted } from '../ground.ts';
import { KEYS, readContentKey } from '../keys.ts';

/** Which content repositories have, looked up for very much of it at a time. */
export interface Holdings {
  /**
   * Whether any repository has the content as a blob or as a manifest. A no holds for the moment at
   * which it was first asked, and a yes for now.
   */
  isHeld(digest: Digest): Promise<boolean>;
}

const PAGE = 5000;
const FILTER_BITS = 26;
const FILTER_LOOKS = 3;
const HINT_BITS = 21;

/**
 * Reads the keys of all repositories once, when it is first asked, so that a sweep costs one pass over
 * them and a look for each object, and not a look into each repository for each object. It takes 16 MiB
 * however much there is: a filter that knows what nobody has for certain, and the repository in which
 * the rest is looked for first.
 *
 * That a no may be as old as the pass removes nothing that somebody was told is there. Whoever gives a
 * repository content calls `Objects.keep` before the record is written, or has just written the content
 * (`linkBlob`, `keepManifest`), and again after it. If the record was there before the pass, the pass
 * has seen it: `list` shows each cell that is there throughout. If it came later, so did the first
 * `keep`, or the mark of the deletion was gone before: a sweep asks, while it holds the name, only about
 * what was marked longer than the grace ago, and a mark that came after the pass is younger (the
 * clocks of replicas differ by less than the shortest grace, a minute). If the content went before the
 * first `keep`, that one says so, and nothing is linked. Who takes a record away for a moment and puts it
 * back (`take-out.ts`) calls `keep` before: no mark is due meanwhile.
 */
export function openHoldings(ground: Ground): Holdings {
  let building: Promise<Snapshot> | null = null;
  return {
    async isHeld(digest) {
      building ??= takeSnapshot(ground);
      const { filter, hints, repositories } = await building;
      if (!looksOf(digest).every((bit) => hasBit(filter, bit))) return false;
      const hint = repositories[(hints[hintOf(digest)] ?? 0) - 1];
      if (hint !== undefined && (await hasContent(ground, hint, digest))) return true;
      return isContentWanted(ground, digest);
    },
  };
}

interface Snapshot {
  readonly filter: Uint8Array;
  /** By a part of the digest, one more than the place of a repository that has such content. */
  readonly hints: Uint32Array;
  readonly repositories: readonly string[];
}

async function takeSnapshot(ground: Ground): Promise<Snapshot> {
  const filter = new Uint8Array(2 ** (FILTER_BITS - 3));
  const hints = new Uint32Array(2 ** HINT_BITS);
  const repositories: string[] = [];
  for (const prefix of [KEYS.allBlobs, KEYS.allManifests]) {
    for await (const keys of keyPages(ground.registers, prefix, PAGE)) {
      for (const found of keys.map(readContentKey)) {
        if (found === null) continue;
        // The keys of one repository follow one another.
        if (repositories.at(-1) !== found.repository) repositories.push(found.repository);
        for (const bit of looksOf(found.digest)) setBit(filter, bit);
        hints[hintOf(found.digest)] = repositories.length;
      }
    }
  }
  return { filter, hints, repositories };
}

/** The bits of a digest in the filter: its own, since a digest is as good as drawn. */
function looksOf(digest: Digest): readonly number[] {
  return Array.from({ length: FILTER_LOOKS }, (_, look) => wordOf(digest, look, FILTER_BITS));
}

function hintOf(digest: Digest): number {
  return wordOf(digest, FILTER_LOOKS, HINT_BITS);
}

function wordOf(digest: Digest, which: number, bits: number): number {
  const from = digest.indexOf(':') + 1 + 8 * which;
  return Number.parseInt(digest.slice(from, from + 8), 16) >>> (32 - bits);
}

function hasBit(filter: Uint8Array, bit: number): boolean {
  return ((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0;
}

function setBit(filter: Uint8Array, bit: number): void {
  filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
}
