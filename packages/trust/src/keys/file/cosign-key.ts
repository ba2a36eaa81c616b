import { type KeyObject, randomBytes, scrypt } from 'node:crypto';
import { decodeBase64, encodeBase64 } from '../../bytes/base64.ts';
import { utf8 } from '../../bytes/byte-string.ts';
import { parseJson } from '../../bytes/json.ts';
import { encodePem } from '../../bytes/pem.ts';
import { asCount, asOneOf, asString, type Cursor, cursor, member } from '../../bytes/shape.ts';
import { TrustFault } from '../../fault/fault.ts';

/** PEM labels of cosign's format: the one it writes, and the one it wrote before version 2. */
export const COSIGN_KEY_LABELS: readonly [string, string] = [
  'ENCRYPTED SIGSTORE PRIVATE KEY',
  'ENCRYPTED COSIGN PRIVATE KEY',
];

const NONCE_BYTES = 24;
const KEY_BYTES = 32;
const SALT_BYTES = 32;
const TAG_BYTES = 16;
const BLOCK_SIZE = 8;
const WRITTEN_COST = 1 << 16;
/** go-securesystemslib refuses every other cost, so that a key file cannot ask for gigabytes. */
const COSTS: readonly number[] = [1 << 15, 1 << 16, 1 << 17];
const LIMITS = { maxBytes: 64 << 10, maxDepth: 4 };

interface SealedKey {
  readonly cost: number;
  readonly salt: Uint8Array;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

/** A cosign key that was read and whose cost was found honest; nothing is derived yet. */
export interface CosignKey {
  /** The PKCS#8 DER inside. Throws `key.passphrase-wrong`, which never says more. */
  open(passphrase: string): Promise<Uint8Array>;
}

/**
 * The encrypted key in the body of cosign's PEM block: JSON with scrypt parameters and a NaCl
 * secretbox. Throws `crypto.key-malformed` for another shape and `key.derivation-refused` for a
 * cost that cosign does not accept (go-securesystemslib, `encrypted`), before any work.
 */
export function parseCosignKey(body: Uint8Array, where: string): CosignKey {
  const sealed = parseSealed(body, where);
  return { open: (passphrase) => unseal(sealed, passphrase, where) };
}

function parseSealed(body: Uint8Array, where: string): SealedKey {
  const document = cursor(parseBody(body, where), where, 'crypto.key-malformed');
  const kdf = member(document, 'kdf');
  const cipher = member(document, 'cipher');
  asOneOf(member(kdf, 'name'), ['scrypt']);
  asOneOf(member(cipher, 'name'), ['nacl/secretbox']);
  const parameters = member(kdf, 'params');
  const cost = asCount(member(parameters, 'N'));
  const blockSize = asCount(member(parameters, 'r'));
  const parallel = asCount(member(parameters, 'p'));
  if (!COSTS.includes(cost) || blockSize !== BLOCK_SIZE || parallel !== 1) {
    throw new TrustFault(
      'key.derivation-refused',
      `expected scrypt with N 32768, 65536 or 131072, r 8 and p 1 at ${where}, found N ${cost}, r ${blockSize} and p ${parallel}`,
    );
  }
  return {
    cost,
    salt: bytesOf(member(kdf, 'salt'), 8, 64),
    nonce: bytesOf(member(cipher, 'nonce'), NONCE_BYTES, NONCE_BYTES),
    ciphertext: bytesOf(member(document, 'ciphertext'), TAG_BYTES + 1, LIMITS.maxBytes),
  };
}

/** A key file that cannot be read is wrong use, not bad evidence: JSON's own codes become causes. */
function parseBody(body: Uint8Array, where: string): unknown {
  try {
    return parseJson(body, where, LIMITS);
  } catch (cause) {
    const detail = cause instanceof TrustFault ? cause.message : 'unreadable';
    throw new TrustFault('crypto.key-malformed', `an encrypted key: ${detail}`, undefined, {
      cause,
    });
  }
}

function bytesOf(at: Cursor, least: number, most: number): Uint8Array {
  const text = asString(at);
  const bytes = decodedOrNull(text);
  if (bytes === null || bytes.length < least || bytes.length > most) {
    // The value is not quoted: it belongs to a secret.
    const size = least === most ? `${least}` : `${least} to ${most}`;
    throw new TrustFault(at.code, `expected ${size} bytes in base64 at ${at.path}`);
  }
  return bytes;
}

function decodedOrNull(text: string): Uint8Array | null {
  try {
    return decodeBase64(text);
  } catch {
    return null;
  }
}

async function unseal(sealed: SealedKey, passphrase: string, where: string): Promise<Uint8Array> {
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js');
  const key = await deriveKey(passphrase, sealed.salt, sealed.cost);
  try {
    return xsalsa20poly1305(key, sealed.nonce).decrypt(sealed.ciphertext);
  } catch {
    throw new TrustFault('key.passphrase-wrong', `the passphrase does not open ${where}`);
  } finally {
    key.fill(0);
  }
}

/**
 * `key` in cosign's encrypted format, byte for byte laid out as cosign writes it: N 65536, a salt
 * of 32 bytes, a nonce of 24, PKCS#8 inside. An empty passphrase is allowed, as cosign allows it.
 */
export async function sealCosignKey(key: KeyObject, passphrase: string): Promise<string> {
  const { xsalsa20poly1305 } = await import('@noble/ciphers/salsa.js');
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const derived = await deriveKey(passphrase, salt, WRITTEN_COST);
  const plain = key.export({ format: 'der', type: 'pkcs8' });
  const ciphertext = xsalsa20poly1305(derived, nonce).encrypt(plain);
  derived.fill(0);
  plain.fill(0);
  const document = {
    kdf: {
      name: 'scrypt',
      params: { N: WRITTEN_COST, r: BLOCK_SIZE, p: 1 },
      salt: encodeBase64(salt),
    },
    cipher: { name: 'nacl/secretbox', nonce: encodeBase64(nonce) },
    ciphertext: encodeBase64(ciphertext),
  };
  return encodePem(COSIGN_KEY_LABELS[0], utf8(JSON.stringify(document)));
}

function deriveKey(passphrase: string, salt: Uint8Array, cost: number): Promise<Uint8Array> {
  // scrypt needs 128·N·r bytes; Node's own bound is below that of cosign's larger costs.
  const options = { N: cost, r: BLOCK_SIZE, p: 1, maxmem: 256 * cost * BLOCK_SIZE };
  return new Promise((resolve, reject) => {
    scrypt(utf8(passphrase), salt, KEY_BYTES, options, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}
