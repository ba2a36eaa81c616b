import type { Role } from '../../api/access.ts';

/** The roles, the most mighty first, and what each is for. */
export const ROLES = [
  { role: 'owner', says: 'everything, other owners included' },
  { role: 'admin', says: 'everything but owners' },
  { role: 'member', says: 'pulls, pushes, tries policies' },
  { role: 'viewer', says: 'pulls and looks' },
  { role: 'auditor', says: 'reads decisions, policies and users' },
] as const satisfies readonly { readonly role: Role; readonly says: string }[];

/** The role of this name; the least mighty for any other text. */
export function readRole(text: string): Role {
  return ROLES.find(({ role }) => role === text)?.role ?? 'viewer';
}

/** The choices of a field; only an owner makes owners. */
export function roleOptions(
  mayOwners: boolean,
): readonly { readonly value: Role; readonly label: string }[] {
  return ROLES.filter(({ role }) => mayOwners || role !== 'owner').map(({ role, says }) => ({
    value: role,
    label: `${role}: ${says}`,
  }));
}
