import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { COSIGN_SIGN_PREDICATE } from '@bulla/trust/claims/predicate-type';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import type { Signer } from '@bulla/trust/crypto/signer';
import { attachBundle } from '@bulla/trust/formats/sigstore-bundle/attach';
import { signStatement, signStatementBundle } from '@bulla/trust/formats/sigstore-bundle/sign';
import { keyFileIo } from '@bulla/trust/keys/file/disk';
import { generatePrivateKey, plainPrivateKeyPem } from '@bulla/trust/keys/file/generate';
import { openSigner } from '@bulla/trust/keys/file/open';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import type { ArtifactTarget } from '@bulla/trust/oci/store';
import { NO_SERVICES } from '@bulla/trust/proof/services';

/** A key, and the policy that asks for its signature on everything. */
export interface Ground {
  readonly signer: Signer;
  readonly policyFile: string;
}

/** Makes a key and an enforcing policy in `folder`. */
export async function prepareGround(folder: string): Promise<Ground> {
  const path = join(folder, 'bench.key');
  await writeFile(path, plainPrivateKeyPem(await generatePrivateKey()), { mode: 0o600 });
  const signer = await openSigner({ kind: 'file', path }, keyFileIo({}));
  await writeFile(join(folder, 'bench.pub'), publicKeyPem(signer.publicKey));
  const policyFile = join(folder, 'policy.yaml');
  const policy = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: bench }
spec:
  images: [{ glob: "**" }]
  mode: enforce
  authorities:
    release: { key: { ref: bench.pub } }
  require:
    signed: { of: [release] }
`;
  await writeFile(policyFile, policy);
  return { signer, policyFile };
}

/** What is pushed. */
export interface ImagesWanted {
  /** `HOST/REPOSITORY`. */
  readonly repository: string;
  /** An API token with which to push; null where everybody may. */
  readonly token: string | null;
  readonly signer: Signer;
  readonly count: number;
  /** The one layer of all of them. */
  readonly layer: Uint8Array;
}

/** One image that was pushed and signed: by `tag` (`v0`, `v1`, …) or by its digest. */
export interface SignedImage {
  readonly tag: string;
  readonly digest: Digest;
}

/** The images in the order of their tags, and the one layer of all of them. */
export interface PushedImages {
  readonly images: readonly SignedImage[];
  readonly layerDigest: Digest;
}

const AT_ONCE = 8;

/** Pushes images that differ by an annotation, each signed with a bundle. */
export async function pushSignedImages(wanted: ImagesWanted): Promise<PushedImages> {
  const { repository, token, signer, count, layer } = wanted;
  const target = await openStore(parseReference(repository), {
    env: {},
    homeFolder: '/dev/null',
    ...(token === null ? {} : { username: 'token', password: token }),
  });
  const describe = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: computeDigest(bytes),
    size: bytes.length,
  });
  const config = utf8('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers"}}');
  const layerDescriptor = describe('application/vnd.oci.image.layer.v1.tar', layer);
  const configDescriptor = describe('application/vnd.oci.image.config.v1+json', config);
  await target.putBlob(configDescriptor, config);
  await target.putBlob(layerDescriptor, layer);
  const images: SignedImage[] = [];
  const one = async (index: number) => {
    const tag = `v${index}`;
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: configDescriptor,
      layers: [layerDescriptor],
      annotations: { 'org.opencontainers.image.version': tag },
    };
    const bytes = utf8(JSON.stringify(manifest));
    const digest = await target.putManifest({ bytes, mediaType: MEDIA_TYPES.ociManifest }, { tag });
    await signOne(target, signer, { mediaType: manifest.mediaType, digest, size: bytes.length });
    images[index] = { tag, digest };
  };
  let next = 0;
  const lane = async () => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { images, layerDigest: layerDescriptor.digest };
}

/** Signs a manifest that was just pushed, without reading it: an enforcing gateway would refuse that. */
async function signOne(
  target: ArtifactTarget,
  signer: Signer,
  subject: { readonly mediaType: string; readonly digest: Digest; readonly size: number },
): Promise<void> {
  const payload = signStatement(subject.digest, {});
  const bytes = await signStatementBundle({ payload }, signer, NO_SERVICES);
  const predicateType = COSIGN_SIGN_PREDICATE;
  await attachBundle(target, { bytes, subject, predicateType, created: new Date() }, {});
}
