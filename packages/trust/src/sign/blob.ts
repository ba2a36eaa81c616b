import { decodeBase64, encodeBase64 } from '../bytes/base64.ts';
import { utf8 } from '../bytes/byte-string.ts';
import { predicateTypeOf } from '../claims/predicate-type.ts';
import { buildStatement } from '../claims/statement.ts';
import { BUNDLE_MEDIA_TYPE } from '../formats/sigstore-bundle/media-type.ts';
import { parseBundle } from '../formats/sigstore-bundle/parse.ts';
import { signMessageBundle, signStatementBundle } from '../formats/sigstore-bundle/sign.ts';
import { computeDigest, type Digest } from '../oci/digest.ts';
import type { Evidence, Wanted } from '../proof/evidence.ts';
import { mustVerify, type SigningContext } from './check.ts';

/** A file that was signed or attested, and verified before it is given out. */
export interface SignedBlob {
  readonly digest: Digest;
  readonly bundle: Uint8Array;
  /** The bare signature in base64, as detached signature files hold it. */
  readonly signature: string;
}

/** A bundle that is at hand, as evidence. */
export function bundleEvidence(bytes: Uint8Array, where = 'the bundle'): Evidence {
  return {
    format: 'sigstore-bundle',
    digest: computeDigest(bytes),
    where,
    bytes,
    annotations: {},
    mediaType: BUNDLE_MEDIA_TYPE,
  };
}

/**
 * A detached signature, base64 or raw bytes, as evidence: a bundle that says nothing else. What is
 * damaged base64 is taken as it stands and refused as a signature.
 */
export function detachedEvidence(file: Uint8Array, where: string): Evidence {
  const signature = decodedBase64(Buffer.from(file).toString('latin1').trim()) ?? file;
  const bundle = {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: { publicKey: { hint: '' } },
    messageSignature: { signature: encodeBase64(signature) },
  };
  return bundleEvidence(utf8(JSON.stringify(bundle)), where);
}

function decodedBase64(text: string): Uint8Array | null {
  try {
    return text === '' ? null : decodeBase64(text);
  } catch {
    return null;
  }
}

/** Signs a file. Throws `sign.not-verified` when services and trust root do not fit together. */
export async function signBlob(message: Uint8Array, context: SigningContext): Promise<SignedBlob> {
  const bundle = await signMessageBundle(message, context.signer, context.services);
  return finish(message, bundle, context, { kind: 'signature', annotations: {} });
}

/** A statement to be made about a file. */
export interface BlobAttestation {
  readonly name: string;
  readonly message: Uint8Array;
  /** A short name of a predicate type, or its URI. */
  readonly type: string;
  readonly predicate: unknown;
}

/** Signs a statement about a file. Throws as `signBlob`, and `usage.invalid` for an unknown type. */
export async function attestBlob(
  { name, message, type, predicate }: BlobAttestation,
  context: SigningContext,
): Promise<SignedBlob> {
  const predicateType = predicateTypeOf(type);
  const subjects = [{ name, digest: computeDigest(message) }];
  const payload = buildStatement({ subjects, predicateType, predicate });
  const bundle = await signStatementBundle({ payload }, context.signer, context.services);
  return finish(message, bundle, context, { kind: 'attestation', predicateType });
}

async function finish(
  message: Uint8Array,
  bundle: Uint8Array,
  context: SigningContext,
  wanted: Wanted,
): Promise<SignedBlob> {
  const digest = computeDigest(message);
  const evidence = [bundleEvidence(bundle)];
  await mustVerify(context, { digest, bytes: message }, evidence, wanted, 'before it leaves');
  const { content } = parseBundle(bundle, 'the bundle');
  const signature =
    content.kind === 'message' ? content.signature : content.envelope.signatures[0]?.signature;
  return { digest, bundle, signature: encodeBase64(signature ?? new Uint8Array()) };
}
