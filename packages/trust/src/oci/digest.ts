import { hash } from 'node:crypto';
import { quote, TrustFault } from '../fault/fault.ts';

/** A content digest, `sha256:<64 hex>` or `sha512:<128 hex>`, lower case. */
export type Digest = `sha256:${string}` | `sha512:${string}`;

const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Whether `text` is a digest of a registered algorithm (image-spec, descriptor.md "Digests"). */
export function isDigest(text: string): text is Digest {
  return DIGEST.test(text);
}

/** `text` as a digest. Throws `reference.malformed`. */
export function parseDigest(text: string, where = 'digest'): Digest {
  if (!isDigest(text)) {
    throw new TrustFault(
      'reference.malformed',
      `expected sha256:<64 hex> or sha512:<128 hex> at ${where}, found ${quote(text)}`,
    );
  }
  return text;
}

/** The sha256 digest of `bytes`, or the one of `like`'s algorithm. */
export function computeDigest(bytes: Uint8Array, like?: Digest): Digest {
  return like?.startsWith('sha512:')
    ? `sha512:${hash('sha512', bytes)}`
    : `sha256:${hash('sha256', bytes)}`;
}
