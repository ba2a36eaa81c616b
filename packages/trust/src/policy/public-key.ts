import { decodePem } from '../bytes/pem.ts';
import { type PublicKey, parsePublicKeyPem, parseSpki } from '../crypto/public-key.ts';
import { TrustFault } from '../fault/fault.ts';

const KEY_LABELS: readonly string[] = ['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE'];

/**
 * The key of an authority: PEM with exactly one public key or certificate, or a DER
 * SubjectPublicKeyInfo. An authority counts once (semantics 8), so that a file of several keys is
 * refused: each is an authority of its own. Throws `policy.file`, `bytes.pem`,
 * `crypto.key-malformed` and `crypto.key-unsupported`; no message quotes the content.
 */
export function parsePolicyKey(bytes: Uint8Array, where: string): PublicKey {
  if (bytes[0] === 0x30) return parseSpki(bytes, where);
  // PEM is ASCII; other bytes only stand in the comments around blocks, which nothing reads.
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const keys = decodePem(text, where).filter(({ label }) => KEY_LABELS.includes(label));
  if (keys.length > 1) {
    throw new TrustFault(
      'policy.file',
      `expected one public key at ${where}, found ${keys.length}`,
      'Make each key an authority of its own, and name them all in `of`.',
    );
  }
  return parsePublicKeyPem(text, where);
}
