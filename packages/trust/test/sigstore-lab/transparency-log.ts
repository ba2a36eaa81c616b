import { createHash } from 'node:crypto';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { encodeHex } from '@bulla/trust/bytes/hex';
import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import { encodePem } from '@bulla/trust/bytes/pem';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import type { LogEntry } from '@bulla/trust/logentries/entry';
import type { LogKey } from '@bulla/trust/tlog/log-key';
import { leafHash } from '@bulla/trust/tlog/tree-hash';
import type { Certificate } from '@bulla/trust/x509/certificate';
import { pathOf, rootOf, someLeaves } from '../tlog/merkle-tree.ts';
import {
  checkpointText,
  logOf,
  promiseOf,
  signatureLine,
  type TestKey,
  testKey,
} from '../tlog/synthetic-log.ts';

/** Who signed, as a log writes it. */
export type LoggedBy = { readonly certificate: Certificate } | { readonly key: TestKey };

/** What is logged: a message or an envelope by its digest, and the signature. */
export interface ToLog {
  readonly by: LoggedBy;
  readonly signature: Uint8Array;
  /** The signed bytes: the message, or the PAE of an envelope. */
  readonly signed: Uint8Array;
  /** The payload, when an envelope is logged as such (Rekor v1). */
  readonly payload?: Uint8Array;
}

/** A log that takes everything. Each entry has a tree of its own size of strangers around it. */
export interface TlogLab {
  readonly key: TestKey;
  readonly log: LogKey;
  append(what: ToLog, at: Date): LogEntry;
  /** An entry with a body of the test's own. */
  appendBody(kind: string, version: string, body: Uint8Array, at: Date): LogEntry;
}

const base64 = (bytes: Uint8Array | string) => encodeBase64(Buffer.from(bytes));
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const SIZE = 7;
const INDEX = 4;

/** PEM of the signer in base64, as Rekor v1 writes it. */
function pemOf(by: LoggedBy): string {
  return base64(
    'key' in by ? publicKeyPem(by.key.publicKey) : encodePem('CERTIFICATE', by.certificate.raw),
  );
}

function verifierOf(by: LoggedBy): object {
  return 'key' in by
    ? {
        publicKey: { rawBytes: base64(by.key.publicKey.spki) },
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      }
    : {
        x509Certificate: { rawBytes: base64(by.certificate.raw) },
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      };
}

function newSpec({ by, signature, signed }: ToLog): object {
  return {
    hashedRekordV002: {
      data: { algorithm: 'SHA2_256', digest: base64(sha256(signed)) },
      signature: { content: base64(signature), verifier: verifierOf(by) },
    },
  };
}

function oldSpec({ by, signature, signed, payload }: ToLog): object {
  if (payload === undefined) {
    return {
      data: { hash: { algorithm: 'sha256', value: encodeHex(sha256(signed)) } },
      signature: { content: base64(signature), publicKey: { content: pemOf(by) } },
    };
  }
  return {
    envelopeHash: { algorithm: 'sha256', value: '00'.repeat(32) },
    payloadHash: { algorithm: 'sha256', value: encodeHex(sha256(payload)) },
    signatures: [{ signature: base64(signature), verifier: pemOf(by) }],
  };
}

/** A log that speaks as Rekor v1 or v2. */
export function openTlog(rekor: 1 | 2, origin: string): TlogLab {
  const key = testKey(rekor === 1 ? 'ecdsa-p256' : 'ed25519');
  const log = logOf(key, rekor, origin);
  const appendBody: TlogLab['appendBody'] = (kind, version, body, at) => {
    const leaves = someLeaves(SIZE).with(INDEX, leafHash(body));
    const rootHash = rootOf(leaves);
    const text = checkpointText(rekor === 1 ? `${origin} - 77` : origin, SIZE, rootHash);
    const seconds = Math.floor(at.getTime() / 1000);
    // Rekor v1 is sharded: an entry's own index is the one over all shards.
    const logIndex = rekor === 1 ? 1000 + INDEX : INDEX;
    const promised = { body: base64(body), integratedTime: seconds, logId: log.logId, logIndex };
    return {
      logIndex: BigInt(logIndex),
      logId: log.logId,
      kind,
      version,
      integratedTime: rekor === 1 ? at : null,
      integratedTimeSeconds: rekor === 1 ? BigInt(seconds) : 0n,
      inclusionPromise: rekor === 1 ? promiseOf(key, promised) : null,
      inclusionProof: {
        logIndex: BigInt(INDEX),
        rootHash,
        treeSize: BigInt(SIZE),
        hashes: pathOf(INDEX, leaves),
        checkpoint: `${text}\n${signatureLine(text, origin, key)}`,
      },
      canonicalizedBody: body,
    };
  };
  return {
    key,
    log,
    appendBody,
    append(what, at) {
      const kind = rekor === 1 && what.payload !== undefined ? 'dsse' : 'hashedrekord';
      const apiVersion = rekor === 1 ? '0.0.1' : '0.0.2';
      const spec = rekor === 1 ? oldSpec(what) : newSpec(what);
      const body = Buffer.from(canonicalizeJcs({ apiVersion, kind, spec }));
      return appendBody(kind, apiVersion, body, at);
    },
  };
}
