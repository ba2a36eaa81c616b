import type { Activity } from '@bulla/server/access/activity';
import type { IssuedLink } from '@bulla/server/access/links';
import type { ApiToken } from '@bulla/server/access/tokens';
import type { User } from '@bulla/server/access/user';
import type { Permission as PermissionName, Role as RoleName } from '@bulla/server/http/principal';
import { queryOptions } from '@tanstack/react-query';
import { apiPath, change, read } from './client.ts';
import { now } from './clock.ts';
import { jsonValue } from './parse.ts';

/** A type of the server as its JSON has it: times are text, ISO 8601. */
type Sent<T> = {
  readonly [Name in keyof T]: T[Name] extends Date
    ? string
    : T[Name] extends Date | null
      ? string | null
      : T[Name];
};

/** One of the things that a signed-in user may be allowed to do. */
export type Permission = PermissionName;

/** What a user is. */
export type Role = RoleName;

/** A user of this server. */
export type UserAnswer = Sent<User>;

/** An API token. Its secret is not kept by the server. */
export type TokenAnswer = Sent<ApiToken>;

/** A one-time sign-in link, shown this once. */
export type LinkAnswer = Sent<IssuedLink>;

/** Who calls, and what they may do; `user` is there for whoever is signed in here. */
export interface SessionAnswer {
  readonly signedIn: boolean;
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly user?: UserAnswer;
}

/** A token that was just made, with the secret that is shown this once. */
export interface NewTokenAnswer {
  readonly token: TokenAnswer;
  readonly secret: string;
}

type ActivityAnswer = Sent<Activity>;

/** A change of a user, a role, a password or a token. */
export type ActivityEntry = Omit<ActivityAnswer, 'before' | 'after'> & {
  readonly before: unknown;
  readonly after: unknown;
};

/** A user who was just added, with the link that lets them choose a password. */
export interface AddedUser {
  readonly user: UserAnswer;
  readonly link: LinkAnswer;
}

/** Who is signed in; nobody is an answer as well. */
export function sessionQuery() {
  return queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => read<SessionAnswer>('/session', signal),
    staleTime: 60_000,
  });
}

/** Starts a session. */
export function signIn(asked: {
  readonly name: string;
  readonly password: string;
}): Promise<SessionAnswer> {
  return change('POST', '/session', asked);
}

/** Starts a session with a one-time link: its user sets a password, the first owner a name as well. */
export function signInByLink(use: {
  readonly link: string;
  readonly password: string;
  readonly name?: string;
}): Promise<SessionAnswer> {
  return change('POST', '/session/link', use);
}

/** Ends the session. */
export function signOut(): Promise<null> {
  return change('DELETE', '/session');
}

/** Changes one's own password; other sessions end. */
export function changePassword(asked: {
  readonly current: string;
  readonly next: string;
}): Promise<null> {
  return change('PUT', '/session/password', asked);
}

/** All users. */
export function usersQuery() {
  return queryOptions({
    queryKey: ['users'],
    queryFn: ({ signal }) => read<{ readonly users: readonly UserAnswer[] }>('/users', signal),
  });
}

/** Adds a user, who then sets a password with the link of the answer. */
export function addUser(user: { readonly name: string; readonly role: Role }): Promise<AddedUser> {
  return change('POST', '/users', user);
}

/** Gives a user another role, or ends or restores all that they may do. */
export function changeUser(
  id: string,
  to: { readonly role: Role } | { readonly disabled: boolean },
): Promise<UserAnswer> {
  return change('PATCH', `/users/${encodeURIComponent(id)}`, to);
}

/** A link with which a user sets a new password; earlier ones end. */
export function makeLink(id: string): Promise<LinkAnswer> {
  return change('POST', `/users/${encodeURIComponent(id)}/link`);
}

/** Tokens: one's own, or those of everybody. */
export function tokensQuery(everybody: boolean) {
  return queryOptions({
    queryKey: ['tokens', everybody],
    queryFn: ({ signal }) =>
      read<{ readonly tokens: readonly TokenAnswer[] }>(
        apiPath('/tokens', { user: everybody ? 'everybody' : undefined }),
        signal,
      ),
  });
}

/** What a new token may do; without `expires` it lives as long as the server says. */
export interface TokenAsk {
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly repositories: TokenAnswer['repositories'];
  /** From now on; undefined: as long as the server gives. */
  readonly lifeMs: number | undefined;
}

/** Makes a token. */
export function createToken({ lifeMs, ...token }: TokenAsk): Promise<NewTokenAnswer> {
  const expires =
    lifeMs === undefined ? undefined : new Date(now().getTime() + lifeMs).toISOString();
  return change('POST', '/tokens', { ...token, expires });
}

/** Ends a token for good. */
export function revokeToken(id: string): Promise<TokenAnswer> {
  return change('DELETE', `/tokens/${encodeURIComponent(id)}`);
}

const PAGE = 100;

/** A page of changes, the newest first; `next` asks for the page after it. */
export interface ActivityPage {
  readonly activity: readonly ActivityEntry[];
  readonly next: string | null;
}

/** A page of changes, those before the one of id `before`. */
export function activityQuery(before: string | undefined) {
  return queryOptions({
    queryKey: ['activity', before],
    async queryFn({ signal }): Promise<ActivityPage> {
      const path = apiPath('/activity', { before, limit: PAGE });
      const answer = await read<{ readonly activity: readonly ActivityAnswer[] }>(path, signal);
      const activity = answer.activity.map((entry) => ({
        ...entry,
        before: jsonValue(entry.before),
        after: jsonValue(entry.after),
      }));
      return { activity, next: activity.length < PAGE ? null : (activity.at(-1)?.id ?? null) };
    },
  });
}
