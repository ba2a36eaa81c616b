import { utf8 } from '@bulla/trust/bytes/byte-string';
import {
  asArray,
  asCount,
  asObject,
  asString,
  type Cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import type { Api } from './api.ts';
import { answer } from './parse.ts';

/** An exception as lists show it. */
export interface ShownException {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly repository: string;
  readonly digest: string | null;
  readonly policies: readonly string[];
  readonly requester: string;
  readonly approver: string | null;
  readonly expires: string;
  readonly review: string;
  readonly uses: number;
}

/** The exceptions of a list's answer. Throws `server.answer-malformed`. */
export function parseExceptions(document: unknown): readonly ShownException[] {
  return asArray(member(answer(document), 'exceptions'), asException);
}

/** One exception of an answer. Throws `server.answer-malformed`. */
export function parseOne(document: unknown): ShownException {
  return asException(answer(document));
}

function asException(at: Cursor): ShownException {
  const text = (name: string) => asString(member(at, name));
  const identity = (party: Cursor) => asString(member(party, 'identity'));
  return {
    id: text('id'),
    name: text('name'),
    kind: text('kind'),
    state: text('state'),
    repository: text('repository'),
    digest: optional(member(at, 'digest'), asString) ?? null,
    policies: asArray(member(at, 'policies'), asString),
    requester: identity(member(at, 'requester')),
    approver: optional(member(at, 'approver'), identity) ?? null,
    expires: text('expires'),
    review: text('review'),
    uses: asCount(member(at, 'uses')),
  };
}

const WHOLE_ID = /^sha256:[0-9a-f]{64}$/;
const SHORTEST = 8;
const LISTED_MOST = '500';

/**
 * The id of the exception of that id, of which at least 8 first hexadecimal digits may be given, or of
 * that name. Throws `exception.unknown`, and `usage.invalid` when several are meant.
 */
export async function findException(api: Api, text: string): Promise<string> {
  if (WHOLE_ID.test(text)) return text;
  const query = { limit: LISTED_MOST };
  const all = parseExceptions(await api.json({ method: 'GET', path: ['exceptions'], query }));
  const hex = text.replace(/^sha256:/, '');
  const fits = ({ id, name }: ShownException) =>
    name === text || (hex.length >= SHORTEST && id.startsWith(`sha256:${hex}`));
  const found = all.filter(fits);
  const [one] = found;
  if (found.length > 1) {
    const ids = found.map(({ id }) => id.slice(0, 19)).join(', ');
    throw new TrustFault('usage.invalid', `${quote(text)} is the name of several: ${ids}`);
  }
  if (one !== undefined) return one.id;
  throw new TrustFault('exception.unknown', `the server has no exception ${quote(text)}`);
}

/** The body by which a document is handed in. */
export async function handedIn(document: ExceptionDocument): Promise<object> {
  const { dsseEnvelopeJson } = await import('@bulla/trust/envelopes/dsse');
  return { envelope: dsseEnvelopeJson(document.approval?.envelope ?? document.request) };
}

/** The signed document of an answer. Throws `exception.malformed`, `server.answer-malformed`. */
export async function signedDocument(document: unknown): Promise<ExceptionDocument> {
  const { parseException } = await import('@bulla/trust/policy/exceptions/parse');
  const envelope = asObject(member(answer(document), 'envelope'));
  return parseException(utf8(JSON.stringify(envelope)), 'the server’s answer');
}

/** One line about what an exception has come to. */
export function stateLine({ kind, name, id, state, expires }: ShownException): string {
  return `${kind} ${name} is ${state}, until ${expires.slice(0, 16).replace('T', ' ')} UTC  ${id}`;
}
