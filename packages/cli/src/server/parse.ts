import { parseJson } from '@bulla/trust/bytes/json';
import {
  asArray,
  asCount,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { isCode } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';

const MALFORMED = 'server.answer-malformed';
const MESSAGE_LONGEST = 4000;

/** A user as lists show them. */
export interface ShownUser {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly state: 'active' | 'disabled' | 'invited';
  readonly created: string;
}

/** A one-time sign-in link. */
export interface ShownLink {
  readonly secret: string;
  readonly expires: string;
}

/** A token as lists show it. */
export interface ShownToken {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly permissions: readonly string[];
  readonly repositories: readonly { readonly glob: string; readonly actions: readonly string[] }[];
  readonly expires: string;
  readonly revoked: string | null;
  readonly lastUsed: string | null;
}

/** A decision as lists show it. */
export interface ShownDecision {
  readonly seq: number;
  readonly id: string;
  readonly at: string;
  readonly effect: string;
  readonly code: string | null;
  readonly reference: string;
  readonly count: number;
}

/** The fault of a problem that a server answered; a code that is unknown here is `server.refused`. */
export function parseProblem(bytes: Uint8Array): TrustFault {
  const at = answer(parseJson(bytes, 'the problem'));
  const code = asString(member(at, 'code'));
  const message = asString(member(at, 'message')).slice(0, MESSAGE_LONGEST);
  const remedy = asString(member(at, 'remedy')).slice(0, MESSAGE_LONGEST);
  if (isCode(code)) return new TrustFault(code, message, remedy);
  return new TrustFault('server.refused', `${code}: ${message}`, remedy);
}

/** A cursor on an answer of the API. Wrong shapes are `server.answer-malformed`. */
export function answer(document: unknown): Cursor {
  return cursor(document, '', MALFORMED);
}

/** The users of a list. */
export function parseUsers(document: unknown): readonly ShownUser[] {
  return asArray(member(answer(document), 'users'), asUser, LIST_MOST);
}

const LIST_MOST = 1_000_000;

/** A user. */
export function asUser(at: Cursor): ShownUser {
  const disabled = optional(member(at, 'disabled'), asString) !== undefined;
  const invited = member(at, 'hasPassword').value !== true;
  return {
    id: asString(member(at, 'id')),
    name: asString(member(at, 'name')),
    role: asString(member(at, 'role')),
    state: disabled ? 'disabled' : invited ? 'invited' : 'active',
    created: asString(member(at, 'created')),
  };
}

/** A sign-in link. */
export function asLink(at: Cursor): ShownLink {
  return {
    secret: asString(member(at, 'secret')),
    expires: asString(member(at, 'expires')),
  };
}

/** The tokens of a list. */
export function parseTokens(document: unknown): readonly ShownToken[] {
  return asArray(member(answer(document), 'tokens'), asToken, LIST_MOST);
}

/** A token. */
export function asToken(at: Cursor): ShownToken {
  return {
    id: asString(member(at, 'id')),
    name: asString(member(at, 'name')),
    owner: asString(member(member(at, 'owner'), 'name')),
    permissions: asArray(member(at, 'permissions'), asString),
    repositories: asArray(member(at, 'repositories'), (one) => ({
      glob: asString(member(one, 'repository')),
      actions: asArray(member(one, 'actions'), asString),
    })),
    expires: asString(member(at, 'expires')),
    revoked: optional(member(at, 'revoked'), asString) ?? null,
    lastUsed: optional(member(at, 'lastUsed'), asString) ?? null,
  };
}

/** A page of decisions, each beside its document as it came. */
export function parseDecisions(document: unknown): {
  readonly decisions: readonly { readonly shown: ShownDecision; readonly document: unknown }[];
  readonly next: number | null;
} {
  const at = answer(document);
  return {
    decisions: asArray(member(at, 'decisions'), (one) => ({
      shown: asDecision(one),
      document: one.value,
    })),
    next: optional(member(at, 'next'), asCount) ?? null,
  };
}

function asDecision(at: Cursor): ShownDecision {
  return {
    seq: asCount(member(at, 'seq')),
    id: asString(member(at, 'id')),
    at: asString(member(at, 'at')),
    effect: asString(member(at, 'effect')),
    code: optional(member(at, 'code'), asString) ?? null,
    reference: asString(member(at, 'reference')),
    count: asCount(member(at, 'count')),
  };
}
