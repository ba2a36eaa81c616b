import { gzipSync } from 'node:zlib';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import type { Descriptor } from '@bulla/trust/oci/descriptor';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import type { ArtifactTarget } from '@bulla/trust/oci/store';

/** One file as a ustar archive (POSIX.1-1988), enough for an image layer. */
function tarOf(name: string, content: Uint8Array, mode: string): Uint8Array {
  const header = Buffer.alloc(512);
  const put = (text: string, at: number) => header.write(text, at, 'latin1');
  put(name, 0);
  put(`${mode.padStart(7, '0')}\0`, 100);
  put('0000000\0', 108);
  put('0000000\0', 116);
  put(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  put('00000000000\0', 136);
  put('        ', 148);
  put('0', 156);
  put('ustar\x0000', 257);
  const sum = header.reduce((total, octet) => total + octet, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}

/** Pushes a small image that any container engine can pull: one layer with one shell script. */
export async function pushImage(
  target: ArtifactTarget,
  tag: string,
  says: string,
): Promise<Digest> {
  return (await pushDescribed(target, tag, says)).digest;
}

/** As `pushImage`; answers what an index lists of the image, which need not be readable for that. */
export async function pushDescribed(
  target: ArtifactTarget,
  tag: string,
  says: string,
): Promise<Descriptor> {
  const script = utf8(`#!/bin/sh\necho "${says}"\n`);
  const tar = tarOf('hello', script, '755');
  const layer = gzipSync(tar, { level: 9 });
  const config = utf8(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Cmd: ['/hello'] },
      rootfs: { type: 'layers', diff_ids: [computeDigest(tar)] },
    }),
  );
  const describe = (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: computeDigest(bytes),
    size: bytes.length,
  });
  const layerDescriptor = describe('application/vnd.oci.image.layer.v1.tar+gzip', layer);
  const configDescriptor = describe('application/vnd.oci.image.config.v1+json', config);
  await target.putBlob(layerDescriptor, layer);
  await target.putBlob(configDescriptor, config);
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: configDescriptor,
    layers: [layerDescriptor],
  };
  const bytes = utf8(JSON.stringify(manifest));
  await target.putManifest({ bytes, mediaType: MEDIA_TYPES.ociManifest }, { tag });
  return describe(MEDIA_TYPES.ociManifest, bytes);
}
