import type { ArtifactSource } from '@bulla/trust/oci/store';
import type { Ground } from '../ground.ts';
import type { UpstreamPlace } from '../place.ts';
import { type UpstreamBlobs, upstreamBlobs } from './blobs.ts';
import { type FetchManifest, upstreamManifests } from './manifests.ts';
import { type UpstreamLists, upstreamLists } from './referrers.ts';
import { upstreamOpener } from './registries.ts';
import { upstreamSource } from './source.ts';
import { type ResolveTag, upstreamTags } from './tags.ts';

/** All that is asked of upstreams. */
export interface Upstreams {
  readonly resolveTag: ResolveTag;
  readonly manifest: FetchManifest;
  readonly blobs: UpstreamBlobs;
  readonly lists: UpstreamLists;
  source(place: UpstreamPlace): ArtifactSource;
}

/** The upstreams of a configuration. Nothing is sent before the first pull. */
export function openUpstreams(ground: Ground): Upstreams {
  const open = upstreamOpener();
  return {
    resolveTag: upstreamTags(ground, open),
    manifest: upstreamManifests(ground, open),
    blobs: upstreamBlobs(ground, open),
    lists: upstreamLists(ground, open),
    source: (place) => upstreamSource(ground, open, place),
  };
}
