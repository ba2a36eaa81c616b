import { quote, TrustFault } from '../../fault/fault.ts';
import { type Digest, isDigest } from '../digest.ts';
import { isTag } from '../reference.ts';
import type { CallOptions } from '../store.ts';
import type { RegistryClient } from './registry-client.ts';

/** One repository of a registry, as the files of this folder hand it to each other. */
export interface Repository {
  readonly client: RegistryClient;
  /** `library/alpine`. */
  readonly path: string;
  /** `docker.io/library/alpine`, for messages. */
  readonly name: string;
}

/** The path of the registry's API for one thing of a repository. */
export function apiPath(repository: Repository, rest: string): string {
  return `/v2/${repository.path}/${rest}`;
}

/** The path of a manifest by tag or digest. Throws `reference.malformed` for anything else. */
export function manifestPath(repository: Repository, tagOrDigest: string): string {
  if (!isDigest(tagOrDigest) && !isTag(tagOrDigest)) {
    throw new TrustFault(
      'reference.malformed',
      `expected a tag or a digest for ${repository.name}, found ${quote(tagOrDigest)}`,
    );
  }
  return apiPath(repository, `manifests/${tagOrDigest}`);
}

/** The path of a blob. */
export function blobPath(repository: Repository, digest: Digest): string {
  return apiPath(repository, `blobs/${digest}`);
}

/** The scope for reading; a token for writing that is at hand serves as well. */
export function readScope(repository: Repository): string {
  const write = writeScope(repository);
  return repository.client.holds(write) ? write : `repository:${repository.path}:pull`;
}

/** The scope for writing. */
export function writeScope(repository: Repository): string {
  return `repository:${repository.path}:pull,push`;
}

/** The scope for deleting. */
export function deleteScope(repository: Repository): string {
  return `repository:${repository.path}:delete`;
}

/** The caller's signal, as a member of a request. */
export function abortOf(options: CallOptions | undefined): { readonly signal?: AbortSignal } {
  return options?.signal === undefined ? {} : { signal: options.signal };
}
