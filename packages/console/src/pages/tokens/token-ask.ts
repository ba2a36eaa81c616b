import type { TokenAsk } from '../../api/access.ts';

type Action = TokenAsk['repositories'][number]['actions'][number];

/** What a token may do with repositories, and what that means. */
export const ACTIONS = [
  { action: 'pull', says: 'Pull what policies admit' },
  { action: 'push', says: 'Push images and tags' },
  { action: 'delete', says: 'Delete images and tags' },
  { action: 'sign', says: 'Read what is not verified yet, to sign it; at most one day' },
] as const satisfies readonly { readonly action: Action; readonly says: string }[];

const DAY_MS = 86_400_000;

/** Lives that a token may be given, in days. */
export const LIVES = [1, 7, 30, 90, 365] as const;

/**
 * The token that the form's fields ask for, or what is missing in them. A token that signs lives one
 * day at most, whatever was chosen (the server would refuse it).
 */
export function readTokenAsk(form: FormData): TokenAsk | string {
  const name = text(form, 'name');
  if (name === '') return 'Give the token a name, such as the program that uses it.';
  const chosen = new Set(form.getAll('action').map(String));
  const actions = ACTIONS.map(({ action }) => action).filter((action) => chosen.has(action));
  if (actions.length === 0) return 'Choose at least one thing that the token may do.';
  const globs = text(form, 'repositories')
    .split(/[\s,]+/)
    .filter((glob) => glob !== '');
  if (globs.length === 0) return 'Name the repositories; ** names all.';
  const days = Number(text(form, 'days'));
  const life = (actions.includes('sign') ? 1 : days) * DAY_MS;
  return {
    name,
    permissions: [],
    repositories: globs.map((repository) => ({ repository, actions })),
    expiresInMs: Number.isFinite(life) && life > 0 ? life : DAY_MS,
  };
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === 'string' ? value.trim() : '';
}
