import { parseJson } from '../../bytes/json.ts';
import {
  asArray,
  asInstant,
  asOneOf,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
  refuseUnknown,
} from '../../bytes/shape.ts';
import { publicKeyPem } from '../../crypto/public-key.ts';
import { asDsseEnvelope, type DsseEnvelope } from '../../envelopes/dsse.ts';
import { asFault, quote, TrustFault } from '../../fault/fault.ts';
import { asDigest } from '../../oci/descriptor.ts';
import { computeDigest, type Digest } from '../../oci/digest.ts';
import { canonicalName } from '../names.ts';
import { SURFACES } from '../parse/spec.ts';
import { parsePolicyKey } from '../public-key.ts';
import { isClausePath } from './clause-path.ts';
import {
  APPROVAL_KIND,
  type BoundClause,
  EXCEPTION_API_VERSION,
  EXCEPTION_KIND,
  EXCEPTION_LIMIT,
  EXCEPTION_PAYLOAD_TYPE,
  type ExceptionApproval,
  type ExceptionDocument,
  type LiftedPolicy,
  type Party,
  type TrustException,
} from './document.ts';

const CODE = 'exception.malformed';
const MAX_ITEMS = 64;
/** Of all policies together: the record of a use keeps so many whole. */
const MAX_CLAUSES = 256;
const MAX_TEXT = 4096;
const MAX_KEY_TEXT = 4096;

/**
 * A request, an approved exception or a break-glass document from its envelope's JSON. All is checked
 * but the signatures and what a policy says of it; unknown members of what was signed are refused, and
 * so is a repository that is not written canonically. Throws `exception.malformed`, `json.*`, and what
 * is wrong with a key (`crypto.key-*`, `bytes.pem`).
 */
export function parseException(bytes: Uint8Array, where: string): ExceptionDocument {
  const json = parseJson(bytes, where, { maxBytes: EXCEPTION_LIMIT });
  const outer = envelopeAt(cursor(json, where, CODE));
  const payload = payloadOf(outer, `${where}.payload`);
  const kind = kindOf(payload);
  if (kind === EXCEPTION_KIND) {
    return { ...documentOf(outer, payload), approval: null };
  }
  refuseUnknown(payload, ['apiVersion', 'kind', 'spec']);
  const spec = member(payload, 'spec');
  refuseUnknown(spec, ['approver', 'approvedAt', 'request']);
  const request = envelopeAt(member(spec, 'request'));
  const approval: ExceptionApproval = {
    approver: asParty(member(spec, 'approver')),
    approvedAt: asInstant(member(spec, 'approvedAt')),
    envelope: outer,
  };
  const inner = payloadOf(request, `${spec.path}.request.payload`);
  if (kindOf(inner) !== EXCEPTION_KIND) {
    throw new TrustFault(CODE, `expected a ${EXCEPTION_KIND} at ${inner.path}, found an approval`);
  }
  const document = documentOf(request, inner);
  if (document.exception.kind === 'exception') return { ...document, approval };
  throw new TrustFault(
    CODE,
    `expected a request at ${inner.path}, found break-glass, which nobody approves`,
  );
}

function documentOf(request: DsseEnvelope, payload: Cursor): Omit<ExceptionDocument, 'approval'> {
  return { id: computeDigest(request.payload), exception: exceptionOf(payload), request };
}

/** One signature: more would be of nobody whom the payload names. */
function envelopeAt(at: Cursor): DsseEnvelope {
  refuseUnknown(at, ['payload', 'payloadType', 'signatures']);
  const envelope = asDsseEnvelope(at);
  if (envelope.payloadType !== EXCEPTION_PAYLOAD_TYPE) {
    const found = quote(envelope.payloadType);
    throw new TrustFault(CODE, `expected ${EXCEPTION_PAYLOAD_TYPE} at ${at.path}, found ${found}`);
  }
  const count = envelope.signatures.length;
  if (count === 1) return envelope;
  throw new TrustFault(CODE, `expected one signature at ${at.path}, found ${count}`);
}

function payloadOf({ payload }: DsseEnvelope, path: string): Cursor {
  return cursor(parseJson(payload, path, { maxBytes: EXCEPTION_LIMIT }), path, CODE);
}

function kindOf(payload: Cursor): typeof EXCEPTION_KIND | typeof APPROVAL_KIND {
  asOneOf(member(payload, 'apiVersion'), [EXCEPTION_API_VERSION]);
  return asOneOf(member(payload, 'kind'), [EXCEPTION_KIND, APPROVAL_KIND]);
}

const MEMBERS = [
  ...['kind', 'repository', 'digest', 'lifts', 'surfaces', 'namespaces'],
  ...['requester', 'reason', 'compensatingControl', 'issuedAt', 'expires'],
] as const;

function exceptionOf(payload: Cursor): TrustException {
  refuseUnknown(payload, ['apiVersion', 'kind', 'metadata', 'spec']);
  const metadata = member(payload, 'metadata');
  refuseUnknown(metadata, ['name']);
  const spec = member(payload, 'spec');
  refuseUnknown(spec, MEMBERS);
  const kind = asOneOf(member(spec, 'kind'), ['exception', 'break-glass']);
  const exception: TrustException = {
    name: asName(member(metadata, 'name')),
    kind,
    repository: asRepository(member(spec, 'repository')),
    digest: optional(member(spec, 'digest'), asDigest) ?? null,
    lifts: asEachOnce(member(spec, 'lifts'), asLiftedPolicy, ({ policy }) => policy),
    surfaces:
      optional(member(spec, 'surfaces'), (at) => asNames(at, (item) => asOneOf(item, SURFACES))) ??
      null,
    namespaces: optional(member(spec, 'namespaces'), (at) => asNames(at, asName)) ?? null,
    requester: asParty(member(spec, 'requester')),
    reason: asText(member(spec, 'reason')),
    compensatingControl: optional(member(spec, 'compensatingControl'), asText) ?? null,
    issuedAt: asInstant(member(spec, 'issuedAt')),
    expires: asInstant(member(spec, 'expires')),
  };
  const count = exception.lifts.reduce((sum, { clauses }) => sum + clauses.length, 0);
  if (count > MAX_CLAUSES) {
    const found = `expected at most ${MAX_CLAUSES} clauses at ${spec.path}.lifts, found ${count}`;
    throw new TrustFault(CODE, found);
  }
  if (exception.expires <= exception.issuedAt) {
    throw new TrustFault(CODE, `expected ${spec.path}.expires to be later than issuedAt`);
  }
  if (kind === 'exception' && exception.compensatingControl === null) {
    throw new TrustFault(
      CODE,
      `expected what keeps the risk small at ${spec.path}.compensatingControl`,
    );
  }
  return exception;
}

/** DNS-1123, as names of policies and of Kubernetes' namespaces are. */
const NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

function asName(at: Cursor): string {
  return matching(at, NAME, 'a name of small letters, digits, dashes and dots');
}

/** No spaces and no other alphabets: what looks like another identity must not be one. */
const IDENTITY = /^[\x21-\x7e]{1,256}$/;

function asParty(at: Cursor): Party {
  refuseUnknown(at, ['identity', 'key']);
  const key = member(at, 'key');
  const pem = asString(key);
  if (pem.length > MAX_KEY_TEXT) throw new TrustFault(CODE, `the key at ${key.path} is too long`);
  const parsed = parsePolicyKey(Buffer.from(pem), key.path);
  // One spelling: the id of a document must not hang on comments around a key.
  if (publicKeyPem(parsed) !== pem) {
    throw new TrustFault(CODE, `expected one PUBLIC KEY block and nothing else at ${key.path}`);
  }
  const identity = matching(
    member(at, 'identity'),
    IDENTITY,
    'an identity of up to 256 printable ASCII characters without spaces',
  );
  return { identity, key: parsed };
}

function asLiftedPolicy(at: Cursor): LiftedPolicy {
  refuseUnknown(at, ['policy', 'clauses']);
  return {
    policy: asName(member(at, 'policy')),
    clauses: asEachOnce(member(at, 'clauses'), asClause, ({ path }) => path),
  };
}

function asClause(at: Cursor): BoundClause {
  refuseUnknown(at, ['path', 'digest']);
  return { path: asClausePath(member(at, 'path')), digest: asClauseDigest(member(at, 'digest')) };
}

/** SHA-256 alone: of two digests of one clause one would have to be held to be the other. */
function asClauseDigest(at: Cursor): Digest {
  const digest = asDigest(at);
  if (digest.startsWith('sha256:')) return digest;
  throw new TrustFault(CODE, `expected a SHA-256 digest at ${at.path}, found ${quote(digest)}`);
}

function asClausePath(at: Cursor): string {
  const text = asString(at);
  if (isClausePath(text)) return text;
  const expected = 'a clause such as require, require.all[1], tags or rollback';
  throw new TrustFault(CODE, `expected ${expected} at ${at.path}, found ${quote(text)}`);
}

/** Semantics 7: one name for each repository, so that what is compared is what was approved. */
function asRepository(at: Cursor): string {
  const text = asString(at);
  let canonical: string;
  try {
    canonical = canonicalName(text, []);
  } catch (error) {
    const { message } = asFault(error);
    throw new TrustFault(CODE, `${message} at ${at.path}`);
  }
  if (canonical === text) return text;
  const found = quote(text);
  throw new TrustFault(CODE, `expected ${quote(canonical)} at ${at.path}, found ${found}`);
}

function asText(at: Cursor): string {
  const text = asString(at);
  if (text.trim() !== '' && text.length <= MAX_TEXT && text.isWellFormed()) return text;
  throw new TrustFault(CODE, `expected a text of at most ${MAX_TEXT} characters at ${at.path}`);
}

function asNames<T extends string>(at: Cursor, read: (item: Cursor) => T): readonly T[] {
  return asEachOnce(at, read, (name) => name);
}

/** Distinct, and at least one: nothing is never enough to be named. */
function asEachOnce<T>(
  at: Cursor,
  read: (item: Cursor) => T,
  nameOf: (item: T) => string,
): readonly T[] {
  const items = asArray(at, read, MAX_ITEMS);
  if (items.length > 0 && new Set(items.map(nameOf)).size === items.length) return items;
  throw new TrustFault(CODE, `expected at least one name, each once, at ${at.path}`);
}

function matching(at: Cursor, form: RegExp, expected: string): string {
  const text = asString(at);
  if (form.test(text)) return text;
  throw new TrustFault(CODE, `expected ${expected} at ${at.path}, found ${quote(text)}`);
}
