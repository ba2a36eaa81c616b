/** Media type of a simple-signing payload layer (cosign SIGNATURE_SPEC.md). */
export const SIMPLE_SIGNING_MEDIA_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json';

/** Media type of an attestation layer (cosign ATTESTATION_SPEC.md). */
export const DSSE_MEDIA_TYPE = 'application/vnd.dsse.envelope.v1+json';

/** The layer annotations of the format; two prefixes mix in it. */
export const ANNOTATIONS = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  bundle: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
} as const;

/** The tag under which a digest's signatures or attestations lie: `sha256-<hex>.sig`. */
export function companionTag(digest: string, kind: 'sig' | 'att' | 'sbom'): string {
  return `${digest.replace(':', '-')}.${kind}`;
}

/** Every companion tag that a digest may have. */
export function companionTags(digest: string): readonly string[] {
  return [companionTag(digest, 'sig'), companionTag(digest, 'att'), companionTag(digest, 'sbom')];
}

const COMPANION = /^(sha256-[0-9a-f]{64}|sha512-[0-9a-f]{128})\.(sig|att|sbom)$/;

/** The digest that a companion tag belongs to, and its kind; null for any other tag. */
export function parseCompanionTag(
  tag: string,
): { readonly digest: string; readonly kind: string } | null {
  const match = COMPANION.exec(tag);
  const [, digest, kind] = match ?? [];
  if (digest === undefined || kind === undefined) return null;
  return { digest: digest.replace('-', ':'), kind };
}
