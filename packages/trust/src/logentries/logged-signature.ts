import type { HashName } from '../bytes/hash.ts';
import { decodeHex } from '../bytes/hex.ts';
import { decodePem } from '../bytes/pem.ts';
import { asBase64, asOneOf, asString, type Cursor, member } from '../bytes/shape.ts';
import { type PublicKey, parsePublicKeyPem, parseSpki } from '../crypto/public-key.ts';
import { TrustFault } from '../fault/fault.ts';

/** Whose signature a log entry holds, as the log's client handed it in. */
export type LoggedSigner =
  | { readonly kind: 'certificate'; readonly der: Uint8Array }
  | { readonly kind: 'key'; readonly key: PublicKey };

/** A digest and the algorithm that made it. */
export interface NamedDigest {
  readonly hash: HashName;
  readonly value: Uint8Array;
}

/** A signature in the body of a log entry. */
export interface LoggedSignature {
  readonly signature: Uint8Array;
  readonly signer: LoggedSigner;
}

/** A Rekor v1 signer: base64 of a PEM certificate or public key. Throws the cursor's code. */
export function asPemSigner(at: Cursor): LoggedSigner {
  const pem = Buffer.from(asBase64(at)).toString('latin1');
  try {
    const [block] = decodePem(pem, at.path);
    if (block?.label === 'CERTIFICATE') return { kind: 'certificate', der: block.bytes };
    return { kind: 'key', key: parsePublicKeyPem(pem, at.path) };
  } catch (cause) {
    throw unreadable(at, cause);
  }
}

/** A Rekor v2 signer: DER of a certificate or a public key (rekor/v2/verifier.proto). */
export function asVerifier(at: Cursor): LoggedSigner {
  const certificate = member(at, 'x509Certificate');
  const publicKey = member(at, 'publicKey');
  if (certificate.value !== undefined && publicKey.value !== undefined) {
    throw new TrustFault(at.code, `both a certificate and a public key at ${at.path}`);
  }
  if (certificate.value !== undefined) {
    return { kind: 'certificate', der: asBase64(member(certificate, 'rawBytes')) };
  }
  const spki = asBase64(member(publicKey, 'rawBytes'));
  try {
    return { kind: 'key', key: parseSpki(spki, at.path) };
  } catch (cause) {
    throw unreadable(at, cause);
  }
}

/** A Rekor v2 signature (rekor/v2/verifier.proto). */
export function asSignature(at: Cursor): LoggedSignature {
  return {
    signature: asBase64(member(at, 'content')),
    signer: asVerifier(member(at, 'verifier')),
  };
}

function unreadable(at: Cursor, cause: unknown): TrustFault {
  const says = `expected a certificate or a public key at ${at.path}`;
  return new TrustFault(at.code, says, undefined, { cause });
}

/** A Rekor v1 digest: `{ algorithm: "sha256", value: <hex> }`. */
export function asHexDigest(at: Cursor): NamedDigest {
  const text = asString(member(at, 'value'));
  const hash = asOneOf(member(at, 'algorithm'), ['sha256', 'sha384', 'sha512']);
  try {
    return { hash, value: decodeHex(text, at.path) };
  } catch (cause) {
    throw new TrustFault(at.code, `expected a digest in hex at ${at.path}`, undefined, { cause });
  }
}

const HASHES = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' } as const;

/** A Rekor v2 digest (sigstore_common.proto HashOutput). */
export function asHashOutput(at: Cursor): NamedDigest {
  const algorithm = asOneOf(member(at, 'algorithm'), ['SHA2_256', 'SHA2_384', 'SHA2_512']);
  return { hash: HASHES[algorithm], value: asBase64(member(at, 'digest')) };
}
