import type { ActivityEntry } from '../../api/access.ts';

const ACTIONS: Readonly<Record<string, string>> = {
  'user.add': 'Added user',
  'user.role': 'Changed the role of',
  'user.disable': 'Disabled user',
  'user.enable': 'Enabled user',
  'user.link': 'Made a sign-in link for',
  'user.link-used': 'Signed in with a link:',
  'user.password': 'Changed the password of',
  'token.create': 'Created token',
  'token.revoke': 'Revoked token',
};

/** An action in words; one that this page does not know is shown as it is. */
export function actionText(action: string): string {
  return ACTIONS[action] ?? action;
}

/** The name of what was changed, as it was afterwards, or before if there is no afterwards. */
export function entityName({ before, after, entity }: ActivityEntry): string {
  for (const state of [after, before]) {
    const name: unknown = isObject(state) ? Reflect.get(state, 'name') : undefined;
    if (typeof name === 'string') return name;
  }
  return entity.id;
}

/** What differs between two states, one sentence each; nothing for what was just made or ended. */
export function changesOf(before: unknown, after: unknown): readonly string[] {
  if (!isObject(before) || !isObject(after)) return [];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    // That one was set is no state, and told by the action.
    (name) => name !== 'passwordSet',
  );
  return names.flatMap((name) => {
    const from = show(Reflect.get(before, name));
    const to = show(Reflect.get(after, name));
    return from === to ? [] : [`${name}: ${from} → ${to}`];
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function show(value: unknown): string {
  if (value === undefined || value === null) return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}
