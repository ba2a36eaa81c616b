import { TrustFault } from '../../fault/fault.ts';
import { type Finding, failed } from '../../finding/finding.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import type { ArtifactSource, StoredManifest } from '../../oci/store.ts';
import type { Evidence, FindOptions, FoundEvidence, Wanted } from '../../proof/evidence.ts';
import { fetchEach, findProblem } from '../../proof/gather.ts';
import { companionTag } from './layer.ts';

const CHECK = 'cosign-legacy.find';
const MAX_LAYERS = 4000;
const MAX_PAYLOAD_BYTES = 1 << 20;
const MAX_ATTESTATION_BYTES = 128 << 20;
/** All layers of one tag together: 4000 large ones would fill any memory. A payload is under 1 KiB. */
const MAX_BYTES = { sig: 32 << 20, att: 256 << 20 } as const;

type Kind = 'sig' | 'att';

/**
 * Every layer under the digest's `.sig` and `.att` tags, or under the one that is wanted. A tag
 * that is not there holds nothing; a manifest that cannot be read is a failed finding.
 */
export async function findLegacy(
  source: ArtifactSource,
  subject: Digest,
  options: FindOptions = {},
): Promise<FoundEvidence> {
  const from = options.evidenceSource ?? source;
  const found = await Promise.all(
    kindsOf(options.wanted).map((kind) => findKind(from, subject, kind, options)),
  );
  return {
    evidence: found.flatMap((part) => part.evidence),
    problems: found.flatMap((part) => part.problems),
  };
}

function kindsOf(wanted: Wanted | undefined): readonly Kind[] {
  if (wanted === undefined) return ['sig', 'att'];
  return wanted.kind === 'signature' ? ['sig'] : ['att'];
}

async function findKind(
  source: ArtifactSource,
  subject: Digest,
  kind: Kind,
  options: FindOptions,
): Promise<FoundEvidence> {
  const tag = companionTag(subject, kind);
  let layers: readonly Descriptor[];
  try {
    const stored = await source.manifest(tag, options);
    if (stored === null) return { evidence: [], problems: [] };
    layers = layersOf(stored, tag);
  } catch (error) {
    return { evidence: [], problems: [findProblem(CHECK, error)] };
  }
  const problems: Finding[] = [];
  if (layers.length > MAX_LAYERS) {
    const says = `${layers.length} layers under ${tag}, of which the first ${MAX_LAYERS} are looked at`;
    problems.push(failed(CHECK, 'signature.limit', says));
  }
  const numbered = layers.slice(0, MAX_LAYERS).map((layer, index) => ({ layer, index }));
  let left: number = MAX_BYTES[kind];
  const found = await fetchEach(CHECK, numbered, async ({ layer, index }) => {
    const where = `layer ${index} of ${tag}`;
    if (layer.size > left) {
      const says = `${where} would make the layers more than ${MAX_BYTES[kind]} bytes`;
      return failed(CHECK, 'signature.limit', says);
    }
    left -= layer.size;
    return fetchLayer(source, layer, where, kind, options);
  });
  return { evidence: found.evidence, problems: [...problems, ...found.problems] };
}

function layersOf(stored: StoredManifest, tag: string): readonly Descriptor[] {
  const manifest = parseManifest(stored);
  if (manifest.kind === 'image') return manifest.layers;
  throw new TrustFault('cosign-legacy.malformed', `expected a manifest with layers under ${tag}`);
}

async function fetchLayer(
  source: ArtifactSource,
  layer: Descriptor,
  where: string,
  kind: Kind,
  options: FindOptions,
): Promise<Evidence | Finding> {
  const maxBytes = kind === 'sig' ? MAX_PAYLOAD_BYTES : MAX_ATTESTATION_BYTES;
  const bytes = await source.blob(layer, { ...options, maxBytes });
  if (bytes === null) {
    const says = `${where}: the registry lacks its blob ${layer.digest}`;
    return failed(CHECK, 'cosign-legacy.malformed', says);
  }
  return {
    format: 'cosign-legacy',
    digest: layer.digest,
    where,
    bytes,
    annotations: layer.annotations ?? {},
    mediaType: layer.mediaType,
  };
}
