import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { encodePem } from '../../bytes/pem.ts';
import type { KeyKind } from '../../crypto/algorithm.ts';

/** The kind of a key when none is asked for: what every verifier of the field accepts. */
export const DEFAULT_KEY_KIND: KeyKind = 'ecdsa-p256';

const generate = promisify(generateKeyPair);

/** A new private key of `kind`, from the system's random generator. RSA of 4096 bits may take seconds. */
export async function generatePrivateKey(kind: KeyKind = DEFAULT_KEY_KIND): Promise<KeyObject> {
  switch (kind) {
    case 'ecdsa-p256':
      return (await generate('ec', { namedCurve: 'prime256v1' })).privateKey;
    case 'ecdsa-p384':
      return (await generate('ec', { namedCurve: 'secp384r1' })).privateKey;
    case 'ecdsa-p521':
      return (await generate('ec', { namedCurve: 'secp521r1' })).privateKey;
    case 'rsa-2048':
    case 'rsa-3072':
    case 'rsa-4096':
      return (await generate('rsa', { modulusLength: Number(kind.slice(4)) })).privateKey;
    case 'ed25519':
      return (await generate('ed25519')).privateKey;
    default:
      return kind satisfies never;
  }
}

/** The key as an unencrypted `PRIVATE KEY` block (PKCS#8). Write it only when the user asked for it. */
export function plainPrivateKeyPem(key: KeyObject): string {
  const document = key.export({ format: 'der', type: 'pkcs8' });
  try {
    return encodePem('PRIVATE KEY', document);
  } finally {
    document.fill(0);
  }
}
