import { utf8 } from '../bytes/byte-string.ts';
import document from './public-good.trusted-root.json' with { type: 'json' };
import { parseTrustedRoot, type TrustedRoot } from './trusted-root.ts';

/**
 * The day by which the carried trust root was current: the day on which the package that it is
 * from was published (see public-good.provenance.md).
 */
export const PUBLIC_GOOD_DATE = '2026-11-05';

/**
 * The trust root of the public Sigstore services that this release carries. No network call is
 * made for it; its digest is that of the TUF target, byte by byte. Load this module only when it
 * is needed: it holds the whole document.
 */
export function publicGoodTrustRoot(): TrustedRoot {
  // The target is written by this very rule, so that a bundler may inline the import; a test holds
  // the bytes against the file.
  const bytes = utf8(`${JSON.stringify(document, null, 2)}\n`);
  return parseTrustedRoot(bytes, `public Sigstore of ${PUBLIC_GOOD_DATE}`);
}
