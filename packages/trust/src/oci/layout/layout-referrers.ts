import { quote, TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { artifactTypeOf, type Manifest, parseManifest } from '../manifest.ts';
import { fallbackTag } from '../referrer-list.ts';
import type { Referrers } from '../store.ts';
import { type LayoutContent, readManifest } from './content.ts';
import { REF_NAME, readLayoutIndex } from './layout-index.ts';

const MAX_MANIFESTS = 20_000;
const MAX_DEPTH = 8;

interface Walk {
  readonly subject: Digest;
  readonly seen: Set<string>;
  readonly found: Map<Digest, Descriptor>;
  readonly broken: string[];
}

/** Finds referrers in a layout; manifests, which never change, are parsed once. */
export interface ReferrerFinder {
  find(subject: Digest, artifactType?: string): Promise<Referrers>;
}

/**
 * A finder over every manifest that index.json leads to: entries without a name, children of
 * indexes, and the entries of a fallback tag. A manifest counts by its own `subject`, never by the
 * list in which it stands. `broken` names entries of the subject's fallback index that lead nowhere.
 */
export function createReferrerFinder(content: LayoutContent): ReferrerFinder {
  const parsed = new Map<Digest, Manifest | string>();

  async function load(entry: Descriptor): Promise<Manifest | string> {
    const known = parsed.get(entry.digest);
    if (known !== undefined) return known;
    const manifest = await loadManifest(content, entry);
    parsed.set(entry.digest, manifest);
    return manifest;
  }

  async function walk(state: Walk, entry: Descriptor, depth: number, isListed: boolean) {
    if (state.seen.has(entry.digest) || depth > MAX_DEPTH) return;
    if (state.seen.size >= MAX_MANIFESTS) {
      throw new TrustFault(
        'registry.limit',
        `found more than ${MAX_MANIFESTS} manifests in a layout`,
      );
    }
    state.seen.add(entry.digest);
    const manifest = await load(entry);
    if (typeof manifest === 'string') {
      if (isListed) state.broken.push(`${entry.digest}: ${manifest}`);
      return;
    }
    if (manifest.subject?.digest === state.subject) {
      state.found.set(entry.digest, describe(entry, manifest));
    } else if (isListed && manifest.kind === 'image') {
      state.broken.push(`${entry.digest}: its subject is another artifact`);
    }
    if (manifest.kind === 'image') return;
    for (const child of manifest.manifests) await walk(state, child, depth + 1, false);
  }

  return {
    async find(subject, artifactType) {
      const { entries } = await readLayoutIndex(content);
      const state: Walk = { subject, seen: new Set(), found: new Map(), broken: [] };
      const tag = fallbackTag(subject);
      const isFallback = (entry: Descriptor) => entry.annotations?.[REF_NAME] === tag;
      for (const entry of entries) if (!isFallback(entry)) await walk(state, entry, 0, false);
      const direct = state.found.size;
      const fallback = entries.find(isFallback);
      for (const child of await listedIn(fallback, load, state)) await walk(state, child, 1, true);
      const descriptors = [...state.found.values()].filter(
        (found) => artifactType === undefined || found.artifactType === artifactType,
      );
      const by = fallback !== undefined && direct === 0 ? 'tag' : 'api';
      return { descriptors, by, broken: state.broken };
    },
  };
}

async function listedIn(
  fallback: Descriptor | undefined,
  load: (entry: Descriptor) => Promise<Manifest | string>,
  state: Walk,
): Promise<readonly Descriptor[]> {
  if (fallback === undefined) return [];
  const manifest = await load(fallback);
  if (typeof manifest !== 'string' && manifest.kind === 'index') return manifest.manifests;
  state.broken.push(`${fallback.digest}: the fallback tag is no readable index`);
  return [];
}

/** The parsed manifest, or why it cannot be read. */
async function loadManifest(content: LayoutContent, entry: Descriptor): Promise<Manifest | string> {
  try {
    const stored = await readManifest(content, entry.digest, entry.mediaType);
    return stored === null ? 'its manifest is not there' : parseManifest(stored);
  } catch (error) {
    if (error instanceof TrustFault) return error.message;
    throw new TrustFault('internal.defect', `reading ${quote(entry.digest)}`, undefined, {
      cause: error,
    });
  }
}

/** The descriptor as a registry's referrers API gives it (distribution-spec "Listing Referrers"). */
function describe(entry: Descriptor, manifest: Manifest): Descriptor {
  const artifactType = artifactTypeOf(manifest);
  return {
    mediaType: manifest.mediaType,
    digest: entry.digest,
    size: entry.size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  };
}
