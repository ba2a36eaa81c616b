import { parseJson } from '@bulla/trust/bytes/json';
import {
  asArray,
  asObject,
  asOneOf,
  asString,
  cursor,
  member,
  optional,
} from '@bulla/trust/bytes/shape';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';

/** Versions of external data that are spoken; Gatekeeper before 3.11 says v1alpha1. */
export const API_VERSIONS = [
  'externaldata.gatekeeper.sh/v1beta1',
  'externaldata.gatekeeper.sh/v1alpha1',
] as const;

/** What Gatekeeper asks. */
export interface ProviderRequest {
  readonly apiVersion: (typeof API_VERSIONS)[number];
  readonly keys: readonly string[];
}

/** The largest request, in bytes. */
export const REQUEST_MOST_BYTES = 1 << 20;
const KEYS_MOST = 2000;
const MALFORMED = 'gatekeeper.request-invalid';

/**
 * A ProviderRequest of v1beta1 or v1alpha1. Members that are not known are left aside: the protocol
 * may get more. Throws `gatekeeper.request-invalid`, also for over 2000 keys.
 */
export function parseProviderRequest(bytes: Uint8Array): ProviderRequest {
  let value: unknown;
  try {
    value = parseJson(bytes, 'the request', { maxBytes: REQUEST_MOST_BYTES });
  } catch (cause) {
    throw new TrustFault(MALFORMED, asFault(cause).message, undefined, { cause });
  }
  const at = cursor(value, '', MALFORMED);
  asObject(at);
  const apiVersion = asOneOf(member(at, 'apiVersion'), API_VERSIONS);
  asOneOf(member(at, 'kind'), ['ProviderRequest']);
  const keys = member(member(at, 'request'), 'keys');
  // Go leaves an empty list away.
  return { apiVersion, keys: optional(keys, (one) => asArray(one, asString, KEYS_MOST)) ?? [] };
}

/** An image, and the namespace of the object that names it. */
export interface ImageKey {
  /** Null where the key does not say it. */
  readonly namespace: string | null;
  readonly reference: string;
}

const NAMESPACED = /^\[([^\]:]*)\](.*)$/s;
const NAMESPACE = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * What a key asks about: `IMAGE` or `[NAMESPACE]IMAGE`. `[::1]:5000/app` is an image: no namespace
 * has a colon. Whether the image can be read is for the decision to say. Throws
 * `gatekeeper.key-invalid`.
 */
export function parseKey(key: string): ImageKey {
  const [, namespace, rest] = NAMESPACED.exec(key) ?? [];
  const reference = rest ?? key;
  if (namespace !== undefined && !NAMESPACE.test(namespace)) {
    throw invalid(`expected a namespace between the brackets, found ${quote(namespace)}`);
  }
  if (reference === '') throw invalid(`the key ${quote(key)} names no image`);
  return { namespace: namespace ?? null, reference };
}

function invalid(message: string): TrustFault {
  return new TrustFault('gatekeeper.key-invalid', message);
}
