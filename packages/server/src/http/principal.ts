import { compilePattern } from '@bulla/trust/policy/pattern';

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
  /** To send again, or to drop, what a receiver of the record did not take. */
  | 'streams.manage'
  | 'repositories.read'
  | 'policies.read'
  | 'policies.simulate'
  /** To take a policy from warning to refusing, and back. */
  | 'policies.manage'
  | 'exceptions.read'
  /** To hand in requests, approvals and break-glass documents; whose keys count is the policies' to say. */
  | 'exceptions.request'
  /** To revoke any exception, and to close reviews of break-glass. */
  | 'exceptions.manage'
  | 'users.read'
  | 'users.manage'
  /** To make, change or end owners; what sets an owner apart from an admin. */
  | 'owners.manage'
  | 'tokens.own'
  | 'tokens.manage'
  | 'metrics.read'
  /** To ask about any image, as the daemon of a node does; the answers are verdicts, never content. */
  | 'node.ask';

/** Who makes a request, after its credentials were checked. */
export interface Principal {
  readonly kind: 'user' | 'token' | 'anonymous';
  /** Stable and opaque; `anonymous` for nobody. */
  readonly id: string;
  /** For people: a user's name, or `token NAME of USER`. */
  readonly name: string;
  readonly permissions: ReadonlySet<Permission>;
  readonly repositories: readonly RepositoryScope[];
  /** The id of the user who stands behind a session or a token; absent for nobody. */
  readonly user?: string;
  /** That user's name. */
  readonly userName?: string;
}

/**
 * What a request to the registry needs: an action on a repository, the list of repositories
 * (`catalog`), or to be answered at all (`base`, the probe of `/v2/`).
 */
export type RegistryNeed =
  | { readonly kind: 'base' }
  | { readonly kind: 'catalog' }
  | {
      readonly kind: 'repository';
      readonly repository: string;
      readonly action: RegistryAction;
    };

/** A caller as the record names who did something. */
export function callerOf({ kind, id, name }: Principal): Pick<Principal, 'kind' | 'id' | 'name'> {
  return { kind, id, name };
}

/** Some globs at hand, and not more: whoever makes tokens chooses how many there are. */
const matchers = new Map<string, (name: string) => boolean>();
const MATCHERS_MOST = 1000;

/** Whether a caller may do `action` with the repository of this name. */
export function mayAct(
  { repositories }: Pick<Principal, 'repositories'>,
  repository: string,
  action: RegistryAction,
): boolean {
  return repositories.some(
    (scope) => scope.actions.includes(action) && matcherOf(scope)(repository),
  );
}

/** A registry token names repositories; to compile each name would take a megabyte a token. */
function matcherOf({ repository }: RepositoryScope): (name: string) => boolean {
  if (!repository.includes('*')) return (name) => name === repository;
  const known = matchers.get(repository);
  if (known !== undefined) return known;
  const matcher = compilePattern({ glob: repository });
  if (matchers.size >= MATCHERS_MOST) matchers.clear();
  matchers.set(repository, matcher);
  return matcher;
}
