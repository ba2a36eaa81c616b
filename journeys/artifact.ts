import { utf8 } from '@bulla/trust/bytes/byte-string';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { ArtifactTarget } from '@bulla/trust/oci/store';
import { pushDescribed, pushImage } from '../demo/image.ts';

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';

/** One file of an artifact. */
export interface Layer {
  readonly mediaType: string;
  readonly content: Uint8Array;
}

/** An artifact that is no container image: a chart, a module, a configuration. */
export interface Artifact {
  readonly artifactType?: string;
  readonly config: Layer;
  readonly layers: readonly Layer[];
}

/** The repository of `HOST/NAME`, with a token of Bulla's or without any credentials. */
export function openRepository(name: string, token?: string): Promise<ArtifactTarget> {
  return openStore(parseReference(name), {
    env: {},
    homeFolder: '/nonexistent',
    ...(token === undefined ? {} : { username: 'token', password: token }),
  });
}

/** Pushes a small runnable image as `HOST/NAME:TAG`; each text gives another digest. */
export async function pushSmallImage(repository: string, tag: string, says = tag): Promise<Digest> {
  return pushImage(await openRepository(repository), tag, says);
}

/** Pushes an index of two platforms as `HOST/NAME:TAG`, and gives the digests of all three. */
export async function pushMultiArch(
  repository: string,
  tag: string,
  token?: string,
): Promise<{ readonly index: Digest; readonly amd64: Digest; readonly arm64: Digest }> {
  const target = await openRepository(repository, token);
  const child = async (architecture: string) => {
    const says = `${tag} on ${architecture}`;
    const descriptor = await pushDescribed(target, `${tag}-${architecture}`, says);
    return { ...descriptor, platform: { os: 'linux', architecture } };
  };
  const manifests = [await child('amd64'), await child('arm64')] as const;
  const bytes = utf8(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  const index = await target.putManifest({ bytes, mediaType: OCI_INDEX }, { tag });
  return { index, amd64: manifests[0].digest, arm64: manifests[1].digest };
}

/** Pushes any artifact as `HOST/NAME:TAG`. */
export async function pushArtifact(
  repository: string,
  tag: string,
  artifact: Artifact,
): Promise<Digest> {
  const target = await openRepository(repository);
  const put = async ({ mediaType, content }: Layer) => {
    const descriptor = { mediaType, digest: computeDigest(content), size: content.length };
    await target.putBlob(descriptor, content);
    return descriptor;
  };
  const { artifactType } = artifact;
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: await put(artifact.config),
    layers: await Promise.all(artifact.layers.map(put)),
  };
  const bytes = utf8(JSON.stringify(manifest));
  return target.putManifest({ bytes, mediaType: OCI_MANIFEST }, { tag });
}
