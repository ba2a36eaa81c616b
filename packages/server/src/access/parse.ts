import { parseJson } from '@bulla/trust/bytes/json';
import {
  asArray,
  asCount,
  asInstant,
  asOneOf,
  asString,
  type Cursor,
  cursor,
  member,
} from '@bulla/trust/bytes/shape';
import type { Code } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Permission, RegistryAction, RepositoryScope, Role } from '../http/principal.ts';
import { ACTIONS, PERMISSIONS, ROLE_NAMES } from './roles.ts';

const CORRUPT = 'storage.corrupt';
const PHC =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** What an argon2id hash was made with. Memory is in KiB. */
export interface Argon2Hash {
  readonly memory: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** An argon2id hash of a row, as a PHC string. Throws `storage.corrupt`, without its text. */
export function parsePhc(text: string): Argon2Hash {
  const [, memory, passes, lanes, salt = '', tag = ''] = PHC.exec(text) ?? [];
  if (memory === undefined) throw new TrustFault(CORRUPT, 'a password is not an argon2id hash');
  return {
    memory: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** The role of a row. Throws `storage.corrupt`. */
export function parseRole(text: string): Role {
  return asOneOf(cursor(text, 'users.role', CORRUPT), ROLE_NAMES);
}

/** The permissions of a row. Throws `storage.corrupt`, and the `json.*` codes. */
export function parsePermissions(text: string): ReadonlySet<Permission> {
  const at = textCursor(text, 'tokens.permissions');
  return new Set(asArray(at, (one) => asOneOf(one, PERMISSIONS)));
}

/** The repository scopes of a row. Throws `storage.corrupt`, and the `json.*` codes. */
export function parseScopes(text: string): readonly RepositoryScope[] {
  return asArray(textCursor(text, 'tokens.repositories'), asScope);
}

/** What a registry token says. */
export interface RegistryClaims {
  readonly audience: string;
  readonly kind: 'user' | 'token' | 'anonymous';
  readonly subject: string;
  readonly issued: Date;
  readonly expires: Date;
  readonly catalog: boolean;
  /** Names, not globs. */
  readonly access: readonly RepositoryScope[];
}

/** What a registry token says; its MAC was checked. Throws `access.credentials-invalid`, `json.*`. */
export function parseClaims(bytes: Uint8Array): RegistryClaims {
  const at = cursor(parseJson(bytes, 'a registry token'), '', 'access.credentials-invalid');
  return {
    audience: asString(member(at, 'aud')),
    kind: asOneOf(member(at, 'kind'), ['user', 'token', 'anonymous']),
    subject: asString(member(at, 'sub')),
    issued: new Date(asCount(member(at, 'iat'))),
    expires: new Date(asCount(member(at, 'exp'))),
    catalog: asOneOf(member(at, 'catalog'), ['yes', 'no']) === 'yes',
    access: asArray(member(at, 'access'), asScope),
  };
}

/** A key that authenticates registry tokens. */
export interface RegistryKey {
  readonly id: string;
  readonly secret: Buffer;
  readonly created: Date;
}

/** The keys of a cell, newest first. Throws `storage.corrupt`, and the `json.*` codes. */
export function parseKeys(bytes: Uint8Array): readonly RegistryKey[] {
  const at = cursor(parseJson(bytes, 'the registry keys'), '', CORRUPT);
  return asArray(member(at, 'keys'), (key) => ({
    id: asString(member(key, 'id')),
    secret: Buffer.from(asString(member(key, 'secret')), 'base64url'),
    created: asInstant(member(key, 'created')),
  }));
}

function asScope(at: Cursor): RepositoryScope {
  return {
    repository: asString(member(at, 'repository')),
    actions: asArray(member(at, 'actions'), asAction),
  };
}

function asAction(at: Cursor): RegistryAction {
  return asOneOf(at, ACTIONS);
}

function textCursor(text: string, path: string, code: Code = CORRUPT): Cursor {
  return cursor(parseJson(Buffer.from(text), path), path, code);
}
