import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { RegistryAction, RepositoryScope } from '../http/principal.ts';
import { ACTIONS } from './roles.ts';

/** What a client asks a registry token for. */
export interface AskedScopes {
  /** Names, each once. */
  readonly repositories: readonly RepositoryScope[];
  /** `registry:catalog:*`. */
  readonly catalog: boolean;
}

const SCOPES_MOST = 50;
const LONGEST = 512;
const ALPHANUMERIC = '[a-z0-9]+';
const COMPONENT = `${ALPHANUMERIC}(?:(?:[._]|__|-+)${ALPHANUMERIC})*`;
const HOST_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const HOST = `${HOST_COMPONENT}(?:\\.${HOST_COMPONENT})*(?::[0-9]+)?`;
// The grammar of the specification's scope.md; one name may hold one colon, a host's port.
const SCOPE = new RegExp(
  `^([a-z0-9]+)(?:\\([a-z0-9]+\\))?:((?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*):([a-z*]*(?:,[a-z*]*)*)$`,
);
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
// The action `*` is older than `delete`; it never meant to read what is unverified.
const ALL: readonly RegistryAction[] = ['pull', 'push', 'delete'];

/**
 * The scopes of a token request: of several parameters, each of one or more parted by spaces
 * (distribution, scope.md). Types, names and actions that this registry does not have are left out,
 * as the specification has it: they are not granted. Throws `access.scope-malformed` for what does
 * not follow the grammar, is longer than 512 characters, or is the 51st.
 */
export function parseScopeParameters(parameters: readonly string[]): AskedScopes {
  const texts = parameters
    .flatMap((parameter) => parameter.split(' '))
    .filter((text) => text !== '');
  if (texts.length > SCOPES_MOST) {
    throw new TrustFault('access.scope-malformed', `expected at most ${SCOPES_MOST} scopes`);
  }
  const repositories = new Map<string, Set<RegistryAction>>();
  let catalog = false;
  for (const text of texts) {
    const { type, name, actions } = parseScope(text);
    if (type === 'registry' && name === 'catalog' && actions.includes('*')) catalog = true;
    // A host's name is none of a repository here: a request names its registry by where it goes.
    if (type !== 'repository' || !REPOSITORY.test(name)) continue;
    const asked = repositories.get(name) ?? new Set();
    for (const action of actions.flatMap(actionsOf)) asked.add(action);
    repositories.set(name, asked);
  }
  return {
    catalog,
    repositories: [...repositories].map(([repository, actions]) => ({
      repository,
      actions: [...actions],
    })),
  };
}

interface Scope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

function parseScope(text: string): Scope {
  const [, type, name, actions] = text.length > LONGEST ? [] : (SCOPE.exec(text) ?? []);
  if (type === undefined || name === undefined || actions === undefined) {
    throw new TrustFault(
      'access.scope-malformed',
      `expected TYPE:NAME:ACTION,…, found ${quote(text)}`,
    );
  }
  return { type, name, actions: actions.split(',') };
}

function actionsOf(text: string): readonly RegistryAction[] {
  return text === '*' ? ALL : ACTIONS.filter((action) => action === text);
}

/** The repository out of which a request to push means to mount a blob; null for none. */
export function mountSource(query: URLSearchParams): string | null {
  const from = query.get('mount') === null ? null : query.get('from');
  return from !== null && from.length <= LONGEST && REPOSITORY.test(from) ? from : null;
}

/** Scopes as a challenge and an answer write them. */
export function formatScopes({ repositories, catalog }: AskedScopes): string {
  const texts = repositories
    .filter(({ actions }) => actions.length > 0)
    .map(({ repository, actions }) => `repository:${repository}:${actions.join(',')}`);
  return [...texts, ...(catalog ? ['registry:catalog:*'] : [])].join(' ');
}
