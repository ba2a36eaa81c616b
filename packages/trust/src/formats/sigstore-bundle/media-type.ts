/** Versions of the bundle format that Bulla reads; it writes 0.3. */
export type BundleVersion = '0.1' | '0.2' | '0.3';

/** The media type that Bulla writes, for bundles, referrers and layers alike. */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

const VERSIONS: ReadonlyMap<string, BundleVersion> = new Map([
  ['application/vnd.dev.sigstore.bundle+json;version=0.1', '0.1'],
  ['application/vnd.dev.sigstore.bundle+json;version=0.2', '0.2'],
  ['application/vnd.dev.sigstore.bundle+json;version=0.3', '0.3'],
  [BUNDLE_MEDIA_TYPE, '0.3'],
]);

/** The version of a bundle media type in either spelling; null for any other media type. */
export function bundleVersionOf(mediaType: string): BundleVersion | null {
  return VERSIONS.get(mediaType) ?? null;
}
