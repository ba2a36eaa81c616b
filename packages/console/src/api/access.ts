import type { Permission, RepositoryScope, Role } from '@bulla/server/http/principal';
import { queryOptions } from '@tanstack/react-query';
import { apiPath, change, read } from './client.ts';

/** Who is signed in, and what they may do. */
export interface SessionAnswer {
  readonly user: { readonly id: string; readonly name: string; readonly role: Role };
  readonly permissions: readonly Permission[];
}

/** A user of this server. */
export interface UserAnswer {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly created: string;
  readonly disabled: string | null;
  /** False until the sign-in link was used. */
  readonly hasPassword: boolean;
}

/** An API token. Its secret is not kept by the server. */
export interface TokenAnswer {
  readonly id: string;
  readonly name: string;
  readonly user: string;
  readonly permissions: readonly Permission[];
  readonly repositories: readonly RepositoryScope[];
  readonly created: string;
  readonly expires: string;
  readonly revoked: string | null;
  readonly lastUsed: string | null;
}

/** A token that was just made, with the secret that is shown this once. */
export interface NewTokenAnswer {
  readonly token: TokenAnswer;
  readonly secret: string;
}

/** A user who was just added, with the link that lets them choose a password. */
export interface NewUserAnswer {
  readonly user: UserAnswer;
  readonly link: string;
}

/** A change of a user, a role, a password or a token. */
export interface ActivityEntry {
  readonly id: string;
  readonly at: string;
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string };
  readonly action: string;
  readonly entity: { readonly kind: string; readonly id: string };
  readonly before: unknown;
  readonly after: unknown;
}

/** A page of changes, the newest first. */
export interface ActivityAnswer {
  readonly activity: readonly ActivityEntry[];
  readonly next: string | null;
}

/** Who is signed in; fails with 401 when nobody is. */
export function sessionQuery() {
  return queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => read<SessionAnswer>('/session', signal),
    staleTime: 60_000,
    retry: false,
  });
}

/** Starts a session. */
export function signIn(name: string, password: string): Promise<SessionAnswer> {
  return change('POST', '/sign-in', { name, password });
}

/** Starts a session with a one-time link: its user sets a password, the first owner a name as well. */
export function signInByLink(link: {
  readonly token: string;
  readonly password: string;
  readonly name?: string;
}): Promise<SessionAnswer> {
  return change('POST', '/sign-in/link', link);
}

/** Ends the session. */
export function signOut(): Promise<null> {
  return change('POST', '/sign-out');
}

/** All users. */
export function usersQuery() {
  return queryOptions({
    queryKey: ['users'],
    queryFn: ({ signal }) => read<{ readonly users: readonly UserAnswer[] }>('/users', signal),
  });
}

/** Adds a user, who then sets a password with the link of the answer. */
export function addUser(user: {
  readonly name: string;
  readonly role: Role;
}): Promise<NewUserAnswer> {
  return change('POST', '/users', user);
}

/** Ends or restores all that a user may do. */
export function setUserDisabled(id: string, disabled: boolean): Promise<UserAnswer> {
  return change('PATCH', `/users/${encodeURIComponent(id)}`, { disabled });
}

/** Tokens: one's own, or those of all where the role allows it. */
export function tokensQuery() {
  return queryOptions({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => read<{ readonly tokens: readonly TokenAnswer[] }>('/tokens', signal),
  });
}

/** What a new token may do, and for how long. */
export interface TokenAsk {
  readonly name: string;
  readonly permissions: readonly Permission[];
  readonly repositories: readonly RepositoryScope[];
  readonly expiresInMs: number;
}

/** Makes a token. */
export function createToken(token: TokenAsk): Promise<NewTokenAnswer> {
  return change('POST', '/tokens', token);
}

/** Ends a token for good. */
export function revokeToken(id: string): Promise<null> {
  return change('DELETE', `/tokens/${encodeURIComponent(id)}`);
}

/** A page of changes. */
export function activityQuery(cursor: string | undefined) {
  return queryOptions({
    queryKey: ['activity', cursor],
    queryFn: ({ signal }) => read<ActivityAnswer>(apiPath('/activity', { cursor }), signal),
  });
}
