import type { Digest } from '@bulla/trust/oci/digest';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import { isUpstream, type Place } from './place.ts';
import { type PullParts, parentsOf, sourceOf } from './pull.ts';
import { readTagCell } from './tags.ts';
import type { UpstreamTag } from './upstream/tags.ts';

/** A place as a door looks at it that decides about images and serves none. */
export interface LookedPlace {
  readonly place: Place;
  readonly source: ArtifactSource;
  /**
   * What a tag leads to now. Without `remember` the answer of an upstream is asked for anew, and kept
   * nowhere. Throws `storage.*`, and where nothing is remembered the faults of the source.
   */
  resolve(tag: string, remember: boolean): Promise<UpstreamTag>;
  /** As a pull by digest names them to its decision. */
  parents(digest: Digest): Promise<readonly Digest[]>;
}

/** Looks at a place; nobody's right to it is asked, so whoever calls this answers for that. */
export function lookAt(parts: Pick<PullParts, 'ground' | 'upstreams'>, place: Place): LookedPlace {
  const source = sourceOf(parts, place);
  return {
    place,
    source,
    async resolve(tag, remember) {
      if (!isUpstream(place)) return { digest: await readTagCell(parts.ground, place.key, tag) };
      if (remember) return parts.upstreams.resolveTag(place, tag);
      return { digest: (await source.resolve(tag))?.digest ?? null };
    },
    parents: (digest) => parentsOf(parts, place, digest),
  };
}
