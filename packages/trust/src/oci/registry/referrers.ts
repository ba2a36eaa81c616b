import { quote, TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import type { Digest } from '../digest.ts';
import { MANIFEST_LIMIT } from '../manifest.ts';
import {
  fallbackTag,
  filterReferrers,
  parseReferrerList,
  REFERRERS_LIMIT,
  type ReferrerList,
} from '../referrer-list.ts';
import type { CallOptions, Referrers, ReferrersQuery } from '../store.ts';
import type { RawAnswer } from './exchange.ts';
import { getManifest, mediaTypeOf } from './manifests.ts';
import { nextPage } from './pages.ts';
import { answerFault } from './registry-client.ts';
import { abortOf, apiPath, type Repository, readScope } from './repository.ts';

/** What is known of a registry's referrers API; learned from its answers, once per store. */
export interface ReferrersSupport {
  api: boolean | undefined;
}

/**
 * All referrers of a subject: by the referrers API, all pages joined; where the registry has none
 * (404), by the fallback tag. The filter is applied again to what comes, whether or not the registry
 * says that it did. Throws `registry.malformed-answer` when the API answers with something else than
 * an index, `registry.limit` above 10,000 entries; a broken fallback index is reported in `broken`,
 * because whoever may push wrote it.
 */
export async function listReferrers(
  repository: Repository,
  support: ReferrersSupport,
  subject: Digest,
  query?: ReferrersQuery,
): Promise<Referrers> {
  const found = support.api === false ? undefined : await listByApi(repository, subject, query);
  support.api = found !== undefined;
  const { list, by } =
    found === undefined
      ? { list: await listByTag(repository, subject, query), by: 'tag' as const }
      : { list: found, by: 'api' as const };
  return {
    descriptors: filterReferrers(list.descriptors, query?.artifactType),
    by,
    broken: list.broken,
  };
}

type Listed = Pick<ReferrerList, 'descriptors' | 'broken'>;

/** The answer of the API, or undefined when the registry does not have it. */
async function listByApi(
  repository: Repository,
  subject: Digest,
  query?: ReferrersQuery,
): Promise<Listed | undefined> {
  const filter =
    query?.artifactType === undefined
      ? ''
      : `?artifactType=${encodeURIComponent(query.artifactType)}`;
  let url: string | URL | undefined = apiPath(repository, `referrers/${subject}${filter}`);
  const descriptors = new Map<string, Descriptor>();
  const broken: string[] = [];
  for (let page = 0; url !== undefined; page++) {
    const answer: RawAnswer = await repository.client.send({
      method: 'GET',
      url,
      scope: readScope(repository),
      wholeBytes: MANIFEST_LIMIT,
      ...abortOf(query),
    });
    // distribution-spec "Listing Referrers": 404 means that the API is not there.
    if (page === 0 && [404, 405, 501].includes(answer.status)) {
      answer.discard();
      return undefined;
    }
    const where = `referrers of ${repository.name}@${subject}`;
    if (answer.status !== 200) throw await answerFault(answer, where);
    const list = await readPage(answer, where);
    for (const found of list.descriptors) descriptors.set(found.digest, found);
    broken.push(...list.broken);
    if (descriptors.size + broken.length > REFERRERS_LIMIT) {
      throw new TrustFault('registry.limit', `${where}: more than ${REFERRERS_LIMIT}`);
    }
    url = nextPage(answer, page);
  }
  return { descriptors: [...descriptors.values()], broken };
}

async function readPage(answer: RawAnswer, where: string): Promise<Listed> {
  try {
    return parseReferrerList(await answer.read(MANIFEST_LIMIT), where);
  } catch (cause) {
    if (!(cause instanceof TrustFault) || cause.code.startsWith('registry.')) throw cause;
    throw new TrustFault(
      'registry.malformed-answer',
      `${where}: expected an index, found ${quote(mediaTypeOf(answer))}`,
      undefined,
      { cause },
    );
  }
}

async function listByTag(
  repository: Repository,
  subject: Digest,
  options?: CallOptions,
): Promise<Listed> {
  const tag = fallbackTag(subject);
  const manifest = await getManifest(repository, tag, options);
  if (manifest === null) return { descriptors: [], broken: [] };
  try {
    return parseReferrerList(manifest.bytes, `the tag ${tag}`);
  } catch (error) {
    if (!(error instanceof TrustFault) || error.code === 'registry.limit') throw error;
    return { descriptors: [], broken: [`the tag ${tag} is no index: ${error.message}`] };
  }
}
