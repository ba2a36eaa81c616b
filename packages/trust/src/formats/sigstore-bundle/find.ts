import { COSIGN_SIGN_PREDICATE, predicateTypeMatches } from '../../claims/predicate-type.ts';
import { TrustFault } from '../../fault/fault.ts';
import { type Finding, failed } from '../../finding/finding.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseManifest } from '../../oci/manifest.ts';
import type { ArtifactSource } from '../../oci/store.ts';
import type { Evidence, FindOptions, FoundEvidence, Wanted } from '../../proof/evidence.ts';
import { fetchEach, findProblem } from '../../proof/gather.ts';
import { bundleVersionOf } from './media-type.ts';

const PREDICATE_ANNOTATION = 'dev.sigstore.bundle.predicateType';
const MAX_REFERRERS = 4000;
const MAX_BUNDLE_BYTES = 128 << 20;
/** All bundles of one artifact together: 4000 large ones would fill any memory. */
const MAX_BYTES = 256 << 20;

/**
 * Every bundle that refers to `subject`, by the referrers API or by the fallback tag, whichever
 * the source speaks. Referrers of other kinds are not ours and are passed over; a referrer that
 * says it holds a bundle and does not is a failed finding.
 */
export async function findBundles(
  source: ArtifactSource,
  subject: Digest,
  options: FindOptions = {},
): Promise<FoundEvidence> {
  const from = options.evidenceSource ?? source;
  let listed: readonly Descriptor[];
  const problems: Finding[] = [];
  try {
    const referrers = await from.referrers(subject, options);
    const ours = referrers.descriptors.filter((entry) => mayHoldBundle(entry, options.wanted));
    // A fallback index can name one manifest any number of times.
    listed = [...new Map(ours.map((entry) => [entry.digest, entry] as const)).values()];
    problems.push(
      ...referrers.broken.map((says) => failed('sigstore-bundle.find', 'manifest.malformed', says)),
    );
  } catch (error) {
    return { evidence: [], problems: [findProblem('sigstore-bundle.find', error)] };
  }
  if (listed.length > MAX_REFERRERS) {
    const says = `${listed.length} referrers, of which the first ${MAX_REFERRERS} are looked at`;
    problems.push(failed('sigstore-bundle.find', 'signature.limit', says));
  }
  const budget = { left: MAX_BYTES };
  const found = await fetchEach('sigstore-bundle.find', listed.slice(0, MAX_REFERRERS), (entry) =>
    fetchBundle(from, subject, entry, { ...options, budget }),
  );
  return { evidence: found.evidence, problems: [...problems, ...found.problems] };
}

/** A missing artifactType may hide a bundle: fallback entries by cosign can lack it. */
function mayHoldBundle(entry: Descriptor, wanted: Wanted | undefined): boolean {
  if (entry.artifactType !== undefined && bundleVersionOf(entry.artifactType) === null)
    return false;
  const noted = entry.annotations?.[PREDICATE_ANNOTATION];
  // The note only spares a download: what it hides can never be accepted by this question.
  if (noted === undefined || wanted === undefined) return true;
  return wanted.kind === 'signature'
    ? noted === COSIGN_SIGN_PREDICATE
    : predicateTypeMatches(wanted.predicateType, noted);
}

async function fetchBundle(
  source: ArtifactSource,
  subject: Digest,
  entry: Descriptor,
  options: FindOptions & { readonly budget: { left: number } },
): Promise<Evidence | Finding | null> {
  const where = `referrer ${entry.digest}`;
  const stored = await source.manifest(entry.digest, options);
  if (stored === null) {
    const says = `${where} is listed and the registry does not have it`;
    return failed('sigstore-bundle.find', 'bundle.referrer', says);
  }
  try {
    const manifest = parseManifest(stored);
    if (manifest.kind !== 'image') return null;
    // An unlabelled entry that is no bundle at all is somebody else's referrer.
    if (entry.artifactType === undefined && bundleVersionOf(manifest.artifactType ?? '') === null) {
      return null;
    }
    const layer = manifest.layers[0];
    if (
      layer === undefined ||
      manifest.layers.length !== 1 ||
      bundleVersionOf(manifest.artifactType ?? '') === null ||
      bundleVersionOf(layer.mediaType) === null ||
      manifest.subject?.digest !== subject
    ) {
      throw new TrustFault(
        'bundle.referrer',
        `${where} is not one bundle about ${subject}: artifact type ${manifest.artifactType ?? 'none'}, ${manifest.layers.length} layer(s), first ${layer?.mediaType ?? 'none'}`,
      );
    }
    if (layer.size > options.budget.left) {
      const says = `${where} would make the bundles of ${subject} more than ${MAX_BYTES} bytes`;
      return failed('sigstore-bundle.find', 'signature.limit', says);
    }
    options.budget.left -= layer.size;
    const bytes = await source.blob(layer, { ...options, maxBytes: MAX_BUNDLE_BYTES });
    if (bytes === null) {
      throw new TrustFault('bundle.referrer', `${where} lacks its layer ${layer.digest}`);
    }
    return {
      format: 'sigstore-bundle',
      digest: layer.digest,
      where,
      bytes,
      annotations: manifest.annotations ?? {},
      mediaType: layer.mediaType,
    };
  } catch (error) {
    return findProblem('sigstore-bundle.find', error);
  }
}
