import { utf8 } from '../bytes/byte-string.ts';
import { TrustFault } from '../fault/fault.ts';
import { MEDIA_TYPES } from '../oci/manifest.ts';
import { fallbackTag } from '../oci/referrer-list.ts';
import { getManifest, pushManifest } from '../oci/registry/manifests.ts';
import type { Repository } from '../oci/registry/repository.ts';
import type { ArtifactTarget, CallOptions } from '../oci/store.ts';
import type { SubjectScan } from './referrer-scan.ts';

/**
 * Mends the list of one subject's referrers, and says in a sentence what it did. With a referrers
 * API what it does not list is pushed again, byte by byte; else the fallback index is written anew
 * with every referrer that is there. Throws `registry.referrer-lost` when another writer replaced
 * the tag since the scan, so that nothing of theirs is lost: then run it again.
 */
export async function repairSubject(
  repository: Repository,
  store: ArtifactTarget,
  scan: SubjectScan,
  options: CallOptions & { readonly api: boolean },
): Promise<string> {
  const { api, ...call } = options;
  if (!api) return rewriteIndex(repository, scan, call);
  for (const stored of scan.unlisted) await store.putManifest(stored, call);
  return `pushed ${scan.unlisted.length} referrers of ${scan.subject} again`;
}

async function rewriteIndex(
  repository: Repository,
  { subject, index, whole }: SubjectScan,
  options: CallOptions,
): Promise<string> {
  const tag = fallbackTag(subject);
  const bytes = utf8(
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: whole }),
  );
  const before = await getManifest(repository, tag, options);
  if (before?.digest !== index?.digest) throw replaced(repository, tag);
  const conditions: Readonly<Record<string, string>> =
    before === null
      ? { 'if-none-match': '*' }
      : before.etag === undefined
        ? {}
        : { 'if-match': before.etag };
  const manifest = { bytes, mediaType: MEDIA_TYPES.ociIndex };
  const written = await pushManifest(repository, tag, manifest, { ...options, conditions });
  if (written === 'changed') throw replaced(repository, tag);
  return `wrote ${tag} with ${whole.length} entries`;
}

function replaced(repository: Repository, tag: string): TrustFault {
  return new TrustFault(
    'registry.referrer-lost',
    `${repository.name}:${tag} was replaced by another writer meanwhile`,
    'Run the repair again when no signer is at work.',
  );
}
