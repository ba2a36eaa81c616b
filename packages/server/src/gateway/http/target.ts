import { TrustFault } from '@bulla/trust/fault/fault';
import type { Digest } from '@bulla/trust/oci/digest';
import { digestName, type Reference, referenceName, repositoryName } from '../names.ts';

/** What a path below `/v2` names (distribution-spec, "Endpoints"). */
export type Target =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'manifest'; readonly repository: string; readonly reference: Reference }
  | { readonly kind: 'blob'; readonly repository: string; readonly digest: Digest }
  | { readonly kind: 'uploads'; readonly repository: string }
  | { readonly kind: 'upload'; readonly repository: string; readonly upload: string }
  | { readonly kind: 'tags'; readonly repository: string }
  | { readonly kind: 'referrers'; readonly repository: string; readonly subject: Digest };

/**
 * The target of a path. It is read from its end, since a repository may itself be called `blobs`
 * or `tags/list`. Throws `http.not-found`, `gateway.name-invalid`, `gateway.digest-invalid`,
 * `gateway.reference-invalid`.
 */
export function parseTargetPath(segments: readonly string[]): Target {
  const [first, ...rest] = segments;
  if (first === undefined || (first === '' && rest.length === 0)) return { kind: 'base' };
  if (first === '_catalog' && rest.length === 0) return { kind: 'catalog' };
  const last = segments.at(-1) ?? '';
  const kind = segments.at(-2);
  const name = (drop: number) => repositoryName(segments.slice(0, -drop).join('/'));
  if (kind === 'uploads' && segments.at(-3) === 'blobs' && segments.length > 3) {
    const repository = name(3);
    return last === ''
      ? { kind: 'uploads', repository }
      : { kind: 'upload', repository, upload: last };
  }
  if (segments.length > 2) {
    switch (kind) {
      case 'manifests':
        return { kind: 'manifest', repository: name(2), reference: referenceName(last) };
      case 'blobs':
        // Some clients leave out the slash after uploads.
        return last === 'uploads'
          ? { kind: 'uploads', repository: name(2) }
          : { kind: 'blob', repository: name(2), digest: digestName(last) };
      case 'referrers':
        return { kind: 'referrers', repository: name(2), subject: digestName(last) };
      case 'tags':
        if (last === 'list') return { kind: 'tags', repository: name(2) };
        break;
      default:
        break;
    }
  }
  throw new TrustFault('http.not-found', 'the registry has no such path');
}
