import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import { readTag, writeTag } from './cells.ts';
import { type Ground, hasRepository } from './ground.ts';
import { KEYS, shownName } from './keys.ts';

/** What a tag must point to for a write to happen (RFC 9110 §13.1). */
export interface Conditions {
  /** If-Match: one of these digests, or `*` for "it exists". */
  readonly match?: readonly (Digest | '*')[];
  /** If-None-Match: none of these digests, or `*` for "it does not exist". */
  readonly noneMatch?: readonly (Digest | '*')[];
}

/** A page of sorted names, and whether more follow. */
export interface NamesPage {
  readonly names: readonly string[];
  readonly more: boolean;
}

/** Which page is wanted: `n` entries after `last`. */
export interface PageQuery {
  readonly n?: number;
  readonly last?: string;
}

const ATTEMPTS = 16;

/** The digest that a tag points to, or null. */
export async function readTagCell(
  { registers }: Ground,
  repository: string,
  tag: string,
): Promise<Digest | null> {
  const cell = await registers.read(KEYS.tag(repository, tag));
  return cell === null ? null : readTag(cell.value);
}

/** Throws `gateway.precondition-failed` unless a tag that points to `current` satisfies them. */
export function checkConditions(current: Digest | null, conditions: Conditions): void {
  const { match, noneMatch } = conditions;
  const among = (list: readonly (Digest | '*')[]) =>
    current !== null && list.some((entry) => entry === '*' || entry === current);
  if ((match !== undefined && !among(match)) || (noneMatch !== undefined && among(noneMatch))) {
    throw new TrustFault(
      'gateway.precondition-failed',
      `the tag points to ${current ?? 'nothing'} now`,
    );
  }
}

/**
 * Points a tag to a digest, if what it points to at that very moment satisfies the conditions
 * (`gateway.precondition-failed`).
 */
export async function setTag(
  ground: Ground,
  repository: string,
  tag: string,
  digest: Digest,
  conditions: Conditions = {},
): Promise<void> {
  const key = KEYS.tag(repository, tag);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const cell = await ground.registers.read(key);
    const current = cell === null ? null : readTag(cell.value);
    checkConditions(current, conditions);
    if (current === digest) return;
    const version = cell?.version ?? null;
    if ((await ground.registers.swap(key, version, writeTag(digest))) !== null) return;
  }
  throw new TrustFault('storage.failed', `tag ${quote(tag)} is changed by others without a pause`);
}

/** Deletes every tag of the repository that points to `digest` at the moment when it is looked at. */
export async function deleteTagsOf(
  ground: Ground,
  repository: string,
  digest: Digest,
): Promise<void> {
  for (const key of await ground.registers.list(KEYS.tags(repository))) {
    const cell = await ground.registers.read(key);
    // A tag that moves between the two calls has another version, and stays.
    if (cell !== null && readTag(cell.value) === digest) {
      await ground.registers.delete(key, cell.version);
    }
  }
}

const COMPANION = /^(sha256|sha512)-([0-9a-f]{64,128})(?:\.(?:sig|att|sbom))?$/;

/**
 * The digest that a tag belongs to, when it is of the form under which clients keep what is about a
 * digest (cosign's tags, and the tag of the referrers tag schema); null for any other tag, and for
 * one whose digest the schema cuts short.
 */
export function subjectOfCompanion(tag: string): Digest | null {
  const [, algorithm, encoded] = COMPANION.exec(tag) ?? [];
  const digest = `${algorithm}:${encoded}`;
  return isDigest(digest) ? digest : null;
}

/** Whether a tag is of that form at all. */
export function isCompanionTag(tag: string): boolean {
  return COMPANION.test(tag);
}

/** A page of the repository's tags. Throws `gateway.name-unknown`. */
export async function listTags(
  ground: Ground,
  repository: string,
  query: PageQuery,
): Promise<NamesPage> {
  if (!(await hasRepository(ground, repository))) {
    throw new TrustFault('gateway.name-unknown', `no repository ${shownName(repository)}`);
  }
  const prefix = KEYS.tags(repository);
  const limit = Math.min(query.n ?? ground.config.pageEntries, ground.config.pageEntries);
  // distribution-spec, "Listing Tags": for n = 0 an empty list, and no Link.
  if (limit === 0) return { names: [], more: false };
  const keys = await ground.registers.list(prefix, {
    limit: limit + 1,
    ...(query.last === undefined ? {} : { after: `${prefix}${query.last}` }),
  });
  const names = keys.slice(0, limit).map((key) => key.slice(prefix.length));
  return { names, more: keys.length > limit };
}
