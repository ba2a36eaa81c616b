import type { CodeEntry } from './code-table.ts';
import { ACCESS_CODES } from './codes/access.ts';
import { ADMISSION_CODES } from './codes/admission.ts';
import { BYTES_CODES } from './codes/bytes.ts';
import { CEL_CODES } from './codes/cel.ts';
import { CLAIMS_CODES } from './codes/claims.ts';
import { CONFIG_CODES } from './codes/config.ts';
import { CRYPTO_CODES } from './codes/crypto.ts';
import { DECISION_CODES } from './codes/decision.ts';
import { DOOR_CODES } from './codes/door.ts';
import { EVIDENCE_CODES } from './codes/evidence.ts';
import { EXCEPTION_CODES } from './codes/exception.ts';
import { GATEKEEPER_CODES } from './codes/gatekeeper.ts';
import { IMAGES_CODES } from './codes/images.ts';
import { IMPACT_CODES } from './codes/impact.ts';
import { KEY_CODES } from './codes/keys.ts';
import { KUBERNETES_CODES } from './codes/kubernetes.ts';
import { NODE_CODES } from './codes/node.ts';
import { OCI_CODES } from './codes/oci.ts';
import { POLICY_CODES } from './codes/policy.ts';
import { POLICY_DOCUMENT_CODES } from './codes/policy-document.ts';
import { REACH_CODES } from './codes/reach.ts';
import { RECORD_CODES } from './codes/record.ts';
import { SERVER_CODES } from './codes/server.ts';
import { SERVICE_CODES } from './codes/services.ts';
import { SIGN_CODES } from './codes/sign.ts';
import { SIGSTORE_CODES } from './codes/sigstore.ts';
import { STORAGE_CODES } from './codes/storage.ts';
import { STREAM_CODES } from './codes/stream.ts';
import { TIMESTAMP_CODES } from './codes/timestamp.ts';
import { TLOG_CODES } from './codes/tlog.ts';
import { TRUST_ROOT_CODES } from './codes/trust-root.ts';
import { UPSTREAM_CODES } from './codes/upstream.ts';
import { X509_CODES } from './codes/x509.ts';

/** A fault's stable name, `area.reason`. */
export type Code =
  | keyof typeof GATEKEEPER_CODES
  | keyof typeof IMAGES_CODES
  | keyof typeof IMPACT_CODES
  | keyof typeof DOOR_CODES
  | keyof typeof UPSTREAM_CODES
  | keyof typeof REACH_CODES
  | keyof typeof RECORD_CODES
  | keyof typeof POLICY_DOCUMENT_CODES
  | keyof typeof DECISION_CODES
  | keyof typeof CONFIG_CODES
  | keyof typeof ACCESS_CODES
  | keyof typeof ADMISSION_CODES
  | keyof typeof BYTES_CODES
  | keyof typeof CEL_CODES
  | keyof typeof CLAIMS_CODES
  | keyof typeof CRYPTO_CODES
  | keyof typeof SIGN_CODES
  | keyof typeof SIGSTORE_CODES
  | keyof typeof EVIDENCE_CODES
  | keyof typeof EXCEPTION_CODES
  | keyof typeof KEY_CODES
  | keyof typeof KUBERNETES_CODES
  | keyof typeof NODE_CODES
  | keyof typeof OCI_CODES
  | keyof typeof POLICY_CODES
  | keyof typeof SERVER_CODES
  | keyof typeof STORAGE_CODES
  | keyof typeof STREAM_CODES
  | keyof typeof X509_CODES
  | keyof typeof SERVICE_CODES
  | keyof typeof TIMESTAMP_CODES
  | keyof typeof TLOG_CODES
  | keyof typeof TRUST_ROOT_CODES;

/**
 * The one table of codes, put together from one file per area. `docs/errors.md` is generated from
 * it and the architecture test checks that no two areas share a code.
 */
export const CODES: Readonly<Record<Code, CodeEntry>> = {
  ...GATEKEEPER_CODES,
  ...IMAGES_CODES,
  ...IMPACT_CODES,
  ...DOOR_CODES,
  ...UPSTREAM_CODES,
  ...REACH_CODES,
  ...RECORD_CODES,
  ...POLICY_DOCUMENT_CODES,
  ...DECISION_CODES,
  ...CONFIG_CODES,
  ...ACCESS_CODES,
  ...ADMISSION_CODES,
  ...BYTES_CODES,
  ...CEL_CODES,
  ...CLAIMS_CODES,
  ...CRYPTO_CODES,
  ...SIGN_CODES,
  ...SIGSTORE_CODES,
  ...EVIDENCE_CODES,
  ...EXCEPTION_CODES,
  ...KEY_CODES,
  ...KUBERNETES_CODES,
  ...NODE_CODES,
  ...OCI_CODES,
  ...POLICY_CODES,
  ...SERVER_CODES,
  ...STORAGE_CODES,
  ...STREAM_CODES,
  ...X509_CODES,
  ...SERVICE_CODES,
  ...TIMESTAMP_CODES,
  ...TLOG_CODES,
  ...TRUST_ROOT_CODES,
};

/** Whether `text` is a code of the table. */
export function isCode(text: string): text is Code {
  return Object.hasOwn(CODES, text);
}

/** The row of a code: status, exit code, meaning and general remedy. */
export function codeEntry(code: Code): CodeEntry {
  return CODES[code];
}
