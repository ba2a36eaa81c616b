import { asArray, asBase64, type Cursor, member } from '../bytes/shape.ts';
import { type EnvelopeMaterial, requirePayload, requireSignature } from './entry-material.ts';
import {
  asHashOutput,
  asHexDigest,
  asPemSigner,
  asSignature,
  type LoggedSignature,
  type NamedDigest,
} from './logged-signature.ts';

const MAX_SIGNATURES = 64;

/**
 * Throws unless a dsse 0.0.1 body (Rekor v1) is about the envelope: payload digest, a signature and
 * its signer. Its `envelopeHash` is over the envelope as its client wrote it, which no bundle
 * keeps. Codes: `tlog.entry-mismatch`; the cursor's for a wrong shape.
 */
export function matchDsseV1(spec: Cursor, material: EnvelopeMaterial): void {
  const payload = asHexDigest(member(spec, 'payloadHash'));
  const signatures = asArray(
    member(spec, 'signatures'),
    (at) => ({
      signature: asBase64(member(at, 'signature')),
      signer: asPemSigner(member(at, 'verifier')),
    }),
    MAX_SIGNATURES,
  );
  match(payload, signatures, material);
}

/** Throws unless a dsse 0.0.2 body (Rekor v2, deprecated there) is about the envelope; as above. */
export function matchDsseV2(spec: Cursor, material: EnvelopeMaterial): void {
  const record = member(spec, 'dsseV002');
  const payload = asHashOutput(member(record, 'payloadHash'));
  const signatures = asArray(member(record, 'signatures'), asSignature, MAX_SIGNATURES);
  match(payload, signatures, material);
}

function match(
  payload: NamedDigest,
  logged: readonly LoggedSignature[],
  material: EnvelopeMaterial,
): void {
  requirePayload(payload, material);
  requireSignature(
    logged,
    material.signatures.map(({ signature }) => signature),
    material,
  );
}
