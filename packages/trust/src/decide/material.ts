import { TrustFault } from '../fault/fault.ts';
import { FORMATS } from '../formats/list.ts';
import type { Digest } from '../oci/digest.ts';
import type { ArtifactSource, CallOptions, StoredManifest } from '../oci/store.ts';
import type { FoundEvidence, Wanted } from '../proof/evidence.ts';
import { fetchManifest } from '../verify/fetch.ts';

/** Where a decision takes manifests and evidence from: a source, or what an earlier decision saw. */
export interface Material {
  /** The manifest of these very bytes; null when the source lacks it. Throws the source's faults. */
  node(digest: Digest): Promise<StoredManifest | null>;
  /** What is stored for a node, in every format; outages are among its problems. */
  evidence(digest: Digest, gathering: Gathering): Promise<FoundEvidence>;
}

/** What is looked for on a node: all signatures, or all attestations of one type. */
export type Gathering = 'signature' | { readonly predicateType: string };

/** Under what a question is gathered: signed annotations are judged, not looked for. */
export function gatheringOf(wanted: Wanted): Gathering {
  return wanted.kind === 'signature' ? 'signature' : { predicateType: wanted.predicateType };
}

/** One text for each gathering. */
export function gatheringKey(gathering: Gathering): string {
  return gathering === 'signature' ? gathering : `attestation ${gathering.predicateType}`;
}

/** The question that finds all that a gathering may hold. */
function wantedOf(gathering: Gathering): Wanted {
  return gathering === 'signature'
    ? { kind: 'signature', annotations: {} }
    : { kind: 'attestation', predicateType: gathering.predicateType };
}

/**
 * Material from a registry or a layout. Each list of referrers, each tag and each blob is asked for
 * once; over 192 MiB of blobs are `registry.limit`.
 */
export function sourceMaterial(source: ArtifactSource, options: CallOptions): Material {
  const asked = withMemory(source);
  const gathered = new Map<string, Promise<FoundEvidence>>();
  return {
    node: (digest) => fetchManifest(asked, digest, options),
    evidence: (digest, gathering) =>
      remembered(gathered, `${digest} ${gatheringKey(gathering)}`, async () => {
        const wanted = wantedOf(gathering);
        const found = await Promise.all(
          FORMATS.map((format) => format.find(asked, digest, { ...options, wanted })),
        );
        return {
          evidence: found.flatMap((part) => part.evidence),
          problems: found.flatMap((part) => part.problems),
        };
      }),
  };
}

/**
 * All evidence of one decision, on all its nodes: a tree of a thousand leaves, each with what one may
 * have, would fill any memory. In base64 it is what a dossier may be, 256 MiB.
 */
const MAX_BYTES = 192 << 20;

/** The source with what several questions of one decision ask alike asked once. */
function withMemory(source: ArtifactSource): ArtifactSource {
  let left = MAX_BYTES;
  const manifests = new Map<string, ReturnType<ArtifactSource['manifest']>>();
  const referrers = new Map<Digest, ReturnType<ArtifactSource['referrers']>>();
  const blobs = new Map<string, ReturnType<ArtifactSource['blob']>>();
  return {
    name: source.name,
    resolve: (tagOrDigest, options) => source.resolve(tagOrDigest, options),
    manifest: (tagOrDigest, options) =>
      remembered(manifests, tagOrDigest, () => source.manifest(tagOrDigest, options)),
    blob: (descriptor, options) =>
      remembered(
        blobs,
        JSON.stringify([descriptor.digest, descriptor.size, options?.maxBytes]),
        async () => {
          if (descriptor.size > left) {
            const says = `${source.name}: the evidence of one decision is more than ${MAX_BYTES} bytes`;
            throw new TrustFault('registry.limit', says);
          }
          left -= descriptor.size;
          return source.blob(descriptor, options);
        },
      ),
    blobStream: (descriptor, options) => source.blobStream(descriptor, options),
    referrers: (subject, query) =>
      query?.artifactType === undefined
        ? remembered(referrers, subject, () => source.referrers(subject, query))
        : source.referrers(subject, query),
    tags: (options) => source.tags(options),
  };
}

/** The value of a key, computed at its first use. */
export function remembered<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
