import { setTimeout as sleep } from 'node:timers/promises';
import { TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { computeDigest, type Digest } from '../../oci/digest.ts';
import { MEDIA_TYPES, parseManifest } from '../../oci/manifest.ts';
import { isDigestRace } from '../../oci/registry/digest-race.ts';
import type { ArtifactTarget, CallOptions, StoredManifest } from '../../oci/store.ts';
import { buildLegacyManifest } from './build.ts';

/** So often a lost race with another writer is run again. */
const MAX_TRIES = 8;
const SETTLE_MS = 40;
const LONGEST_WAIT_MS = 1_000;

/** Layers on their way under a companion tag, whose content is in the target already. */
export interface LayersToAdd {
  readonly layers: readonly Descriptor[];
  /** Whether two layers hold the same, so that one of them is enough. */
  readonly isSame: (a: Descriptor, b: Descriptor) => boolean;
  /** A manifest with exactly these layers, written as it is where nothing else is there. */
  readonly whole?: StoredManifest;
}

/**
 * Adds layers to those under a companion tag, and loses none of others: read, merge, write on the
 * condition that the tag has not moved, then read back after a short random while, because many
 * registries ignore conditions; eight times at most. Answers the digest under the tag, and whether
 * it was written. Throws `cosign-legacy.malformed` when the tag holds an index,
 * `registry.referrer-lost` when the layers are not there in the end.
 *
 * What remains: at a registry that ignores conditions, a writer that read the tag before this one
 * wrote and writes after this one's last look takes these layers away.
 */
export async function addLayers(
  target: ArtifactTarget,
  tag: string,
  added: LayersToAdd,
  options: CallOptions & { readonly random?: () => number } = {},
): Promise<{ readonly digest: Digest; readonly isNew: boolean }> {
  const call = options.signal === undefined ? {} : { signal: options.signal };
  const holds = (layers: readonly Descriptor[], wanted: readonly Descriptor[]) =>
    wanted.every((layer) => layers.some((other) => added.isSame(layer, other)));
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const present = await readTag(target, tag, call);
    if (present.digest !== null && holds(present.layers, added.layers)) {
      return { digest: present.digest, isNew: attempt > 0 };
    }
    const missing = added.layers.filter((layer) => !holds(present.layers, [layer]));
    const merged = [...present.layers, ...missing];
    const { whole } = added;
    const manifest =
      whole !== undefined && holds(added.layers, present.layers)
        ? whole
        : await build(target, merged, call);
    try {
      const put = { ...call, tag, replaces: present.digest };
      const digest = await target.putManifest(manifest, put);
      await settle(attempt, options);
      if (holds((await readTag(target, tag, call)).layers, merged)) return { digest, isNew: true };
    } catch (error) {
      if (!isRace(error) || attempt === MAX_TRIES - 1) throw error;
      await settle(attempt, options);
    }
  }
  throw new TrustFault(
    'registry.referrer-lost',
    `the signatures were not under ${target.name}:${tag} after ${MAX_TRIES} tries`,
  );
}

async function build(
  target: ArtifactTarget,
  layers: readonly Descriptor[],
  options: CallOptions,
): Promise<Omit<StoredManifest, 'digest'>> {
  const { bytes, config } = buildLegacyManifest(layers);
  await target.putBlob({ digest: computeDigest(config), size: config.length }, config, options);
  return { bytes, mediaType: MEDIA_TYPES.ociManifest };
}

interface Present {
  readonly digest: Digest | null;
  readonly layers: readonly Descriptor[];
}

async function readTag(
  target: ArtifactTarget,
  tag: string,
  options: CallOptions,
): Promise<Present> {
  const stored = await target.manifest(tag, options);
  if (stored === null) return { digest: null, layers: [] };
  const manifest = parseManifest(stored);
  if (manifest.kind === 'image') return { digest: stored.digest, layers: manifest.layers };
  throw new TrustFault(
    'cosign-legacy.malformed',
    `expected a signature manifest under ${target.name}:${tag}, found an index`,
    'Remove the tag, which no cosign tool wrote, and run the command again.',
  );
}

/** What writers of one tag at once do to each other: a moved tag, and what some registries say. */
function isRace(error: unknown): boolean {
  if (!(error instanceof TrustFault)) return false;
  if (error.code === 'registry.tag-moved' || error.code === 'registry.server-error') return true;
  return isDigestRace(error);
}

async function settle(
  attempt: number,
  { signal, random = Math.random }: CallOptions & { readonly random?: () => number },
): Promise<void> {
  const spreadMs = Math.min(SETTLE_MS * 2 ** attempt, LONGEST_WAIT_MS);
  try {
    const delayMs = SETTLE_MS + random() * spreadMs;
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new TrustFault('registry.cancelled', 'the wait was given up', undefined, { cause });
  }
}
