import type { Permission, Role, TokenAsk } from '../../api/access.ts';

type Action = TokenAsk['repositories'][number]['actions'][number];

/** What a token may do with repositories, and what that means. */
export const ACTIONS = [
  { action: 'pull', says: 'Pull what policies admit' },
  { action: 'push', says: 'Push images and tags' },
  { action: 'delete', says: 'Delete images and tags' },
  { action: 'sign', says: 'Read what is not verified yet, to sign it; at most one day' },
] as const satisfies readonly { readonly action: Action; readonly says: string }[];

const OF_ROLE: Readonly<Record<Role, readonly Action[]>> = {
  owner: ['pull', 'push', 'delete', 'sign'],
  admin: ['pull', 'push', 'delete', 'sign'],
  member: ['pull', 'push', 'sign'],
  viewer: ['pull'],
  auditor: [],
};

/** What a token of somebody of this role may do with repositories; the server decides it again. */
export function actionsOf(role: Role): readonly (typeof ACTIONS)[number][] {
  return ACTIONS.filter(({ action }) => OF_ROLE[role].includes(action));
}

/** What a token may do with the product API, in words; what only people do is not among it. */
export const PERMISSIONS = [
  { permission: 'overview.read', says: 'See what is running' },
  { permission: 'decisions.read', says: 'Read decisions' },
  { permission: 'repositories.read', says: 'List repositories and tags' },
  { permission: 'policies.read', says: 'Read policies' },
  { permission: 'policies.simulate', says: 'Try policies' },
  { permission: 'policies.manage', says: 'Take policies from warning to refusing, and back' },
  { permission: 'exceptions.read', says: 'Read exceptions' },
  { permission: 'exceptions.request', says: 'Hand in requests, approvals and break-glass' },
  { permission: 'exceptions.manage', says: 'Revoke any exception, close reviews' },
  { permission: 'record.read', says: 'Verify the record, read streams' },
  { permission: 'record.export', says: 'Export the record' },
  { permission: 'streams.manage', says: 'Send dead letters again, or drop them' },
  { permission: 'metrics.read', says: 'Read metrics' },
  { permission: 'node.ask', says: 'Ask about any image, as a node does' },
] as const satisfies readonly { readonly permission: Permission; readonly says: string }[];

const DAY_MS = 86_400_000;

/** Lives that a token may be given, in days. */
export const LIVES = [1, 7, 30, 90, 365] as const;

/**
 * The token that the form's fields ask for, or what is missing in them. How long a token that signs
 * lives is left to the server, which gives it a day at most.
 */
export function readTokenAsk(form: FormData): TokenAsk | string {
  const name = text(form, 'name');
  if (name === '') return 'Give the token a name, such as the program that uses it.';
  const actions = chosen(
    form,
    'action',
    ACTIONS.map(({ action }) => action),
  );
  const permissions = chosen(
    form,
    'permission',
    PERMISSIONS.map(({ permission }) => permission),
  );
  if (actions.length + permissions.length === 0) {
    return 'Choose at least one thing that the token may do.';
  }
  const globs = text(form, 'repositories')
    .split(/[\s,]+/)
    .filter((glob) => glob !== '');
  if (actions.length > 0 && globs.length === 0) return 'Name the repositories; ** names all.';
  const days = Number(text(form, 'days'));
  return {
    name,
    permissions,
    repositories: actions.length === 0 ? [] : globs.map((repository) => ({ repository, actions })),
    lifeMs: actions.includes('sign') || !(days > 0) ? undefined : days * DAY_MS,
  };
}

function chosen<T extends string>(form: FormData, name: string, known: readonly T[]): T[] {
  const values = new Set(form.getAll(name).map(String));
  return known.filter((value) => values.has(value));
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
