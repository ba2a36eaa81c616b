import { quote, TrustFault } from '@bulla/trust/fault/fault';
import {
  mayAct,
  type Permission,
  type Principal,
  type RegistryAction,
  type RepositoryScope,
  type Role,
} from '../http/principal.ts';
import { ACTIONS, mayCarry, PERMISSIONS, repositoriesOfRole, rightsOfRole } from './roles.ts';

/** Who changes users and tokens: somebody who was authenticated, or who holds the data folder. */
export interface Actor {
  readonly kind: 'user' | 'token' | 'operator';
  readonly id: string;
  readonly name: string;
  /** The user behind; null for the operator. */
  readonly user: string | null;
  readonly permissions: ReadonlySet<Permission>;
  readonly repositories: readonly RepositoryScope[];
}

/** Who works on the data folder itself, as the CLI does offline: nothing can be kept from them. */
export const OPERATOR: Actor = {
  kind: 'operator',
  id: 'operator',
  name: 'operator of the data folder',
  user: null,
  permissions: new Set(PERMISSIONS),
  repositories: [{ repository: '**', actions: ACTIONS }],
};

/**
 * The operator as the caller of routes that are called in this process, offline. Requests are never
 * authenticated as this: it is known by being this very object, not by what it says.
 */
export const OPERATOR_CALLER: Principal = {
  kind: 'user',
  id: OPERATOR.id,
  name: OPERATOR.name,
  permissions: OPERATOR.permissions,
  repositories: OPERATOR.repositories,
};

/** The caller of a route as an actor. Throws `access.unauthenticated` for nobody. */
export function actorOf(principal: Principal): Actor {
  if (principal === OPERATOR_CALLER) return OPERATOR;
  if (principal.kind === 'anonymous' || principal.user === undefined) {
    throw new TrustFault('access.unauthenticated', 'expected somebody who has signed in');
  }
  const { kind, id, name, user, permissions, repositories } = principal;
  return { kind, id, name, user, permissions, repositories };
}

/** Throws `access.denied` unless the actor has the permission. */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (actor.permissions.has(permission)) return;
  throw new TrustFault('access.denied', `${quote(actor.name)} does not have ${permission}`);
}

/**
 * Throws `access.exceeds-rights` unless the actor has every right of the role: nobody makes, changes
 * or ends somebody who may do more than themselves. So an admin does not touch owners, and a token
 * that manages users does not make an account that can do what the token cannot.
 */
export function requireRole(actor: Actor, role: Role): void {
  const permissions = [...rightsOfRole(role).permissions];
  const missing = permissions.find((permission) => !actor.permissions.has(permission));
  const holds = repositoriesOfRole(role).every((scope) => covers(actor, scope));
  if (missing === undefined && holds) return;
  const what = missing ?? 'access to all repositories';
  throw new TrustFault(
    'access.exceeds-rights',
    `${quote(actor.name)} does not have ${what}, which the role ${role} has`,
  );
}

/**
 * Whether the actor's repositories include all of a scope. Between globs that is decided by their
 * text: a token hands on the very globs that it has, and only `**` includes others.
 */
export function covers(actor: Actor, wanted: RepositoryScope): boolean {
  return wanted.actions.every((action) =>
    actor.repositories.some(
      ({ repository, actions }) =>
        (repository === '**' || repository === wanted.repository) && actions.includes(action),
    ),
  );
}

/** What of a token's scopes somebody of this role may do now (it may have shrunk since). */
export function withinRole(
  scopes: readonly RepositoryScope[],
  role: Role,
): readonly RepositoryScope[] {
  return scopes
    .map(({ repository, actions }) => ({
      repository,
      actions: actions.filter((action) => mayCarry(role, action)),
    }))
    .filter(({ actions }) => actions.length > 0);
}

/** Which of `actions` a caller may do with the repository of this name. */
export function actionsWithin(
  principal: Pick<Principal, 'repositories'>,
  repository: string,
  actions: readonly RegistryAction[],
): readonly RegistryAction[] {
  return actions.filter((action) => mayAct(principal, repository, action));
}

/** Whether somebody may list repositories: those are listed that they may pull, so there must be some. */
export function mayList({ repositories }: Pick<Principal, 'repositories'>): boolean {
  return repositories.some(({ actions }) => actions.includes('pull'));
}
