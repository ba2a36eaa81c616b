import { TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { openRecent } from '../bounds/recent.ts';
import type { Objects } from '../storage/objects.ts';
import type { Registers } from '../storage/registers.ts';
import { type ManifestRecord, readManifestRecord } from './cells.ts';
import type { GatewayConfig } from './config.ts';
import { contentName, KEYS } from './keys.ts';

/** A manifest of a repository, at hand. */
export interface Content {
  readonly digest: Digest;
  readonly record: ManifestRecord;
  readonly bytes: Uint8Array;
  /** What was found out about it; as old as the look at its record, so some seconds at most. */
  readonly memo: ContentMemo;
}

/** A manifest of a repository that lists a digest, by its bytes. */
export interface Holder {
  readonly manifest: Digest;
  /** The size that the manifest's descriptor gives. */
  readonly size: number;
}

/** Filled in by those who find it out. */
export interface ContentMemo {
  /** Of an upstream's: when it was used last, as far as it is noted. */
  usedMs?: number;
  /** The note of a use that is being written: whether the manifest is there still. */
  noting?: Promise<boolean>;
  isMaterial?: Promise<boolean>;
  holders?: Promise<readonly Holder[]>;
}

/** Manifests in memory, so that a hot one costs no reading of the store. */
export interface Contents {
  /**
   * The manifest, or null when the repository does not have it. What is served stands here, decided
   * about perhaps an hour ago: `storage.corrupt` for bytes that the digest does not name any more.
   */
  load(repository: string, digest: Digest): Promise<Content | null>;
  /** Forgets manifests whose record, content or holders have changed. */
  forget(repository: string, digests: readonly Digest[]): void;
}

/** What a cached manifest takes beside its bytes. */
const ENTRY_BYTES = 2 << 10;

interface Entry {
  readonly content: Content;
  readonly lookedAt: number;
}

/** Contents of a store. A record is looked at again after `hotMs`: another replica may delete it. */
export function openContents(
  { objects, registers }: { readonly objects: Objects; readonly registers: Registers },
  { hotBytes, hotMs }: Pick<GatewayConfig, 'hotBytes' | 'hotMs'>,
  clock: () => Date,
): Contents {
  const recent = openRecent<Entry>(hotBytes, (entry) => entry.content.bytes.length + ENTRY_BYTES);
  const keyOf = (repository: string, digest: Digest) => `${repository}@${digest}`;
  // A look that began before a change must not bring back what the change forgot.
  let changes = 0;

  async function look(repository: string, digest: Digest, known: Entry | undefined) {
    const key = keyOf(repository, digest);
    const before = changes;
    const lookedAt = clock().getTime();
    const cell = await registers.read(KEYS.manifest(repository, digest));
    const bytes = cell === null ? null : (known?.content.bytes ?? (await bytesOf(objects, digest)));
    if (cell === null || bytes === null) {
      recent.delete(key);
      return null;
    }
    const content = { digest, record: readManifestRecord(cell.value), bytes, memo: {} };
    if (changes === before) recent.set(key, { content, lookedAt });
    return content;
  }

  return {
    async load(repository, digest) {
      const known = recent.get(keyOf(repository, digest));
      const age = known === undefined ? -1 : clock().getTime() - known.lookedAt;
      if (known !== undefined && age >= 0 && age < hotMs) return known.content;
      return look(repository, digest, known);
    },
    forget(repository, digests) {
      changes += 1;
      for (const digest of digests) recent.delete(keyOf(repository, digest));
    },
  };
}

/** Semantics 5: the bytes that are served are those that were verified, whoever writes to the disk. */
async function bytesOf(objects: Objects, digest: Digest): Promise<Uint8Array | null> {
  const bytes = await objects.bytes(contentName(digest));
  if (bytes === null || computeDigest(bytes, digest) === digest) return bytes;
  throw new TrustFault('storage.corrupt', `expected the content of ${digest}, found other bytes`);
}
