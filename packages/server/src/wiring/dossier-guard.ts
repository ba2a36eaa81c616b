import { TrustFault } from '@bulla/trust/fault/fault';
import type { Place } from '../gateway/place.ts';
import type { Gateway } from '../gateway/service.ts';
import { mayUse } from '../gateway/upstream/users.ts';
import type { GuardDossier } from '../record/routes.ts';

/** What the guard stands on. */
export interface DossierGuardParts {
  readonly gateway: Gateway | null;
  readonly registry: string;
}

/**
 * Gives what a decision looked at to who may pull its repository, and was granted its prefix
 * (semantics 19). What no gateway of this server decided about is given to nobody.
 */
export function dossierGuard({ gateway, registry }: DossierGuardParts): GuardDossier {
  return ({ principal }, { reference, repository }) => {
    const place = gateway === null ? null : placeOf(gateway, registry, reference);
    const may =
      gateway !== null &&
      place !== null &&
      gateway.ports.access.may(principal, place.name, 'pull') &&
      mayUse(place, principal);
    if (!may) throw new TrustFault('access.denied', `no right to ${repository}`);
  };
}

/** The place that was asked for, by the reference as the gateway writes it. */
function placeOf({ places }: Gateway, registry: string, reference: string): Place | null {
  const [, name] = /^([^:@]+)[:@]/.exec(reference.slice(registry.length + 1)) ?? [];
  return reference.startsWith(`${registry}/`) && name !== undefined ? places.locate(name) : null;
}
