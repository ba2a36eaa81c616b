import { TrustFault } from '@bulla/trust/fault/fault';
import type { Descriptor } from '@bulla/trust/oci/descriptor';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import type { ManifestRecord } from './cells.ts';
import type { Ground } from './ground.ts';
import { KEYS } from './keys.ts';
import { manifestRecord } from './manifests.ts';
import { REFERRERS_TYPE } from './parse.ts';

/** Which referrers are wanted. */
export interface ReferrersAsk {
  readonly artifactType?: string;
  readonly n?: number;
  /** The digest with which the page before ended. */
  readonly last?: string;
}

/** One page: an image index as bytes, and the digest to go on from, if more follow. */
export interface ReferrersPage {
  readonly index: Uint8Array;
  readonly next: Digest | null;
}

const LOOKS_AT_ONCE = 32;

/**
 * A page of the manifests of this repository whose subject is `subject`, whether the subject is
 * there or not; an empty index when there is none. Throws `gateway.referrers-off`.
 */
export async function listReferrers(
  ground: Ground,
  repository: string,
  subject: Digest,
  ask: ReferrersAsk,
): Promise<ReferrersPage> {
  if (!ground.config.referrers) {
    throw new TrustFault('gateway.referrers-off', 'the referrers API is off');
  }
  return pageOf(ground, described(ground, repository, subject, ask.last), ask);
}

async function* described(
  ground: Ground,
  repository: string,
  subject: Digest,
  last: string | undefined,
): AsyncGenerator<Descriptor> {
  for await (const [digest, record] of recordsAfter(ground, repository, subject, last)) {
    yield descriptorOf(digest, record);
  }
}

/** A page of referrers that come in the order of their digests, those after `ask.last`. */
export async function pageOf(
  { config }: Pick<Ground, 'config'>,
  descriptors: AsyncIterable<Descriptor> | Iterable<Descriptor>,
  ask: ReferrersAsk,
): Promise<ReferrersPage> {
  const { pageEntries, pageBytes } = config;
  const most = Math.max(1, Math.min(ask.n ?? pageEntries, pageEntries));
  const entries: string[] = [];
  let size = 0;
  let last: Digest | null = null;
  for await (const descriptor of descriptors) {
    const { artifactType, digest } = descriptor;
    if (ask.last !== undefined && digest <= ask.last) continue;
    if (ask.artifactType !== undefined && artifactType !== ask.artifactType) continue;
    const entry = JSON.stringify(descriptor);
    const bytes = Buffer.byteLength(entry) + 1;
    if (entries.length === most || (entries.length > 0 && size + bytes > pageBytes)) {
      return { index: indexOf(entries), next: last };
    }
    entries.push(entry);
    size += bytes;
    last = digest;
  }
  return { index: indexOf(entries), next: null };
}

/** The referrers in the order of their digests, a bounded number read at a time. */
export async function* recordsAfter(
  ground: Ground,
  repository: string,
  subject: Digest,
  last: string | undefined,
): AsyncGenerator<readonly [Digest, ManifestRecord]> {
  const prefix = KEYS.referrers(repository, subject);
  const keys = await ground.registers.list(
    prefix,
    last === undefined ? {} : { after: `${prefix}${last}` },
  );
  for (let from = 0; from < keys.length; from += LOOKS_AT_ONCE) {
    const digests = keys
      .slice(from, from + LOOKS_AT_ONCE)
      .map((key) => key.slice(prefix.length))
      .filter((text) => isDigest(text));
    const records = await Promise.all(
      digests.map((digest) => manifestRecord(ground, repository, digest)),
    );
    for (const [index, digest] of digests.entries()) {
      const record = records[index];
      // An entry without a record is what a broken-off delete leaves; it is no referrer any more.
      if (record?.subject === subject) yield [digest, record];
    }
  }
}

/** The descriptor of a manifest as lists of referrers show it. */
export function descriptorOf(digest: Digest, record: ManifestRecord): Descriptor {
  const { mediaType, size, artifactType, annotations } = record;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function indexOf(entries: readonly string[]): Uint8Array {
  const head = `{"schemaVersion":2,"mediaType":"${REFERRERS_TYPE}","manifests":[`;
  return Buffer.from(`${head}${entries.join(',')}]}`);
}
