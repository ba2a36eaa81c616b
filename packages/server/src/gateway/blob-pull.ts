import type { Readable } from 'node:stream';
import { hasCode, TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ByteRange } from '../storage/objects.ts';
import { blobRecord, readBlob, requireBlob } from './blobs.ts';
import type { BlobRecord } from './cells.ts';
import type { Holder } from './contents.ts';
import { holdersOf, holdingManifests, listedSize } from './listings.ts';
import { isUpstream, type Place } from './place.ts';
import {
  admittedKey,
  type Caller,
  isAdmitted,
  isContentMaterial,
  type PullParts,
  usedContent,
} from './pull.ts';

/** A blob that may be served. */
export interface PulledBlob {
  readonly size: number;
  /** Whether the store has it, so that parts of it can be served. */
  readonly isStored: boolean;
  /** The part of a stored blob; of another, the whole as it comes. */
  read(range: ByteRange): Promise<Uint8Array | Readable>;
}

/** Most manifests about which a decision is asked for the sake of one blob, the newest first. */
const ASKED_MOST = 64;

/**
 * A blob of a place for a caller whose right to the repository was checked (semantics 15): for
 * its uploader, as part of signature material, or when a manifest that lists it is admitted now; a
 * pusher may know of any blob of the repository that it is there. Else it is unknown, as if it were
 * not there. Throws `gateway.name-unknown`, `gateway.blob-unknown`, `upstream.*`.
 */
export async function pullBlob(
  parts: PullParts,
  place: Place,
  digest: Digest,
  caller: Caller,
  onlyExistence: boolean,
): Promise<PulledBlob> {
  const { ground, ports } = parts;
  const record = await blobRecord(ground, place.key, digest);
  if (record === null && !isUpstream(place)) {
    await requireBlob(ground, place.key, digest);
  }
  const isOpen = ports.verification.kind === 'open';
  const mayKnow = onlyExistence && ports.access.may(caller.principal, place.name, 'push');
  const uploader = uploaderOf(caller);
  const isOwn = uploader !== null && (record?.uploaders.includes(uploader) ?? false);
  if (record !== null && (isOpen || mayKnow || isOwn)) return stored(parts, place, digest, record);
  const size = await sizeThroughHolder(parts, place, digest, caller);
  if (size === null) {
    throw new TrustFault('gateway.blob-unknown', `${place.name} has no blob ${digest}`);
  }
  if (record !== null) return stored(parts, place, digest, record);
  return coming(parts, place, { digest, size });
}

/** By whom a blob is noted to have been uploaded: a user, whatever token they use; null for nobody. */
export function uploaderOf({ principal }: Caller): string | null {
  return principal.kind === 'anonymous' ? null : (principal.user ?? principal.id);
}

/** The size by a manifest through which the blob may be served; null when there is none. */
async function sizeThroughHolder(
  parts: PullParts,
  place: Place,
  digest: Digest,
  caller: Caller,
): Promise<number | null> {
  const { ground, admitted } = parts;
  // What was just pulled is what its blobs are asked for, whatever else has them.
  for (const manifest of await holdingManifests(ground, place.key, digest)) {
    if (admitted.get(admittedKey(place, manifest)) !== true) continue;
    if ((await ground.contents.load(place.key, manifest)) === null) continue;
    const size = await listedSize(ground, place.key, digest, manifest);
    if (size !== null && (await isAdmitted(parts, place, manifest, caller))) return size;
    admitted.delete(admittedKey(place, manifest));
  }
  const images: Holder[] = [];
  for (const holder of await holdersOf(ground, place.key, digest)) {
    // A listing without a record is what a broken-off push or delete leaves.
    const content = await ground.contents.load(place.key, holder.manifest);
    if (content === null) continue;
    const isOpen = parts.ports.verification.kind === 'open';
    if (isOpen || (await isContentMaterial(parts, place, content))) {
      if ((await usedContent(parts, place, holder.manifest)) !== null) return holder.size;
    } else {
      images.push(holder);
    }
  }
  for (const { manifest, size } of images.slice(0, ASKED_MOST)) {
    if (await isAdmitted(parts, place, manifest, caller)) return size;
  }
  return null;
}

function stored(
  { ground, upstreams }: PullParts,
  place: Place,
  digest: Digest,
  { size }: BlobRecord,
): PulledBlob {
  return {
    size,
    isStored: true,
    async read(range) {
      try {
        return await readBlob(ground, digest, range);
      } catch (error) {
        if (!isUpstream(place) || !hasCode(error, 'gateway.blob-unknown')) throw error;
        // It went while a decision was awaited.
        await upstreams.blobs.store(place, { digest, size });
        return readBlob(ground, digest, range);
      }
    },
  };
}

function coming(
  { upstreams }: PullParts,
  place: Place,
  wanted: { readonly digest: Digest; readonly size: number },
): PulledBlob {
  return {
    size: wanted.size,
    isStored: false,
    async read() {
      if (isUpstream(place)) return upstreams.blobs.stream(place, wanted);
      throw new TrustFault('gateway.blob-unknown', `${place.name} has no blob ${wanted.digest}`);
    },
  };
}
