import { TrustFault } from '@bulla/trust/fault/fault';
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { ACTIONS, PERMISSIONS, ROLE_NAMES } from './roles.ts';

const closed = { additionalProperties: false } as const;
const Time = Type.String({ description: 'RFC 3339, UTC' });
const MaybeTime = Type.Union([Time, Type.Null()]);
const Name = Type.String({ minLength: 1, maxLength: 200 });
const Password = Type.String({ maxLength: 1024 });
const RoleName = Type.Union(ROLE_NAMES.map((name) => Type.Literal(name)));
const PermissionName = Type.Union(PERMISSIONS.map((name) => Type.Literal(name)));
const Scope = Type.Object(
  {
    repository: Type.String({ minLength: 1, maxLength: 300, description: 'a glob over names' }),
    actions: Type.Array(Type.Union(ACTIONS.map((name) => Type.Literal(name))), { maxItems: 4 }),
  },
  closed,
);

/** Name and password. */
export const SignInBody = Type.Object({ name: Name, password: Password }, closed);

/** The secret of a sign-in link, and what its user sets with it. */
export const LinkBody = Type.Object(
  {
    link: Type.String({ maxLength: 200 }),
    password: Type.Optional(Password),
    name: Type.Optional(Name),
  },
  closed,
);

/** One's own password, old and new. */
export const PasswordBody = Type.Object({ current: Password, next: Password }, closed);

/** A new user. */
export const UserBody = Type.Object({ name: Name, role: RoleName }, closed);

/** What to change of a user: one of both. */
export const UserChangeBody = Type.Object(
  { role: Type.Optional(RoleName), disabled: Type.Optional(Type.Boolean()) },
  { ...closed, minProperties: 1, maxProperties: 1 },
);

/** A new token. */
export const TokenBody = Type.Object(
  {
    name: Name,
    user: Type.Optional(Type.String({ description: "the owner's id; default the caller" })),
    permissions: Type.Optional(Type.Array(PermissionName, { maxItems: 50 })),
    repositories: Type.Optional(Type.Array(Scope, { maxItems: 100 })),
    expires: Type.Optional(Time),
  },
  closed,
);

/** Whose tokens to list. */
export const TokensQuery = Type.Object({
  user: Type.Optional(Type.String({ description: "a user's id, or `everybody`" })),
});

/** Which part of the activity to list. */
export const ActivityQuery = Type.Object({
  before: Type.Optional(Type.String({ description: 'the id of the oldest change that is known' })),
  limit: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,3}$' })),
});

/** A user. */
export const UserAnswer = Type.Object({
  id: Type.String(),
  name: Type.String(),
  role: RoleName,
  disabled: MaybeTime,
  created: Time,
  hasPassword: Type.Boolean(),
});

/** Whether and as whom the caller is signed in. */
export const SessionAnswer = Type.Object({
  signedIn: Type.Boolean(),
  kind: Type.Union([Type.Literal('user'), Type.Literal('token'), Type.Literal('anonymous')]),
  name: Type.String(),
  permissions: Type.Array(PermissionName),
  user: Type.Optional(UserAnswer),
  expires: Type.Optional(Time),
});

/** A one-time link; its secret belongs into the fragment of the console's address. */
export const LinkAnswer = Type.Object({ secret: Type.String(), expires: Time });

/** A user, and the link with which they set their password. */
export const AddedUserAnswer = Type.Object({ user: UserAnswer, link: LinkAnswer });

/** A token. */
export const TokenAnswer = Type.Object({
  id: Type.String(),
  name: Type.String(),
  owner: Type.Object({ id: Type.String(), name: Type.String() }),
  permissions: Type.Array(PermissionName),
  repositories: Type.Array(Scope),
  created: Time,
  expires: Time,
  revoked: MaybeTime,
  lastUsed: MaybeTime,
});

/** A token that was just made, with its secret. */
export const CreatedTokenAnswer = Type.Object({ token: TokenAnswer, secret: Type.String() });

/** A change of a user or a token. `before` and `after` are JSON texts. */
export const ActivityAnswer = Type.Object({
  id: Type.String(),
  at: Time,
  actor: Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() }),
  action: Type.String(),
  entity: Type.Object({ kind: Type.String(), id: Type.String() }),
  before: Type.Union([Type.String(), Type.Null()]),
  after: Type.Union([Type.String(), Type.Null()]),
});

/** A list under the name of what it lists. */
export function listAnswer<N extends string, T extends TSchema>(name: N, item: T): TSchema {
  return Type.Object({ [name]: Type.Array(item) });
}

/**
 * A body or query that the door has checked, with its type. Throws `http.request-invalid` for one
 * that it has not: the routes do not rest on it.
 */
export function checked<T extends TSchema>(schema: T, value: unknown): Static<T> {
  if (Value.Check(schema, value)) return value;
  throw new TrustFault('http.request-invalid', 'the request is not what the route takes');
}
