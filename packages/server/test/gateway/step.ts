import { type Ask, digestOf, manifestOf, OCI_INDEX, OCI_MANIFEST } from './client.ts';

/** A request, and what the registry must answer. */
export interface Step extends Ask {
  readonly name: string;
  readonly expect: {
    readonly status: number;
    readonly error?: string;
    readonly headers?: Readonly<Record<string, string | RegExp | undefined>>;
    readonly body?: string;
  };
}

export const LAYER = 'layer one';
export const LAYER_DIGEST = digestOf(LAYER);
export const IMAGE = manifestOf({ layers: [LAYER] });
export const IMAGE_DIGEST = digestOf(IMAGE);
export const MISSING = digestOf('nobody has this');
export const EMPTY_DIGEST = digestOf('');
export const SIGNATURE = manifestOf({
  subject: IMAGE_DIGEST,
  artifactType: 'application/vnd.example.sig',
  annotations: { signer: 'a' },
});
export const PLAIN_REFERRER = manifestOf({ subject: IMAGE_DIGEST });
export const INDEX_REFERRER = JSON.stringify({
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [],
  subject: { mediaType: OCI_MANIFEST, digest: IMAGE_DIGEST, size: 1 },
});
export const IMAGE_512 = `sha512:${'0'.repeat(128)}`;
export const blob = (digest: string) => `/v2/app/blobs/${digest}`;
export const manifest = (reference: string) => `/v2/app/manifests/${reference}`;
export const oci = { 'content-type': OCI_MANIFEST };
export const stored = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': 'sandbox',
};
