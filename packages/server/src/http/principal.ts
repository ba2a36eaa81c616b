/** What a person may do in the product; each role has all that the one below it has, auditor apart. */
export type Role = 'owner' | 'admin' | 'member' | 'viewer' | 'auditor';

/** What may be done with a repository; `sign` reads what is not verified yet (semantics 15). */
export type RegistryAction = 'pull' | 'push' | 'delete' | 'sign';

/** What a token may do with repositories: a glob over their names (`*` stays within `/`). */
export interface RepositoryScope {
  readonly repository: string;
  readonly actions: readonly RegistryAction[];
}

/** What a route of the product API needs. Roles and token scopes lead to sets of these. */
export type Permission =
  | 'overview.read'
  | 'decisions.read'
  | 'record.read'
  | 'record.export'
  | 'repositories.read'
  | 'policies.read'
  | 'policies.simulate'
  | 'users.read'
  | 'users.manage'
  | 'tokens.own'
  | 'tokens.manage'
  | 'metrics.read';

/** Who makes a request, after its credentials were checked. */
export interface Principal {
  readonly kind: 'user' | 'token' | 'anonymous';
  /** Stable and opaque; `anonymous` for nobody. */
  readonly id: string;
  /** For people: a user's name, or `token NAME of USER`. */
  readonly name: string;
  readonly permissions: ReadonlySet<Permission>;
  readonly repositories: readonly RepositoryScope[];
}
