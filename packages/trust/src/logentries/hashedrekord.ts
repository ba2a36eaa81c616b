import { encodeBase64 } from '../bytes/base64.ts';
import { asBase64, type Cursor, member } from '../bytes/shape.ts';
import { type KeyKind, keyDetailsOf, type SignatureAlgorithm } from '../crypto/algorithm.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import {
  type EnvelopeMaterial,
  type MessageMaterial,
  requireDigest,
  requireSignature,
  type SignerMaterial,
} from './entry-material.ts';
import {
  asHashOutput,
  asHexDigest,
  asPemSigner,
  asSignature,
  type NamedDigest,
} from './logged-signature.ts';

/**
 * Throws unless a hashedrekord 0.0.1 body (Rekor v1) is about `material`: digest, signature and
 * signer. Codes: `tlog.entry-mismatch`, also for an envelope, which Rekor v1 logs as dsse or
 * intoto; the cursor's for a wrong shape.
 */
export function matchHashedRekordV1(
  spec: Cursor,
  material: MessageMaterial | EnvelopeMaterial,
): void {
  if (material.kind === 'dsse') {
    throw new TrustFault(
      'tlog.entry-mismatch',
      'the entry logs a bare signature, the evidence is an envelope',
    );
  }
  const signature = member(spec, 'signature');
  const logged = {
    signature: asBase64(member(signature, 'content')),
    signer: asPemSigner(member(member(signature, 'publicKey'), 'content')),
  };
  requireDigest('the digest', asHexDigest(member(member(spec, 'data'), 'hash')), material.digest);
  requireSignature([logged], [material.signature], material);
}

/**
 * Throws unless a hashedrekord 0.0.2 body (Rekor v2) is about `material`. An envelope is logged by
 * the digest of its pre-authentication encoding (rekor-tiles CLIENTS.md). Codes as above.
 */
export function matchHashedRekordV2(
  spec: Cursor,
  material: MessageMaterial | EnvelopeMaterial,
): void {
  const record = member(spec, 'hashedRekordV002');
  const digest = asHashOutput(member(record, 'data'));
  const logged = asSignature(member(record, 'signature'));
  if (material.kind === 'message') {
    requireDigest('the digest', digest, material.digest);
    requireSignature([logged], [material.signature], material);
    return;
  }
  const value = material.paeDigest(digest.hash);
  requireDigest('the envelope', digest, { hash: digest.hash, value });
  requireSignature(
    [logged],
    material.signatures.map(({ signature }) => signature),
    material,
  );
}

/** What is to be logged: who signed which digest how. */
export interface HashedRekordRequest {
  readonly digest: NamedDigest;
  readonly signature: Uint8Array;
  readonly signer: SignerMaterial;
  readonly algorithm: SignatureAlgorithm;
}

/** The part of a `PublicKeyDetails` name that says the curve; empty for keys without one. */
function curveOf(kind: KeyKind): string {
  return kind.startsWith('ecdsa-') ? kind.slice('ecdsa-'.length).toUpperCase() : '';
}

/**
 * The body of a request to a Rekor v2 log: `hashedRekordRequestV002` in ProtoJSON
 * (rekor/v2/hashedrekord.proto), for `JSON.stringify`. Throws `tlog.entry-unsupported` for what
 * such a log does not take: pure Ed25519, a curve with another curve's digest, a digest by another
 * algorithm than the signature's.
 */
export function hashedRekordRequest(
  request: HashedRekordRequest,
): Readonly<Record<string, unknown>> {
  const { algorithm, digest, signer } = request;
  const { kind, spki } = signer.key;
  const keyDetails = keyDetailsOf(kind, algorithm.name);
  if (
    algorithm.hash !== digest.hash ||
    keyDetails === null ||
    !keyDetails.includes(curveOf(kind))
  ) {
    throw new TrustFault(
      'tlog.entry-unsupported',
      `a Rekor v2 log takes no ${quote(algorithm.name)} signature of a ${kind} key over ${digest.hash}`,
      'Sign with ECDSA and the digest of its curve, with RSA, or with Ed25519ph.',
    );
  }
  const verifier =
    signer.certificate === null
      ? { publicKey: { rawBytes: encodeBase64(spki) } }
      : { x509Certificate: { rawBytes: encodeBase64(signer.certificate) } };
  return {
    hashedRekordRequestV002: {
      digest: encodeBase64(digest.value),
      signature: {
        content: encodeBase64(request.signature),
        verifier: { ...verifier, keyDetails },
      },
    },
  };
}
