import { hash, randomBytes } from 'node:crypto';
import type { RegistryReference } from '@bulla/trust/oci/reference';
import { canonicalHost } from './hosts.ts';
import type { RegistryCredential } from './question.ts';

/** Those of the credentials that are for this very repository, in their order (semantics 16). */
export function credentialsFor(
  asked: Pick<RegistryReference, 'registry' | 'repository'>,
  credentials: readonly RegistryCredential[],
): readonly RegistryCredential[] {
  return credentials.filter(({ registry }) => isFor(asked, registry));
}

function isFor(
  { registry, repository }: Pick<RegistryReference, 'registry' | 'repository'>,
  owner: string,
): boolean {
  const slash = owner.indexOf('/');
  const host = slash === -1 ? owner : owner.slice(0, slash);
  const path = slash === -1 ? '' : owner.slice(slash + 1);
  if (canonicalHost(host) !== registry) return false;
  return path === '' || repository === path || repository.startsWith(`${path}/`);
}

/** Names credentials without telling anything of them: equal ones alike, and in this process alone. */
export type NameAccess = (credentials: readonly RegistryCredential[]) => string | null;

/** A namer of its own secret: by the text alone nobody can try passwords. */
export function accessNamer(): NameAccess {
  const salt = randomBytes(32).toString('base64');
  return (credentials) => {
    if (credentials.length === 0) return null;
    const texts = credentials.map(({ registry, username, password }) => [
      registry,
      username,
      password,
    ]);
    return hash('sha256', JSON.stringify([salt, texts]), 'base64url');
  };
}
