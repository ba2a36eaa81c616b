import { equalBytes } from '../bytes/byte-string.ts';
import { digestOf, type HashName } from '../bytes/hash.ts';
import { encodeHex } from '../bytes/hex.ts';
import type { PublicKey } from '../crypto/public-key.ts';
import { TrustFault } from '../fault/fault.ts';
import type { LoggedSignature, LoggedSigner, NamedDigest } from './logged-signature.ts';

/** Who signed: the key always, and the certificate in DER that carried it, null for a bare key. */
export interface SignerMaterial {
  readonly key: PublicKey;
  readonly certificate: Uint8Array | null;
}

/** A signature over a message, of which the log has the digest. */
export interface MessageMaterial extends SignerMaterial {
  readonly kind: 'message';
  readonly digest: NamedDigest;
  readonly signature: Uint8Array;
}

/** A DSSE envelope; logs have a digest of its payload or of its pre-authentication encoding. */
export interface EnvelopeMaterial extends SignerMaterial {
  readonly kind: 'dsse';
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly signatures: readonly { readonly signature: Uint8Array }[];
  paeDigest(hash: HashName): Uint8Array;
}

function mismatch(says: string): TrustFault {
  return new TrustFault('tlog.entry-mismatch', says);
}

/** Throws `tlog.entry-mismatch` unless the logged digest is `actual`. */
export function requireDigest(what: string, logged: NamedDigest, actual: NamedDigest): void {
  if (logged.hash === actual.hash && equalBytes(logged.value, actual.value)) return;
  throw mismatch(
    `the entry logs ${what} ${logged.hash}:${encodeHex(logged.value)}, expected ${actual.hash}:${encodeHex(actual.value)}`,
  );
}

/** Throws `tlog.entry-mismatch` unless the logged digest is the envelope's payload's. */
export function requirePayload(logged: NamedDigest, material: EnvelopeMaterial): void {
  const value = digestOf(logged.hash, material.payload);
  requireDigest('the payload', logged, { hash: logged.hash, value });
}

/**
 * Throws `tlog.entry-mismatch` unless one of the logged signatures is the material's, by the
 * material's signer. An envelope may have more signatures than were logged: the one that the
 * signer's key verifies is what counts, and the log checked each one that it took.
 */
export function requireSignature(
  logged: readonly LoggedSignature[],
  signatures: readonly Uint8Array[],
  signer: SignerMaterial,
): void {
  const bySigner = logged.filter((entry) => isSigner(entry.signer, signer));
  if (bySigner.length === 0) throw mismatch('the entry logs another certificate or key');
  const known = bySigner.some(({ signature }) =>
    signatures.some((candidate) => equalBytes(candidate, signature)),
  );
  if (!known) throw mismatch('the entry logs another signature');
}

/** A certificate is the very certificate; a key is the key of a signer without certificate. */
function isSigner(logged: LoggedSigner, signer: SignerMaterial): boolean {
  if (logged.kind === 'certificate') {
    return signer.certificate !== null && equalBytes(logged.der, signer.certificate);
  }
  return signer.certificate === null && logged.key.id === signer.key.id;
}
