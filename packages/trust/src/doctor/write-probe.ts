import { utf8 } from '../bytes/byte-string.ts';
import { codeEntry } from '../fault/codes.ts';
import { asFault, type TrustFault } from '../fault/fault.ts';
import { type Finding, failed, passed } from '../finding/finding.ts';
import { computeDigest, type Digest } from '../oci/digest.ts';
import { MEDIA_TYPES } from '../oci/manifest.ts';
import { getManifest, pushManifest, removeManifest } from '../oci/registry/manifests.ts';
import { listReferrers } from '../oci/registry/referrers.ts';
import type { Repository } from '../oci/registry/repository.ts';
import { uploadBytes } from '../oci/registry/upload.ts';
import type { CallOptions, StoredManifest } from '../oci/store.ts';
import { findProblem } from '../proof/gather.ts';

/** The tag under which the probe writes, and the repository where none was named. */
export const SCRATCH = 'bulla-doctor';

const SPEC = 'distribution-spec 1.1';
const ARTIFACT_TYPE = 'application/vnd.bulla.doctor.v1+json';
const EMPTY = utf8('{}');
const EMPTY_DIGEST = computeDigest(EMPTY);

/**
 * Writes a subject, a referrer of it and another manifest, sees what the registry makes of them, and
 * deletes them again. `run` makes them unlike those of any other run. A registry that refuses the
 * first write gives that as its only finding.
 */
export async function probeWriting(
  repository: Repository,
  run: string,
  options: CallOptions,
): Promise<readonly Finding[]> {
  const subject = scratchManifest(run, 'subject');
  const referrer = scratchManifest(run, 'referrer', subject);
  const other = scratchManifest(run, 'other');
  const findings: Finding[] = [];
  try {
    const descriptor = { digest: EMPTY_DIGEST, size: EMPTY.length };
    await uploadBytes(repository, descriptor, EMPTY, options);
    await pushManifest(repository, SCRATCH, subject, options);
    findings.push(passed('registry.write', `${repository.name}:${SCRATCH} was written`));
    findings.push(await probeSubject(repository, subject, referrer, options));
    findings.push(await probeConditions(repository, subject, options));
    findings.push(await probeOverwriting(repository, other, options));
  } catch (error) {
    findings.push(findProblem('registry.write', error));
    if (findings.length === 1) return findings;
  }
  const written = [referrer, other, subject].map(({ digest }) => digest);
  findings.push(...(await cleanUp(repository, written, options)));
  return findings;
}

function scratchManifest(run: string, part: string, subject?: StoredManifest): StoredManifest {
  const document = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    artifactType: ARTIFACT_TYPE,
    config: { mediaType: MEDIA_TYPES.empty, digest: EMPTY_DIGEST, size: EMPTY.length },
    layers: [{ mediaType: MEDIA_TYPES.empty, digest: EMPTY_DIGEST, size: EMPTY.length }],
    ...(subject === undefined
      ? {}
      : {
          subject: {
            mediaType: subject.mediaType,
            digest: subject.digest,
            size: subject.bytes.length,
          },
        }),
    annotations: { 'dev.bulla.doctor': `${part} ${run}` },
  };
  const bytes = utf8(JSON.stringify(document));
  return { bytes, mediaType: MEDIA_TYPES.ociManifest, digest: computeDigest(bytes) };
}

async function probeSubject(
  repository: Repository,
  subject: StoredManifest,
  referrer: StoredManifest,
  options: CallOptions,
): Promise<Finding> {
  const check = 'registry.oci-subject';
  const pushed = await pushManifest(repository, referrer.digest, referrer, options);
  const said = pushed !== 'changed' && pushed.subject === subject.digest;
  const list = await listReferrers(repository, { api: undefined }, subject.digest, options);
  if (list.by === 'tag') {
    return said
      ? failed(
          check,
          'doctor.referrers-api',
          'OCI-Subject is answered and there is no referrers API',
          SPEC,
        )
      : passed(check, 'no OCI-Subject: clients write the fallback tag themselves', SPEC);
  }
  if (!list.descriptors.some(({ digest }) => digest === referrer.digest)) {
    const says = 'a referrer that was just pushed is not in the answer of the referrers API';
    return failed(check, 'doctor.referrers-api', says, SPEC);
  }
  const header = said ? 'answers OCI-Subject' : 'does not answer OCI-Subject (it should)';
  return passed(check, `the registry lists new referrers and ${header}`, SPEC);
}

async function probeConditions(
  repository: Repository,
  subject: StoredManifest,
  options: CallOptions,
): Promise<Finding> {
  const conditions = { 'if-match': '"bulla-doctor-no-such-tag"' };
  const answer = await pushManifest(repository, SCRATCH, subject, { ...options, conditions });
  const says =
    answer === 'changed'
      ? 'If-Match is heeded: concurrent signers cannot lose each other’s entries'
      : 'If-Match is not heeded: fallback tags are read back after each write';
  return passed('registry.conditions', says, 'RFC 9110 §13.1.1');
}

async function probeOverwriting(
  repository: Repository,
  other: StoredManifest,
  options: CallOptions,
): Promise<Finding> {
  const check = 'registry.tags-mutable';
  try {
    await pushManifest(repository, SCRATCH, other, options);
  } catch (error) {
    const fault = asFault(error);
    const refused = ['registry.refused', 'registry.denied', 'registry.unsupported'];
    if (!refused.includes(fault.code)) throw fault;
    return failed(check, 'doctor.tags-immutable', fault.message);
  }
  const now = await getManifest(repository, SCRATCH, options);
  return now?.digest === other.digest
    ? passed(check, 'a tag can be moved, as fallback tags and cosign’s tags need')
    : failed(check, 'doctor.tags-immutable', 'a tag that was moved leads to the old manifest');
}

/** Deletes the tag, then the manifests; what cannot be deleted is a finding. */
async function cleanUp(
  repository: Repository,
  written: readonly Digest[],
  options: CallOptions,
): Promise<readonly Finding[]> {
  const byTag = await remove(repository, SCRATCH, options);
  const left: string[] = [];
  let why = '';
  for (const digest of written) {
    const fault = await remove(repository, digest, options);
    if (fault === null) continue;
    left.push(digest);
    why = fault.message;
  }
  const tags = byTag === null ? 'can be deleted by themselves' : 'go only with their manifests';
  if (left.length === 0) {
    return [passed('registry.delete', `manifests can be deleted; tags ${tags}`, SPEC)];
  }
  return [failed('registry.delete', 'doctor.probe-left', `${left.join(', ')} stays: ${why}`, SPEC)];
}

async function remove(
  repository: Repository,
  tagOrDigest: string,
  options: CallOptions,
): Promise<TrustFault | null> {
  try {
    await removeManifest(repository, tagOrDigest, options);
    return null;
  } catch (error) {
    const fault = asFault(error);
    if (codeEntry(fault.code).exit === 4) throw fault;
    return fault;
  }
}
