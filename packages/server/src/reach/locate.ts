import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { RegistryReference } from '@bulla/trust/oci/reference';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { REGISTRY_CONNECTION, type RegistryConnection } from '../registries/connection.ts';
import { credentialsFor, type NameAccess } from './credentials.ts';
import type { IsNamed } from './hosts.ts';
import type { ImageName } from './name.ts';
import type { FindOwn, OwnPlace } from './ports.ts';
import type { RegistryCredential } from './question.ts';
import type { Where } from './sources.ts';

/** Where the bytes of an image are to be had. */
export type Located =
  | { readonly kind: 'own'; readonly place: OwnPlace }
  | { readonly kind: 'registry'; readonly where: Where }
  /** Nobody named the host, so it is not asked (semantics 19). */
  | { readonly kind: 'unnamed'; readonly fault: TrustFault };

/** What places are looked for by. */
export interface LocateParts {
  readonly own: FindOwn;
  /** How the registries of the configuration are reached, by their canonical hosts. */
  readonly connections: ReadonlyMap<string, RegistryConnection>;
  readonly isNamed: IsNamed;
  readonly nameAccess: NameAccess;
}

/** The place of a name among this server's own; null for what lies elsewhere. */
export function ownPlace({ own }: LocateParts, { canonical }: ImageName): OwnPlace | null {
  return own(canonical.registry, canonical.repository);
}

/**
 * Where an image lies. Credentials of the asker go to the registry that its name leads to, and only
 * those that are for it. What is pulled through with the gateway's credentials is open to those alone
 * whom the prefix names, and a question that comes from a cluster is of none of them: it asks the
 * registry itself, with its own credentials or those that `registries` has for it.
 */
export function locate(
  parts: LocateParts,
  name: ImageName,
  place: OwnPlace | null,
  credentials: readonly RegistryCredential[],
  set: PolicySet,
): Located {
  if (place !== null && place.upstream === null) return { kind: 'own', place };
  const asked = place?.upstream == null ? name.asked : askedOf(place.upstream);
  const connection = parts.connections.get(asked.registry) ?? REGISTRY_CONNECTION;
  const own = credentialsFor(asked, credentials);
  const isBetterAsked = own.length > 0 || connection.credentials !== null;
  if (place?.upstream?.isOpen === true && !isBetterAsked) return { kind: 'own', place };
  if (!parts.isNamed(asked.registry, set)) return { kind: 'unnamed', fault: unnamed(asked) };
  const access = parts.nameAccess(own);
  return { kind: 'registry', where: { asked, connection, credentials: own, access } };
}

function askedOf(upstream: NonNullable<OwnPlace['upstream']>): ImageName['asked'] {
  return { kind: 'registry', registry: upstream.registry, repository: upstream.repository };
}

function unnamed({ registry }: Pick<RegistryReference, 'registry'>): TrustFault {
  const says = `neither the configuration nor a policy names the registry ${quote(registry)}, so it was not asked`;
  return new TrustFault('reach.host-unnamed', says);
}
