import { createPublicKey, type KeyObject } from 'node:crypto';
import {
  type PublicKey,
  parsePublicKeyPem,
  parseSpki,
  publicKeyOf,
} from '../../crypto/public-key.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import { type AskPassphrase, readPrivateKey } from './private-key.ts';
import { describeKeyReference, type KeyReference } from './reference.ts';
import { type Ed25519Scheme, type FileSigner, fileSigner } from './signer.ts';

/** A file as it was read: its bytes, and its POSIX permission bits where the system has them. */
export interface KeyFile {
  readonly bytes: Uint8Array;
  readonly mode: number | null;
}

/** How this room reaches files and the environment; `keyFileIo` is the system's. */
export interface KeyIo {
  /** Rejects when the file cannot be read or is larger than a key can be. */
  readFile(path: string): Promise<KeyFile>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How a private key is opened. */
export interface OpenSignerOptions {
  /** Asked only for an encrypted key; without it such a key gives `key.passphrase-missing`. */
  readonly passphrase?: AskPassphrase;
  /** The scheme of an Ed25519 key. Default `ed25519`. */
  readonly ed25519?: Ed25519Scheme;
}

/** A private key with its public half and the warnings about how it is kept. */
export interface OpenedPrivateKey {
  readonly object: KeyObject;
  readonly publicKey: PublicKey;
  readonly name: string;
  readonly warnings: readonly string[];
}

/**
 * The public key that `reference` names: PEM (`PUBLIC KEY`, `RSA PUBLIC KEY` or a `CERTIFICATE`) or
 * a DER SubjectPublicKeyInfo. Throws `usage.file`, `key.variable-unset`, `bytes.pem`,
 * `crypto.key-malformed` or `crypto.key-unsupported`.
 */
export async function openPublicKey(reference: KeyReference, io: KeyIo): Promise<PublicKey> {
  const name = describeKeyReference(reference);
  const { bytes } = await readReference(reference, io);
  if (bytes[0] === 0x30) return parseSpki(bytes, name);
  return parsePublicKeyPem(textOf(bytes), name);
}

/**
 * A signer with the private key that `reference` names. Throws what `openPublicKey` throws and
 * `key.passphrase-missing`, `key.passphrase-wrong`, `key.encryption-unsupported`,
 * `key.derivation-refused`. A file that others may read gives a warning, not a fault: volumes of
 * containers often cannot have it otherwise.
 */
export async function openSigner(
  reference: KeyReference,
  io: KeyIo,
  options: OpenSignerOptions = {},
): Promise<FileSigner> {
  const { object, ...parts } = await openPrivateKey(reference, io, options);
  return fileSigner(object, { ...parts, ed25519: options.ed25519 ?? 'ed25519' });
}

/** The private key itself, for importing and for showing its public half. Throws as `openSigner`. */
export async function openPrivateKey(
  reference: KeyReference,
  io: KeyIo,
  options: OpenSignerOptions = {},
): Promise<OpenedPrivateKey> {
  const name = describeKeyReference(reference);
  const file = await readReference(reference, io);
  const key = await readPrivateKey(textOf(file.bytes), name, options.passphrase);
  if (key.object.asymmetricKeyType === 'rsa-pss') {
    throw new TrustFault(
      'crypto.key-unsupported',
      `the key at ${name} is bound to RSA-PSS, which Sigstore's formats do not sign with`,
    );
  }
  const publicKey = publicKeyOf(createPublicKey(key.object), name);
  return {
    object: key.object,
    publicKey,
    name,
    warnings: [...exposure(file, name), ...key.warnings],
  };
}

function exposure(file: KeyFile, name: string): readonly string[] {
  if (file.mode === null || (file.mode & 0o077) === 0) return [];
  const mode = (file.mode & 0o777).toString(8).padStart(4, '0');
  return [`${name} is open to other users of this machine (mode ${mode}): run chmod 600`];
}

async function readReference(reference: KeyReference, io: KeyIo): Promise<KeyFile> {
  if (reference.kind === 'env') {
    const text = io.env[reference.variable];
    if (text !== undefined && text !== '') return { bytes: Buffer.from(text), mode: null };
    throw new TrustFault('key.variable-unset', `${reference.variable} is not set or is empty`);
  }
  try {
    return await io.readFile(reference.path);
  } catch (cause) {
    if (cause instanceof TrustFault) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TrustFault('usage.file', `the key cannot be read: ${quote(reason)}`, undefined, {
      cause,
    });
  }
}

/** PEM is ASCII; other bytes only stand in the comments around blocks, which nothing reads. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}
