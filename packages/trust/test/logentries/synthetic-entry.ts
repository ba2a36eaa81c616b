import { createHash } from 'node:crypto';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { encodeHex } from '@bulla/trust/bytes/hex';
import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import { preAuthenticationEncoding } from '@bulla/trust/envelopes/dsse';
import type { LogEntry } from '@bulla/trust/logentries/entry';
import type { EnvelopeMaterial, MessageMaterial } from '@bulla/trust/logentries/entry-material';
import { leafHash } from '@bulla/trust/tlog/tree-hash';
import { pathOf, rootOf, someLeaves } from '../tlog/merkle-tree.ts';
import {
  checkpointText,
  logOf,
  promiseOf,
  signatureLine,
  type TestKey,
  testKey,
} from '../tlog/synthetic-log.ts';

/** Entries of kinds that no fixture has, made by logs of the test's own. */

const base64 = (bytes: Uint8Array | string) => encodeBase64(Buffer.from(bytes));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

export const SIGNER: TestKey = testKey('ecdsa-p256');
export const MESSAGE: Uint8Array = Buffer.from('a message');
export const SIGNATURE: Uint8Array = SIGNER.sign(MESSAGE);
export const PAYLOAD: Uint8Array = Buffer.from('{"_type":"https://in-toto.io/Statement/v1"}');
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const ENCODING: Uint8Array = preAuthenticationEncoding(PAYLOAD_TYPE, PAYLOAD);
export const ENVELOPE_SIGNATURE: Uint8Array = SIGNER.sign(ENCODING);

const PEM = base64(publicKeyPem(SIGNER.publicKey).trimEnd());
const VERIFIER = {
  publicKey: { rawBytes: base64(SIGNER.publicKey.spki) },
  keyDetails: 'PKIX_ECDSA_P256_SHA_256',
};

export const MESSAGE_MATERIAL: MessageMaterial = {
  kind: 'message',
  digest: { hash: 'sha256', value: sha256(MESSAGE) },
  signature: SIGNATURE,
  key: SIGNER.publicKey,
  certificate: null,
};

export const ENVELOPE_MATERIAL: EnvelopeMaterial = {
  kind: 'dsse',
  payload: PAYLOAD,
  payloadType: PAYLOAD_TYPE,
  signatures: [{ signature: ENVELOPE_SIGNATURE }],
  key: SIGNER.publicKey,
  certificate: null,
  paeDigest: (hash) => createHash(hash).update(ENCODING).digest(),
};

/** The spec of a body of each kind that Bulla knows, right for the material above. */
export const SPECS = {
  'hashedrekord 0.0.1': {
    data: { hash: { algorithm: 'sha256', value: encodeHex(sha256(MESSAGE)) } },
    signature: { content: base64(SIGNATURE), publicKey: { content: PEM } },
  },
  'hashedrekord 0.0.2': {
    hashedRekordV002: {
      data: { algorithm: 'SHA2_256', digest: base64(sha256(MESSAGE)) },
      signature: { content: base64(SIGNATURE), verifier: VERIFIER },
    },
  },
  'dsse 0.0.1': {
    envelopeHash: { algorithm: 'sha256', value: '00'.repeat(32) },
    payloadHash: { algorithm: 'sha256', value: encodeHex(sha256(PAYLOAD)) },
    signatures: [{ signature: base64(ENVELOPE_SIGNATURE), verifier: PEM }],
  },
  'dsse 0.0.2': {
    dsseV002: {
      payloadHash: { algorithm: 'SHA2_256', digest: base64(sha256(PAYLOAD)) },
      signatures: [{ content: base64(ENVELOPE_SIGNATURE), verifier: VERIFIER }],
    },
  },
  'intoto 0.0.2': {
    content: {
      envelope: {
        payloadType: PAYLOAD_TYPE,
        signatures: [{ sig: base64(base64(ENVELOPE_SIGNATURE)), publicKey: PEM }],
      },
      hash: { algorithm: 'sha256', value: '00'.repeat(32) },
      payloadHash: { algorithm: 'sha256', value: encodeHex(sha256(PAYLOAD)) },
    },
  },
} as const;

export type SpecName = keyof typeof SPECS;

/** The canonical body of an entry. */
export function bodyOf(name: string, spec: unknown): Uint8Array {
  const [kind, apiVersion] = name.split(' ');
  return Buffer.from(canonicalizeJcs({ apiVersion, kind, spec }));
}

export const V1_KEY: TestKey = testKey('ecdsa-p256');
export const V2_KEY: TestKey = testKey('ed25519');
export const V1_LOG = logOf(V1_KEY, 1, 'rekor.example');
export const V2_LOG = logOf(V2_KEY, 2, 'log.example');
export const LOGGED_AT = new Date('2026-01-02T03:04:05Z');
const SIZE = 11;
const INDEX = 6;
/** Rekor v1 is sharded: an entry has a global index besides that of its proof. */
const GLOBAL_INDEX = 1006;

/** An entry with its proof, and for Rekor v1 with its promise. */
export function entryOf(name: string, body: Uint8Array): LogEntry {
  const [kind = '', version = ''] = name.split(' ');
  const isV1 = version === '0.0.1' || kind === 'intoto';
  const log = isV1 ? V1_LOG : V2_LOG;
  const leaves = someLeaves(SIZE).with(INDEX, leafHash(body));
  const rootHash = rootOf(leaves);
  const text = checkpointText(isV1 ? 'rekor.example - 77' : log.origin, SIZE, rootHash);
  const seconds = Math.floor(LOGGED_AT.getTime() / 1000);
  const entry = { body: base64(body), integratedTime: seconds, logId: log.logId };
  return {
    logIndex: BigInt(isV1 ? GLOBAL_INDEX : INDEX),
    logId: log.logId,
    kind,
    version,
    integratedTime: isV1 ? LOGGED_AT : null,
    integratedTimeSeconds: isV1 ? BigInt(seconds) : 0n,
    inclusionPromise: isV1 ? promiseOf(V1_KEY, { ...entry, logIndex: GLOBAL_INDEX }) : null,
    inclusionProof: {
      logIndex: BigInt(INDEX),
      rootHash,
      treeSize: BigInt(SIZE),
      hashes: pathOf(INDEX, leaves),
      checkpoint: `${text}\n${signatureLine(text, log.origin, isV1 ? V1_KEY : V2_KEY)}`,
    },
    canonicalizedBody: body,
  };
}

/** The codes of every failed finding below, in order. */
export function failedCodes(finding: {
  readonly outcome: string;
  readonly code?: string;
  readonly because?: readonly unknown[];
}): string[] {
  const children = (finding.because ?? []) as readonly Parameters<typeof failedCodes>[0][];
  if (children.length === 0) return finding.outcome === 'fail' ? [finding.code ?? 'none'] : [];
  return children.flatMap(failedCodes);
}
