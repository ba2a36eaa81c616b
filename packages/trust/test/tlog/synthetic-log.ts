import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { encodeHex } from '@bulla/trust/bytes/hex';
import { canonicalizeJcs } from '@bulla/trust/bytes/jcs';
import { ALGORITHMS, type SignatureAlgorithm } from '@bulla/trust/crypto/algorithm';
import { type PublicKey, publicKeyOf } from '@bulla/trust/crypto/public-key';
import type { LogKey } from '@bulla/trust/tlog/log-key';
import { noteKeyIds } from '@bulla/trust/tlog/note';

/** A key pair of a test, and how it signs. */
export interface TestKey {
  readonly privateKey: KeyObject;
  readonly publicKey: PublicKey;
  readonly algorithm: SignatureAlgorithm;
  sign(message: Uint8Array): Uint8Array;
}

const ALWAYS = { start: null, end: null };

/** A fresh key of one of the kinds that logs have. */
export function testKey(kind: 'ecdsa-p256' | 'ecdsa-p384' | 'ed25519' | 'rsa-2048'): TestKey {
  const { privateKey, publicKey, algorithm } = generate(kind);
  return {
    privateKey,
    publicKey: publicKeyOf(publicKey, kind),
    algorithm,
    sign: (message) => sign(algorithm.hash, message, privateKey),
  };
}

function generate(kind: 'ecdsa-p256' | 'ecdsa-p384' | 'ed25519' | 'rsa-2048') {
  if (kind === 'ed25519') {
    return { ...generateKeyPairSync('ed25519'), algorithm: ALGORITHMS.ed25519 };
  }
  if (kind === 'rsa-2048') {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    return { ...pair, algorithm: ALGORITHMS['rsa-pkcs1v15-sha256'] };
  }
  return kind === 'ecdsa-p256'
    ? {
        ...generateKeyPairSync('ec', { namedCurve: 'P-256' }),
        algorithm: ALGORITHMS['ecdsa-sha256'],
      }
    : {
        ...generateKeyPairSync('ec', { namedCurve: 'P-384' }),
        algorithm: ALGORITHMS['ecdsa-sha384'],
      };
}

/** The log of `key` as a trust root would name it; v1 ids are of the SPKI, v2 ids of the note. */
export function logOf(key: TestKey, rekor: 1 | 2, origin = 'log.example'): LogKey {
  const [noteId] = noteKeyIds(origin, key.publicKey);
  const spkiId = createHash('sha256').update(key.publicKey.spki).digest();
  return {
    baseUrl: `https://${origin}`,
    origin,
    key: key.publicKey,
    algorithm: key.algorithm,
    logId: rekor === 2 && noteId !== undefined ? noteId : spkiId,
    validFor: ALWAYS,
  };
}

/** A signature line by `key` under `name`, with the hint of its C2SP key id. */
export function signatureLine(text: string, name: string, key: TestKey): string {
  const [id] = noteKeyIds(name, key.publicKey);
  const hint = id?.subarray(0, 4) ?? new Uint8Array();
  return lineOf(name, hint, key.sign(Buffer.from(text)));
}

/** A signature line of any content. */
export function lineOf(name: string, hint: Uint8Array, signature: Uint8Array): string {
  return `— ${name} ${encodeBase64(Buffer.concat([hint, signature]))}\n`;
}

/** The text of a checkpoint. */
export function checkpointText(origin: string, size: number | bigint, root: Uint8Array): string {
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** What a Rekor v1 log with this key promises about an entry. */
export function promiseOf(
  key: TestKey,
  entry: {
    readonly body: string;
    readonly integratedTime: number;
    readonly logId: Uint8Array;
    readonly logIndex: number;
  },
): Uint8Array {
  const { body, integratedTime, logId, logIndex } = entry;
  const payload = { body, integratedTime, logID: encodeHex(logId), logIndex };
  return key.sign(Buffer.from(canonicalizeJcs(payload)));
}
