import { digestOf } from '../../bytes/hash.ts';
import { COSIGN_SIGN_PREDICATE } from '../../claims/predicate-type.ts';
import { buildStatement } from '../../claims/statement.ts';
import type { Signer } from '../../crypto/signer.ts';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding } from '../../envelopes/dsse.ts';
import type { SigningServices } from '../../proof/services.ts';
import { buildBundle } from './build.ts';

/** A statement to be signed as a bundle. */
export interface StatementToSign {
  /** The in-toto statement, exactly as it will be signed. */
  readonly payload: Uint8Array;
}

/** Signs a statement in a DSSE envelope and resolves to the bytes of the bundle. */
export async function signStatementBundle(
  { payload }: StatementToSign,
  signer: Signer,
  services: SigningServices,
): Promise<Uint8Array> {
  const encoding = preAuthenticationEncoding(IN_TOTO_PAYLOAD_TYPE, payload);
  const signature = await signer.sign(encoding);
  const hash = signer.algorithm.hash ?? 'sha512';
  const [timestamps, entries] = await Promise.all([
    services.timestamp(signature),
    services.log({ hash, digest: digestOf(hash, encoding), signature }, signer),
  ]);
  const envelope = {
    payloadType: IN_TOTO_PAYLOAD_TYPE,
    payload,
    signatures: [{ signature, keyId: null }],
  };
  const content = { kind: 'dsse', envelope } as const;
  return buildBundle({ key: signer.publicKey, entries, timestamps, content });
}

/** The statement by which an image is signed as such: cosign's, of predicate `sign/v1`. */
export function signStatement(
  digest: string,
  annotations: Readonly<Record<string, string>>,
): Uint8Array {
  return buildStatement({
    subjects: [{ digest, annotations }],
    predicateType: COSIGN_SIGN_PREDICATE,
    predicate: {},
  });
}

/** Signs the bytes of a file as a message signature and resolves to the bytes of the bundle. */
export async function signMessageBundle(
  message: Uint8Array,
  signer: Signer,
  services: SigningServices,
): Promise<Uint8Array> {
  const signature = await signer.sign(message);
  const hash = signer.algorithm.hash ?? 'sha512';
  const digest = digestOf(hash, message);
  const [timestamps, entries] = await Promise.all([
    services.timestamp(signature),
    services.log({ hash, digest, signature }, signer),
  ]);
  const content = { kind: 'message', hash, digest, signature } as const;
  return buildBundle({ key: signer.publicKey, entries, timestamps, content });
}
