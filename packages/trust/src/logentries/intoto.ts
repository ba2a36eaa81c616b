import { decodeBase64 } from '../bytes/base64.ts';
import { asArray, asBase64, asString, type Cursor, member } from '../bytes/shape.ts';
import { quote, TrustFault } from '../fault/fault.ts';
import { type EnvelopeMaterial, requirePayload, requireSignature } from './entry-material.ts';
import { asHexDigest, asPemSigner, type LoggedSignature } from './logged-signature.ts';

const MAX_SIGNATURES = 64;

/**
 * Throws unless an intoto 0.0.2 body (Rekor v1) is about the envelope: payload digest and type, a
 * signature and its signer. Codes: `tlog.entry-mismatch`; the cursor's for a wrong shape.
 */
export function matchIntotoV2(spec: Cursor, material: EnvelopeMaterial): void {
  const content = member(spec, 'content');
  const envelope = member(content, 'envelope');
  const payloadType = asString(member(envelope, 'payloadType'));
  if (payloadType !== material.payloadType) {
    throw new TrustFault(
      'tlog.entry-mismatch',
      `the entry logs the payload type ${quote(payloadType)}, expected ${quote(material.payloadType)}`,
    );
  }
  requirePayload(asHexDigest(member(content, 'payloadHash')), material);
  requireSignature(
    asArray(member(envelope, 'signatures'), asTwiceEncoded, MAX_SIGNATURES),
    material.signatures.map(({ signature }) => signature),
    material,
  );
}

/** rekor pkg/types/intoto/v0.0.2: the signature, which is base64 already, is base64-encoded again. */
function asTwiceEncoded(at: Cursor): LoggedSignature {
  const once = Buffer.from(asBase64(member(at, 'sig'))).toString('latin1');
  try {
    return {
      signature: decodeBase64(once, at.path),
      signer: asPemSigner(member(at, 'publicKey')),
    };
  } catch (cause) {
    const says = `expected a signature that is base64-encoded twice at ${at.path}`;
    throw new TrustFault(at.code, says, undefined, { cause });
  }
}
