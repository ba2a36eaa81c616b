/** Faults of showing, moving, removing and repairing what is attached to artifacts. */
export const EVIDENCE_CODES = {
  'inspect.unknown': {
    status: 400,
    exit: 1,
    means: 'A file is none of the kinds that Bulla explains.',
    remedy:
      'Give a bundle, a DSSE envelope, a simple-signing payload, a trust root, a public key, a certificate or a timestamp.',
  },
  'parcel.malformed': {
    status: 400,
    exit: 1,
    means: 'A layout is no parcel of `bulla save`, or its list of contents cannot be read.',
    remedy: 'Save the parcel again with `bulla save`; a plain layout is copied with `bulla copy`.',
  },
  'parcel.conflict': {
    status: 409,
    exit: 1,
    means: 'Two artifacts of one parcel need the same name for different content.',
    remedy: 'Save the artifacts that the message names in parcels of their own.',
  },
  'clean.refused': {
    status: 409,
    exit: 1,
    means: 'What lies under the name of evidence is no evidence, and was not removed.',
    remedy: 'Look at it with `bulla tree`, and remove it with the registry’s own tools.',
  },
  'doctor.referrers-api': {
    status: 502,
    exit: 1,
    means: 'The referrers API answers otherwise than the distribution specification says.',
    remedy: 'Update the registry; until then no client can rely on the referrers that it lists.',
  },
  'doctor.referrer-unlisted': {
    status: 409,
    exit: 1,
    means: 'A referrer is stored, and the list of its subject’s referrers lacks it.',
    remedy: 'Run `bulla doctor registry --repair` on the repository.',
  },
  'doctor.index-broken': {
    status: 409,
    exit: 1,
    means: 'A fallback tag holds no index, or entries that cannot be read.',
    remedy: 'Run `bulla doctor registry --repair` on the repository.',
  },
  'doctor.index-dangling': {
    status: 409,
    exit: 1,
    means:
      'A fallback index lists a manifest that is not there, or that is about another artifact.',
    remedy: 'Run `bulla doctor registry --repair` on the repository.',
  },
  'doctor.index-untyped': {
    status: 409,
    exit: 1,
    means: 'A fallback index has an entry without its artifactType, so that filters pass it over.',
    remedy: 'Run `bulla doctor registry --repair` on the repository.',
  },
  'doctor.orphan': {
    status: 409,
    exit: 1,
    means: 'A signature or another referrer is about an artifact that is gone.',
    remedy: 'Delete the tag or the manifest that the message names, or push the artifact again.',
  },
  'doctor.tags-immutable': {
    status: 409,
    exit: 1,
    means: 'Tags cannot be rewritten, which fallback indexes and cosign’s tags need.',
    remedy:
      'Exempt tags that begin with `sha256-` from immutability, or sign with the bundle format.',
  },
  'doctor.probe-left': {
    status: 409,
    exit: 1,
    means: 'The registry does not let the probe’s own manifests be deleted.',
    remedy: 'Remove the tag `bulla-doctor` of the repository with the registry’s own tools.',
  },
} as const;
