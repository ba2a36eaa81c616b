import { type Finding, failed, passed, skipped } from '../finding/finding.ts';
import type { Digest } from '../oci/digest.ts';
import { MANIFEST_LIMIT, MEDIA_TYPES } from '../oci/manifest.ts';
import { parseReferrerList } from '../oci/referrer-list.ts';
import type { RawAnswer } from '../oci/registry/exchange.ts';
import { getManifest, mediaTypeOf } from '../oci/registry/manifests.ts';
import { answerFault, pingRegistry } from '../oci/registry/registry-client.ts';
import { abortOf, apiPath, type Repository, readScope } from '../oci/registry/repository.ts';
import type { CallOptions } from '../oci/store.ts';
import { findProblem } from '../proof/gather.ts';

const SPEC = 'distribution-spec 1.1';
/** An artifact type that nothing has, to see whether the registry filters. */
const PROBE_TYPE = 'application/vnd.bulla.doctor.v1+json';

/** Whether a registry answers at all, with the credentials at hand. */
export async function probeBase(
  repository: Pick<Repository, 'client'>,
  call: CallOptions,
): Promise<Finding> {
  const { registry, options } = repository.client;
  try {
    await pingRegistry(registry, options, call);
    return passed('registry.base', `${registry} answers /v2/`, `${SPEC} end-1`);
  } catch (error) {
    return findProblem('registry.base', error);
  }
}

/** What the referrers API came to; `api` is null when it could not be told. */
export interface ReferrersProbe {
  readonly findings: readonly Finding[];
  readonly api: boolean | null;
}

/** Whether the referrers API is there and answers as the specification says, for a known subject. */
export async function probeReferrers(
  repository: Repository,
  subject: Digest,
  options: CallOptions,
): Promise<ReferrersProbe> {
  const check = 'registry.referrers';
  try {
    const plain = await ask(repository, `referrers/${subject}`, options);
    if ([404, 405, 501].includes(plain.status)) {
      const says = `no referrers API (${plain.status}): clients keep fallback tags`;
      plain.discard();
      return { findings: [passed(check, says, SPEC)], api: false };
    }
    if (plain.status !== 200) throw await answerFault(plain, 'the referrers API');
    const broken = await checkList(plain);
    if (broken !== null)
      return { findings: [failed(check, 'doctor.referrers-api', broken)], api: null };
    const filtered = await ask(
      repository,
      `referrers/${subject}?artifactType=${encodeURIComponent(PROBE_TYPE)}`,
      options,
    );
    filtered.discard();
    const applied = filtered.header('oci-filters-applied') ?? '';
    const filter = /\bartifactType\b/.test(applied)
      ? 'filters by artifactType (OCI-Filters-Applied)'
      : 'does not filter; clients filter themselves';
    const findings = [
      passed(check, 'the referrers API is there', SPEC),
      passed('registry.referrers.filter', `the API ${filter}`, SPEC),
    ];
    return { findings, api: true };
  } catch (error) {
    return { findings: [findProblem(check, error)], api: null };
  }
}

async function checkList(answer: RawAnswer): Promise<string | null> {
  const mediaType = mediaTypeOf(answer);
  const bytes = await answer.read(MANIFEST_LIMIT);
  if (mediaType !== MEDIA_TYPES.ociIndex) {
    return `the referrers API answers ${mediaType || 'without a type'}, expected an OCI index`;
  }
  const problem = findProblemOf(() => parseReferrerList(bytes, 'the referrers API'));
  return problem === null ? null : `the referrers API answers no index: ${problem.says}`;
}

function findProblemOf(read: () => unknown): Finding | null {
  try {
    read();
    return null;
  } catch (error) {
    return findProblem('registry.referrers', error);
  }
}

function ask(repository: Repository, path: string, options: CallOptions): Promise<RawAnswer> {
  return repository.client.send({
    method: 'GET',
    url: apiPath(repository, path),
    scope: readScope(repository),
    ...abortOf(options),
  });
}

/** Whether tags come with a validator, which conditional writes need. */
export async function probeValidator(
  repository: Repository,
  tag: string,
  options: CallOptions,
): Promise<Finding> {
  const check = 'registry.etag';
  try {
    const found = await getManifest(repository, tag, options);
    const has = found?.etag !== undefined;
    const says = has
      ? 'manifests come with an ETag, so that a tag can be written with If-Match'
      : 'manifests come without ETag: fallback tags are read back after each write';
    return passed(check, says, 'RFC 9110 §8.8.3');
  } catch (error) {
    return findProblem(check, error);
  }
}

/** The checks that need a repository with something in it. */
export function withoutRepository(why: string): readonly Finding[] {
  return [skipped('registry.referrers', why), skipped('registry.etag', why)];
}
