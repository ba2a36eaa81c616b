import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { Api } from './api.ts';
import { parseTokens, parseUsers, type ShownLink, type ShownUser } from './parse.ts';

/** The user of a name, in whatever case, or of an id. Throws `access.user-unknown`, `access.denied`. */
export async function findUser(api: Api, name: string): Promise<ShownUser> {
  const users = parseUsers(await api.json({ method: 'GET', path: ['users'] }));
  const wanted = name.toLowerCase();
  const found = users.find((user) => user.id === name || user.name.toLowerCase() === wanted);
  if (found === undefined) throw new TrustFault('access.user-unknown', `no user ${quote(name)}`);
  return found;
}

/** So many last characters of an id tell it from all others of a server, in all likelihood. */
export const ID_ENDING = 8;
const WHOLE_ID = /^token_[0-9a-f]{32}$/;

/**
 * The id of the token whose id is, or ends with, `text`. Throws `access.token-unknown`, and
 * `usage.invalid` when several end so.
 */
export async function findToken(api: Api, text: string): Promise<string> {
  if (WHOLE_ID.test(text)) return text;
  const own = await listTokens(api, null);
  const ids = parseTokens(own).map(({ id }) => id);
  const found = text.length < ID_ENDING ? [] : ids.filter((id) => id.endsWith(text));
  const [id] = found;
  if (found.length > 1) {
    throw new TrustFault('usage.invalid', `${found.length} tokens end with ${quote(text)}`);
  }
  if (id !== undefined) return id;
  throw new TrustFault('access.token-unknown', `no token ${quote(text)}`);
}

/**
 * The tokens of a user by id, or of everybody; null for all that the caller may see: everybody's
 * where that is allowed, else their own.
 */
export async function listTokens(api: Api, user: string | null): Promise<unknown> {
  const list = (of: string | null) =>
    api.json({ method: 'GET', path: ['tokens'], ...(of === null ? {} : { query: { user: of } }) });
  if (user !== null) return list(user);
  try {
    return await list('everybody');
  } catch (error) {
    if (!(error instanceof TrustFault) || error.code !== 'access.denied') throw error;
    return list(null);
  }
}

/**
 * Where the link of a user is opened. Its secret stands in the fragment, which no browser sends
 * (semantics 20), and so does the name, which the page greets them by; offline nobody knows how people
 * call the server.
 */
export function signInAddress({ origin }: Api, { secret }: ShownLink, user: string): string {
  return `${origin ?? ''}/sign-in#${new URLSearchParams({ token: secret, user })}`;
}
