import type { Permission, RegistryAction, RepositoryScope, Role } from '../http/principal.ts';

/** Every permission there is. */
export const PERMISSIONS = [
  'overview.read',
  'decisions.read',
  'record.read',
  'record.export',
  'streams.manage',
  'repositories.read',
  'policies.read',
  'policies.simulate',
  'policies.manage',
  'exceptions.read',
  'exceptions.request',
  'exceptions.manage',
  'users.read',
  'users.manage',
  'owners.manage',
  'tokens.own',
  'tokens.manage',
  'metrics.read',
  'node.ask',
] as const satisfies readonly Permission[];

/** Every role there is. */
export const ROLE_NAMES = [
  'owner',
  'admin',
  'member',
  'viewer',
  'auditor',
] as const satisfies readonly Role[];

/** Every action on repositories there is. */
export const ACTIONS = [
  'pull',
  'push',
  'delete',
  'sign',
] as const satisfies readonly RegistryAction[];

/** What a role allows. */
export interface RoleRights {
  readonly permissions: ReadonlySet<Permission>;
  /** On all repositories, for whoever signs in. Never `sign` (semantics 15). */
  readonly actions: readonly RegistryAction[];
}

const VIEWER: readonly Permission[] = [
  'overview.read',
  'decisions.read',
  'repositories.read',
  'policies.read',
  'exceptions.read',
  'tokens.own',
];
const MEMBER: readonly Permission[] = [...VIEWER, 'policies.simulate', 'exceptions.request'];
const ADMIN: readonly Permission[] = PERMISSIONS.filter((name) => name !== 'owners.manage');
const AUDITOR: readonly Permission[] = [
  'overview.read',
  'decisions.read',
  'record.read',
  'record.export',
  'policies.read',
  'exceptions.read',
  'users.read',
  'tokens.own',
];

const ROLES: Readonly<Record<Role, RoleRights>> = {
  owner: { permissions: new Set(PERMISSIONS), actions: ['pull', 'push', 'delete'] },
  admin: { permissions: new Set(ADMIN), actions: ['pull', 'push', 'delete'] },
  member: { permissions: new Set(MEMBER), actions: ['pull', 'push'] },
  viewer: { permissions: new Set(VIEWER), actions: ['pull'] },
  auditor: { permissions: new Set(AUDITOR), actions: [] },
};

/** What a role allows. */
export function rightsOfRole(role: Role): RoleRights {
  return ROLES[role];
}

/** The repositories of somebody of this role who signed in; none for a role without actions. */
export function repositoriesOfRole(role: Role): readonly RepositoryScope[] {
  return SCOPES[role];
}

const SCOPES: Readonly<Record<Role, readonly RepositoryScope[]>> = {
  owner: everywhere(ROLES.owner.actions),
  admin: everywhere(ROLES.admin.actions),
  member: everywhere(ROLES.member.actions),
  viewer: everywhere(ROLES.viewer.actions),
  auditor: [],
};

function everywhere(actions: readonly RegistryAction[]): readonly RepositoryScope[] {
  return [{ repository: '**', actions }];
}

/**
 * Whether a token of somebody of this role may carry an action: what the role has, and `sign` where
 * it may push, for only who publishes images has unverified ones to sign.
 */
export function mayCarry(role: Role, action: RegistryAction): boolean {
  return ROLES[role].actions.includes(action === 'sign' ? 'push' : action);
}
