import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import { parseReference, type RegistryReference } from '@bulla/trust/oci/reference';
import type { PinnedReference } from './question.ts';

/** An image as somebody wrote it. */
export type ImageName = NameParts &
  (
    | { readonly tag: string; readonly digest: null }
    /** A tag beside a digest is decoration: the digest decides. */
    | { readonly tag: null; readonly digest: Digest }
  );

interface NameParts {
  /** Where it lies by that name: its host is asked, and no other. */
  readonly asked: Pick<RegistryReference, 'kind' | 'registry' | 'repository'>;
  /** Canonical `registry/repository`, by which policies match (semantics 7). */
  readonly canonical: { readonly registry: string; readonly repository: string };
}

/**
 * Reads a reference; `readName` makes canonical names (`nameReader` with the configured aliases).
 * Throws `reference.malformed`, also for an image layout: that is a file of this machine.
 */
export function readImageName(
  text: string,
  readName: (reference: RegistryReference) => string,
): ImageName {
  const reference = parseReference(text);
  if (reference.kind !== 'registry') {
    throw new TrustFault(
      'reference.malformed',
      `expected an image of a registry, found ${quote(text)}`,
    );
  }
  const { kind, registry, repository, tag = 'latest', digest } = reference;
  const name = readName({ kind, registry, repository });
  const slash = name.indexOf('/');
  const parts = {
    asked: { kind, registry, repository },
    canonical: { registry: name.slice(0, slash), repository: name.slice(slash + 1) },
  };
  return digest === undefined ? { ...parts, tag, digest: null } : { ...parts, tag: null, digest };
}

/** A well-formed reference pinned to `digest`: the name as it was written, byte by byte. */
export function pinTo(text: string, digest: string): PinnedReference {
  const [named = ''] = text.split('@', 1);
  return { tagAndDigest: `${named}@${digest}`, digest };
}

/** Whether a well-formed reference names a digest as it was written. */
export function namesDigest(text: string): boolean {
  return text.includes('@');
}
