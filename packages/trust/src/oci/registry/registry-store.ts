import { parseJson } from '../../bytes/json.ts';
import { asArray, asString, cursor, member } from '../../bytes/shape.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import type { Descriptor } from '../descriptor.ts';
import { canonicalName, isTag, type RegistryReference } from '../reference.ts';
import type { ArtifactTarget, CallOptions } from '../store.ts';
import { getBlob, hasBlob, streamBlob } from './blobs.ts';
import type { RawAnswer } from './exchange.ts';
import { getManifest, headManifest } from './manifests.ts';
import type { RegistryOptions } from './options.ts';
import { nextPage } from './pages.ts';
import { listReferrers, type ReferrersSupport } from './referrers.ts';
import { answerFault, registryClient } from './registry-client.ts';
import { abortOf, apiPath, type Repository, readScope } from './repository.ts';

const TAGS_LIMIT = 200_000;
const TAG_PAGE_BYTES = 8 << 20;

/** The repositories behind stores, so that one store can mount from another. */
const repositories = new WeakMap<object, Repository>();

/**
 * One repository of a registry as source and target (distribution-spec 1.1). Nothing is sent before
 * the first call. The writing side is loaded when it is first used.
 */
export function openRegistryStore(
  reference: RegistryReference,
  options: RegistryOptions,
): ArtifactTarget {
  const client = registryClient(reference.registry, options);
  const repository: Repository = {
    client,
    path: reference.repository,
    name: canonicalName(reference),
  };
  const support: ReferrersSupport = { api: undefined };
  const store: ArtifactTarget = {
    name: repository.name,
    resolve: (tagOrDigest, call) => resolve(repository, tagOrDigest, call),
    async manifest(tagOrDigest, call) {
      const found = await getManifest(repository, tagOrDigest, call);
      return found && { bytes: found.bytes, mediaType: found.mediaType, digest: found.digest };
    },
    blob: (descriptor, call) => getBlob(repository, descriptor, call),
    blobStream: (descriptor, call) => streamBlob(repository, descriptor, call),
    referrers: (subject, query) => listReferrers(repository, support, subject, query),
    tags: (call) => listTags(repository, call),
    hasBlob: (digest, call) => hasBlob(repository, digest, call),
    async putBlob(descriptor, content, call) {
      const { uploadBytes, uploadStream } = await import('./upload.ts');
      if (content instanceof Uint8Array) await uploadBytes(repository, descriptor, content, call);
      else await uploadStream(repository, descriptor, content, call);
    },
    async mountBlob(digest, from, call) {
      const source = repositories.get(from);
      if (source?.client.registry !== client.registry || source.path === repository.path)
        return false;
      const { mountBlob } = await import('./upload.ts');
      return mountBlob(repository, digest, source, call);
    },
    async putManifest(manifest, call) {
      const { putManifest } = await import('./manifest-writer.ts');
      return putManifest(repository, support, manifest, call);
    },
    async deleteManifest(digest, call) {
      const { deleteManifest } = await import('./manifest-writer.ts');
      return deleteManifest(repository, support, digest, call);
    },
    async deleteTag(tag, call) {
      const { deleteTag } = await import('./manifest-writer.ts');
      return deleteTag(repository, tag, call);
    },
  };
  repositories.set(store, repository);
  return store;
}

async function resolve(
  repository: Repository,
  tagOrDigest: string,
  options?: CallOptions,
): Promise<Descriptor | null> {
  const head = await headManifest(repository, tagOrDigest, options);
  if (head !== undefined) return head;
  const found = await getManifest(repository, tagOrDigest, options);
  return found && { mediaType: found.mediaType, digest: found.digest, size: found.bytes.length };
}

async function listTags(repository: Repository, options?: CallOptions): Promise<readonly string[]> {
  const tags: string[] = [];
  let url: string | URL | undefined = apiPath(repository, 'tags/list');
  for (let page = 0; url !== undefined; page++) {
    const answer: RawAnswer = await repository.client.send({
      method: 'GET',
      url,
      scope: readScope(repository),
      wholeBytes: TAG_PAGE_BYTES,
      ...abortOf(options),
    });
    if (answer.status === 404 && page === 0) {
      answer.discard();
      return [];
    }
    if (answer.status !== 200) throw await answerFault(answer, `tags of ${repository.name}`);
    tags.push(...(await readTags(answer, repository)));
    if (tags.length > TAGS_LIMIT) {
      throw new TrustFault('registry.limit', `${repository.name} has more than ${TAGS_LIMIT} tags`);
    }
    url = nextPage(answer, page);
  }
  return [...new Set(tags)].sort();
}

async function readTags(answer: RawAnswer, repository: Repository): Promise<readonly string[]> {
  const where = `tags of ${repository.name}`;
  try {
    const value = parseJson(await answer.read(TAG_PAGE_BYTES), where, { maxBytes: TAG_PAGE_BYTES });
    const at = member(cursor(value, '', 'registry.malformed-answer'), 'tags');
    // A repository without tags has null there.
    const tags = at.value === null ? [] : asArray(at, asString, TAGS_LIMIT);
    const wrong = tags.find((tag) => !isTag(tag));
    if (wrong === undefined) return tags;
    throw new TrustFault('registry.malformed-answer', `${where}: ${quote(wrong)} is no tag`);
  } catch (cause) {
    if (!(cause instanceof TrustFault) || cause.code.startsWith('registry.')) throw cause;
    throw new TrustFault('registry.malformed-answer', `${where}: expected a list`, undefined, {
      cause,
    });
  }
}
