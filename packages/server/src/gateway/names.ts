import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { type Digest, isDigest } from '@bulla/trust/oci/digest';
import { isRepositoryName, isTag } from '@bulla/trust/oci/reference';

/** A manifest by tag or by digest. */
export type Reference = { readonly tag: string } | { readonly digest: Digest };

/** `text` as a repository name (distribution-spec, "Pulling manifests"). Throws `gateway.name-invalid`. */
export function repositoryName(text: string): string {
  if (!isRepositoryName(text)) {
    throw new TrustFault(
      'gateway.name-invalid',
      `expected a repository name, found ${quote(text)}`,
    );
  }
  return text;
}

/** `text` as a tag. Throws `gateway.reference-invalid`. */
export function tagName(text: string): string {
  if (!isTag(text)) {
    throw new TrustFault('gateway.reference-invalid', `expected a tag, found ${quote(text)}`);
  }
  return text;
}

/** `text` as a digest. Throws `gateway.digest-invalid`. */
export function digestName(text: string): Digest {
  if (!isDigest(text)) {
    throw new TrustFault(
      'gateway.digest-invalid',
      `expected sha256:<64 hex> or sha512:<128 hex>, found ${quote(text)}`,
    );
  }
  return text;
}

/** `text` as a tag or a digest. Throws `gateway.digest-invalid` when it has a colon, which no tag has. */
export function referenceName(text: string): Reference {
  return text.includes(':') ? { digest: digestName(text) } : { tag: tagName(text) };
}
