import { hash } from 'node:crypto';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';

/**
 * What cells call the repository of an upstream: no name that anybody can push to begins with `~`,
 * and no host has one, so the port's colon can be told from the slashes of a key.
 */
export function upstreamKey(registry: string, repository: string): string {
  return `~${registry.replaceAll(':', '~')}/${repository}`;
}

/** The registry and the repository of an `upstreamKey`, or null for a repository of this registry. */
export function readUpstreamKey(
  key: string,
): { readonly registry: string; readonly repository: string } | null {
  const slash = key.indexOf('/');
  if (!key.startsWith('~') || slash === -1) return null;
  return {
    registry: key.slice(1, slash).replaceAll('~', ':'),
    repository: key.slice(slash + 1),
  };
}

/** A repository as messages name it, whatever cells call it. */
export function shownName(key: string): string {
  const upstream = readUpstreamKey(key);
  return upstream === null ? key : `${upstream.registry}/${upstream.repository}`;
}

// A repository is one segment of a key, so that `app` and `app/web` do not list each other.
function segment(repository: string): string {
  return repository.replaceAll('/', ':');
}

/** Keys of the cells in which a registry keeps what belongs to a repository, and where content lies. */
export const KEYS = {
  repositories: 'repositories/',
  contents: 'content/',
  repository: (repository: string) => `repositories/${segment(repository)}`,
  allBlobs: 'blobs/',
  allManifests: 'manifests/',
  blobs: (repository: string) => `blobs/${segment(repository)}/`,
  blob: (repository: string, digest: Digest) => `blobs/${segment(repository)}/${digest}`,
  manifests: (repository: string) => `manifests/${segment(repository)}/`,
  manifest: (repository: string, digest: Digest) => `manifests/${segment(repository)}/${digest}`,
  tags: (repository: string) => `tags/${segment(repository)}/`,
  tag: (repository: string, tag: string) => `tags/${segment(repository)}/${tag}`,
  allReferrers: (repository: string) => `referrers/${segment(repository)}/`,
  referrers: (repository: string, subject: Digest) =>
    `referrers/${segment(repository)}/${subject}/`,
  referrer: (repository: string, subject: Digest, digest: Digest) =>
    `referrers/${segment(repository)}/${subject}/${digest}`,
  allListed: (repository: string) => `listed/${segment(repository)}/`,
  /** The manifests of the repository that list a digest. */
  listed: (repository: string, digest: Digest) => `listed/${segment(repository)}/${digest}/`,
  listing: (repository: string, digest: Digest, manifest: Digest) =>
    `listed/${segment(repository)}/${digest}/${manifest}`,
} as const;

/** The repository of a key below `KEYS.repositories`. */
export function repositoryOfKey(key: string): string {
  return repositoryOfSegment(key.slice(KEYS.repositories.length));
}

function repositoryOfSegment(text: string): string {
  return text.replaceAll(':', '/');
}

/** The repository and the digest of a key below `KEYS.allBlobs` or `KEYS.allManifests`, or null. */
export function readContentKey(
  key: string,
): { readonly repository: string; readonly digest: Digest } | null {
  const [, segmentText = '', digest = ''] = key.split('/');
  return isDigest(digest) ? { repository: repositoryOfSegment(segmentText), digest } : null;
}

/** The name of the object that holds the content of a digest, whatever repositories have it. */
export function contentName(digest: Digest): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return `${KEYS.contents}${algorithm}/${hex.slice(0, 2)}/${hex}`;
}

/** The digest behind `contentName`, or null. */
export function digestOfContent(name: string): Digest | null {
  const [, algorithm = '', , hex = ''] = name.split('/');
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : null;
}

/** The staged write of an upload: bound to its repository, so no other can go on with it. */
export function stagingName(repository: string, upload: string): string {
  return `${upload}.${hash('sha256', repository).slice(0, 32)}`;
}
