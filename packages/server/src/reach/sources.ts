import { hasCode, TrustFault } from '@bulla/trust/fault/fault';
import { isDigest } from '@bulla/trust/oci/digest';
import type { RegistryReference } from '@bulla/trust/oci/reference';
import type { RegistryOptions } from '@bulla/trust/oci/registry/options';
import { openRegistryStore } from '@bulla/trust/oci/registry/registry-store';
import type { ArtifactSource } from '@bulla/trust/oci/store';
import { keyOfParts } from '../bounds/key.ts';
import { openRecent } from '../bounds/recent.ts';
import { type RegistryConnection, registryOptions } from '../registries/connection.ts';
import { keptContent } from './content.ts';
import type { RegistryCredential } from './question.ts';

/** Where an image lies, how that registry is reached, and what to prove oneself with. */
export interface Where {
  readonly asked: Pick<RegistryReference, 'kind' | 'registry' | 'repository'>;
  readonly connection: RegistryConnection;
  /** For this repository alone; tried in this order, then what the connection has. */
  readonly credentials: readonly RegistryCredential[];
  /** Names the credentials; null for none. */
  readonly access: string | null;
}

/** The repository as a source; those of one registry and credential share connections and tokens. */
export type OpenWhere = (where: Where) => ArtifactSource;

const STORES_MOST = 1000;
const OPTIONS_MOST = 1000;
const AGENT = 'bulla';

/** Opens repositories by the library's client, with the bounds of semantics 19. */
export function sourceOpener(): OpenWhere {
  const options = openRecent<RegistryOptions>(OPTIONS_MOST);
  const stores = openRecent<ArtifactSource>(STORES_MOST);
  const kept = keptContent();
  const optionsOf = (where: Where, one: RegistryCredential | null): RegistryOptions => {
    const { connection, asked } = where;
    const own = one === null ? null : [one.username, one.password];
    const key = keyOfParts([asked.registry, ...(own ?? [])]);
    const known = options.get(key);
    if (known !== undefined) return known;
    const credentials =
      one === null
        ? connection.credentials
        : { kind: 'password' as const, username: one.username, password: one.password };
    const made = registryOptions({ ...connection, credentials }, AGENT);
    options.set(key, made);
    return made;
  };
  const storeOf = (where: Where, one: RegistryCredential | null): ArtifactSource => {
    const { registry, repository } = where.asked;
    const key = keyOfParts([registry, repository, one?.username ?? null, one?.password ?? null]);
    const known = stores.get(key);
    if (known !== undefined) return known;
    const opened = openRegistryStore(where.asked, optionsOf(where, one));
    const store: ArtifactSource = {
      ...opened,
      async manifest(tagOrDigest, options) {
        const found = await opened.manifest(tagOrDigest, options);
        // What a store learned of the referrers API beside an image that is not there may be that of
        // a repository that is not there: whoever asks after the push has to ask anew.
        if (found === null && isDigest(tagOrDigest)) stores.delete(key);
        return found;
      },
    };
    stores.set(key, store);
    return store;
  };
  return (where) => {
    const { asked, access, credentials } = where;
    const views = [...credentials.map((one) => storeOf(where, one)), storeOf(where, null)];
    const source = views.length > 1 ? firstThatOpens(views) : viewAt(views, 0);
    return kept(source, keyOfParts([asked.registry, asked.repository, access]));
  };
}

/**
 * Asks the first of several views of one repository, and the next where that wants other credentials;
 * one that was refused is not asked again for this question.
 */
function firstThatOpens(views: readonly ArtifactSource[]): ArtifactSource {
  const last = views.length - 1;
  let first = 0;
  const attempt = async <T>(ask: (source: ArtifactSource) => Promise<T>): Promise<T> => {
    for (let index = first; ; index++) {
      try {
        return await ask(viewAt(views, index));
      } catch (error) {
        const isRefused =
          hasCode(error, 'registry.unauthorized') || hasCode(error, 'registry.denied');
        if (!isRefused || index >= last) throw error;
        first = Math.max(first, index + 1);
      }
    }
  };
  return {
    name: viewAt(views, 0).name,
    resolve: (tagOrDigest, options) => attempt((source) => source.resolve(tagOrDigest, options)),
    manifest: (tagOrDigest, options) => attempt((source) => source.manifest(tagOrDigest, options)),
    blob: (descriptor, options) => attempt((source) => source.blob(descriptor, options)),
    blobStream: (descriptor, options) =>
      attempt((source) => source.blobStream(descriptor, options)),
    referrers: (subject, query) => attempt((source) => source.referrers(subject, query)),
    tags: (options) => attempt((source) => source.tags(options)),
  };
}

function viewAt(views: readonly ArtifactSource[], index: number): ArtifactSource {
  const view = views[index];
  if (view !== undefined) return view;
  throw new TrustFault('internal.defect', `expected one of ${views.length} views, asked ${index}`);
}

/** A source that gives nothing but `fault`: what is not to be asked is not. */
export function closedSource(name: string, fault: Error): ArtifactSource {
  const refuse = () => Promise.reject(fault);
  return {
    name,
    resolve: refuse,
    manifest: refuse,
    blob: refuse,
    blobStream: refuse,
    referrers: refuse,
    tags: refuse,
  };
}
