import type { Code } from '@bulla/trust/fault/codes';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';

/** A push as its registry tells of it. Nothing of it is trusted but that something was pushed. */
export interface Push {
  /** `library/app`, below the registry that the sender is configured for. */
  readonly repository: string;
  /** Null: it was pushed by its digest. */
  readonly tag: string | null;
  /** By which name the registry believes to be called, `HOST[:PORT]`; null where it does not say. */
  readonly host: string | null;
}

/** What an event tells: pushes, and how many other things that are nothing to us. */
export interface Told {
  readonly pushes: readonly Push[];
  readonly ignored: number;
}

/** What readers of events throw. */
export const MALFORMED: Code = 'hooks.malformed';

const COMPANION = /^(sha256|sha512)-([0-9a-f]{64,128})(?:\.[a-z]+)?$/;

/**
 * The digest that a tag of cosign's scheme or a fallback tag is about (`sha256-<hex>.sig`,
 * `sha256-<hex>`); null for every other tag.
 */
export function subjectOf(tag: string): Digest | null {
  const [, algorithm = '', hex = ''] = COMPANION.exec(tag) ?? [];
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : null;
}

/** A tag, or null for what some products write there of a push by digest. */
export function tagOrNull(text: string | undefined): string | null {
  return text === undefined || text === '' || text.includes(':') ? null : text;
}
