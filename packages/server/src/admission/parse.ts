import { parseJson } from '@bulla/trust/bytes/json';
import {
  asObject,
  asOneOf,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';

/** What the API server is about to do. */
export type Operation = (typeof OPERATIONS)[number];

const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const;

/** An AdmissionReview's request, checked as far as it is used; the objects are as they came. */
export interface Review {
  readonly uid: string;
  /** Of the object as it was matched: `v1`, `apps/v1`. */
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for the object itself. */
  readonly subResource: string;
  /** Null where the API server is about to choose it (`generateName`). */
  readonly name: string | null;
  /** Of the request: the object's own may be empty. Null for what belongs to the cluster. */
  readonly namespace: string | null;
  readonly operation: Operation;
  readonly username: string;
  readonly dryRun: boolean;
  /** Null on DELETE, and for some of CONNECT. */
  readonly object: unknown;
  readonly oldObject: unknown;
}

/** `apiVersion` of what comes and of every answer. */
export const REVIEW_VERSION = 'admission.k8s.io/v1';
export const REVIEW_KIND = 'AdmissionReview';

const MALFORMED = 'admission.review-malformed';
const UID_LONGEST = 256;
/** The API server has refused deeper objects long before (encoding/json stops at 10,000). */
const MAX_DEPTH = 512;

/**
 * The request of an AdmissionReview v1 (enforcement reference 2.1). Members that are not known are
 * passed over: later API servers send more. Throws `admission.review-malformed` and
 * `admission.version-unsupported`.
 */
export function parseReview(bytes: Uint8Array, maxBytes: number): Review {
  const at = cursor(readJson(bytes, maxBytes), '', MALFORMED);
  asObject({ ...at, path: 'the body' });
  requireVersion(at);
  const request = member(at, 'request');
  asObject(request);
  const kind = member(request, 'kind');
  const group = textOf(member(kind, 'group')) ?? '';
  const version = asString(member(kind, 'version'));
  return {
    uid: uidOf(member(request, 'uid')),
    apiVersion: group === '' ? version : `${group}/${version}`,
    kind: asString(member(kind, 'kind')),
    subResource: textOf(member(request, 'subResource')) ?? '',
    name: filled(textOf(member(request, 'name'))),
    namespace: filled(textOf(member(request, 'namespace'))),
    operation: asOneOf(member(request, 'operation'), OPERATIONS),
    username:
      textOf(optional(member(request, 'userInfo'), (user) => member(user, 'username'))) ?? '',
    dryRun: optional(member(request, 'dryRun'), readBoolean) ?? false,
    object: objectOf(member(request, 'object')),
    oldObject: objectOf(member(request, 'oldObject')),
  };
}

function readJson(bytes: Uint8Array, maxBytes: number): unknown {
  try {
    return parseJson(bytes, 'the review', { maxBytes, maxDepth: MAX_DEPTH });
  } catch (cause) {
    const { code, message } = asFault(cause);
    if (code === 'internal.defect') throw cause;
    throw new TrustFault(MALFORMED, message, undefined, { cause });
  }
}

function requireVersion(at: Cursor): void {
  const kind = asString(member(at, 'kind'));
  const version = asString(member(at, 'apiVersion'));
  if (kind !== REVIEW_KIND) {
    throw new TrustFault(MALFORMED, `expected an ${REVIEW_KIND}, found ${quote(kind)}`);
  }
  if (version === REVIEW_VERSION) return;
  throw new TrustFault(
    version.startsWith('admission.k8s.io/') ? 'admission.version-unsupported' : MALFORMED,
    `expected an ${REVIEW_KIND} of ${REVIEW_VERSION}, found ${quote(version)}`,
  );
}

function uidOf(at: Cursor): string {
  const uid = asString(at);
  if (uid !== '' && uid.length <= UID_LONGEST) return uid;
  throw new TrustFault(MALFORMED, `expected 1 to ${UID_LONGEST} characters at ${at.path}`);
}

function textOf(at: Cursor | undefined): string | undefined {
  return at === undefined ? undefined : optional(at, asString);
}

function filled(text: string | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}

function readBoolean(at: Cursor): boolean {
  if (typeof at.value === 'boolean') return at.value;
  throw new TrustFault(MALFORMED, `expected true or false at ${at.path}, found ${quote(at.value)}`);
}

function objectOf(at: Cursor): unknown {
  return optional(at, asObject) ?? null;
}
