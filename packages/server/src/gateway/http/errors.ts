import type { Code } from '@bulla/trust/fault/codes';
import type { HttpReply } from '../../http/exchange.ts';
import { publicFault } from '../../http/public-fault.ts';

/** Identifiers of the distribution specification, "Error Codes". */
const IDENTIFIERS: Partial<Readonly<Record<Code, string>>> = {
  'http.path-invalid': 'NAME_INVALID',
  'http.body-cut': 'SIZE_INVALID',
  'gateway.name-invalid': 'NAME_INVALID',
  'gateway.name-unknown': 'NAME_UNKNOWN',
  'gateway.reference-invalid': 'MANIFEST_INVALID',
  'gateway.digest-invalid': 'DIGEST_INVALID',
  'gateway.blob-unknown': 'BLOB_UNKNOWN',
  'gateway.upload-invalid': 'BLOB_UPLOAD_INVALID',
  'gateway.upload-unknown': 'BLOB_UPLOAD_UNKNOWN',
  'gateway.upload-busy': 'BLOB_UPLOAD_INVALID',
  'gateway.chunk-out-of-order': 'BLOB_UPLOAD_INVALID',
  'gateway.size-invalid': 'SIZE_INVALID',
  'gateway.blob-too-large': 'SIZE_INVALID',
  'gateway.manifest-unknown': 'MANIFEST_UNKNOWN',
  'gateway.manifest-invalid': 'MANIFEST_INVALID',
  'gateway.manifest-too-large': 'SIZE_INVALID',
  'gateway.manifest-blob-unknown': 'MANIFEST_BLOB_UNKNOWN',
  'gateway.precondition-failed': 'DENIED',
  'upstream.read-only': 'UNSUPPORTED',
  'json.malformed': 'MANIFEST_INVALID',
  'json.duplicate-key': 'MANIFEST_INVALID',
  'json.limit': 'MANIFEST_INVALID',
};

/** Where no identifier of the fault's own is listed; the last three are those of Docker's registry. */
const BY_STATUS: Readonly<Record<number, string>> = {
  401: 'UNAUTHORIZED',
  403: 'DENIED',
  429: 'TOOMANYREQUESTS',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'UNAVAILABLE',
};

/** A fault as the specification's JSON. Those of upstreams are worded for the caller. */
export function refuse(error: Error): HttpReply {
  const isOfUpstream = (one: Code) => one.startsWith('upstream.');
  const { status, code, message, remedy } = publicFault(error, isOfUpstream);
  const byStatus = BY_STATUS[status] ?? (status >= 500 ? 'UNKNOWN' : 'UNSUPPORTED');
  const entry = { code: IDENTIFIERS[code] ?? byStatus, message, detail: { code, remedy } };
  return {
    status,
    headers: {
      'content-type': 'application/json',
      'docker-distribution-api-version': 'registry/2.0',
    },
    body: JSON.stringify({ errors: [entry] }),
  };
}
