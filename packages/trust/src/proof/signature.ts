import type { HashName } from '../bytes/hash.ts';
import { ALGORITHMS, SIGSTORE_ALGORITHMS, type SignatureAlgorithm } from '../crypto/algorithm.ts';
import type { PublicKey } from '../crypto/public-key.ts';
import { verifyDigestSignature } from '../crypto/verify-digest.ts';
import { verifySignature } from '../crypto/verify-signature.ts';
import type { DsseEnvelope } from '../envelopes/dsse.ts';
import { type Finding, failed, passed } from '../finding/finding.ts';

/** Whether a signature holds under one key, by which algorithm, and which signature it was. */
export interface SignatureCheck {
  readonly finding: Finding;
  /** The algorithm that held; the key's first one when none did. */
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
}

function candidates(key: PublicKey): readonly SignatureAlgorithm[] {
  return SIGSTORE_ALGORITHMS[key.kind].map((name) => ALGORITHMS[name]);
}

/** A short name of a key for people: its kind and the beginning of its id. */
export function describeKey(key: PublicKey): string {
  return `${key.kind} key ${key.id.slice(0, 12)}…`;
}

const DSSE_SOURCE = 'DSSE 1.0 protocol.md';
const MESSAGE_SOURCE = 'sigstore_common.proto MessageSignature';

/**
 * Whether any of `signatures` was made by `key` over `message`. Sigstore's documents do not bind
 * the hash, so every algorithm of the key's kind is tried (`SIGSTORE_ALGORITHMS`).
 */
async function checkAny(
  message: Uint8Array,
  signatures: readonly Uint8Array[],
  key: PublicKey,
  source: string,
): Promise<SignatureCheck> {
  const algorithms = candidates(key);
  for (const [index, signature] of signatures.entries()) {
    for (const algorithm of algorithms) {
      if (await verifySignature(key, algorithm, message, signature)) {
        const place =
          signatures.length === 1 ? '' : `, signature ${index + 1} of ${signatures.length}`;
        const says = `${algorithm.name} by ${describeKey(key)}${place}`;
        return { finding: passed('signature', says, source), algorithm, signature };
      }
    }
  }
  return refused(key, signatures[0], source, `no signature of ${signatures.length} was made by it`);
}

function refused(
  key: PublicKey,
  signature: Uint8Array | undefined,
  source: string,
  why: string,
): SignatureCheck {
  const [algorithm = ALGORITHMS['ecdsa-sha256']] = candidates(key);
  return {
    finding: failed('signature', 'signature.invalid', `${describeKey(key)}: ${why}`, source),
    algorithm,
    signature: signature ?? new Uint8Array(),
  };
}

/** Whether one of the envelope's signatures over `encoding` (its PAE) is the key's. */
export function checkEnvelope(
  envelope: DsseEnvelope,
  encoding: Uint8Array,
  key: PublicKey,
): Promise<SignatureCheck> {
  const signatures = envelope.signatures.map((entry) => entry.signature);
  return checkAny(encoding, signatures, key, DSSE_SOURCE);
}

/** Whether `signature` is the key's over the whole message. */
export function checkMessage(
  message: Uint8Array,
  signature: Uint8Array,
  key: PublicKey,
): Promise<SignatureCheck> {
  return checkAny(message, [signature], key, MESSAGE_SOURCE);
}

/** A digest that stands in for a message that is not at hand. */
export interface MessageDigest {
  readonly hash: HashName;
  readonly value: Uint8Array;
}

/** Whether `signature` is the key's over a message of which only a digest is at hand. */
export async function checkDigest(
  { hash, value }: MessageDigest,
  signature: Uint8Array,
  key: PublicKey,
): Promise<SignatureCheck> {
  let why = 'the signature was not made by it';
  for (const algorithm of candidates(key)) {
    // ECDSA over a digest of another length would take it cut or padded: over an empty one, that
    // is over 0, anybody can make a signature for any key (FIPS 186-5 §6.4.2 with e = 0).
    if (algorithm.hash !== hash || value.length !== HASH_BYTES[hash]) {
      why = `${algorithm.name} cannot be checked with a ${hash} digest alone; give the file itself`;
      continue;
    }
    const valid = await verifyDigestSignature(key, algorithm, value, signature);
    if (valid === true) {
      const says = `${algorithm.name} by ${describeKey(key)}, over the digest`;
      return { finding: passed('signature', says, MESSAGE_SOURCE), algorithm, signature };
    }
    if (valid === null) why = `${algorithm.name} needs the message itself; give the file`;
  }
  return refused(key, signature, MESSAGE_SOURCE, why);
}

const HASH_BYTES = { sha256: 32, sha384: 48, sha512: 64 } as const satisfies Record<
  HashName,
  number
>;
