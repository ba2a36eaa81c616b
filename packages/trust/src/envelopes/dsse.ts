import { encodeBase64 } from '../bytes/base64.ts';
import { concat, utf8 } from '../bytes/byte-string.ts';
import { parseJson } from '../bytes/json.ts';
import {
  asArray,
  asBase64,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
} from '../bytes/shape.ts';
import { TrustFault } from '../fault/fault.ts';

/** The payload type of in-toto statements (in-toto attestation spec v1, envelope.md). */
export const IN_TOTO_PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** One signature of an envelope; the key id is a hint that nothing is decided by. */
export interface DsseSignature {
  readonly signature: Uint8Array;
  readonly keyId: string | null;
}

/** A DSSE envelope (DSSE 1.0, envelope.md) with the payload as it was signed. */
export interface DsseEnvelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly DsseSignature[];
}

const MAX_SIGNATURES = 64;

/** DSSE 1.0, envelope.md: either standard or URL-safe base64 may be used, and both are accepted. */
function asEitherBase64(at: Cursor): Uint8Array {
  const text = asString(at);
  if (!text.includes('-') && !text.includes('_')) return asBase64(at);
  const standard = text.replaceAll('-', '+').replaceAll('_', '/');
  const missing = (4 - (standard.length % 4)) % 4;
  return asBase64({ ...at, value: missing < 3 ? standard + '='.repeat(missing) : text });
}

function asSignature(at: Cursor): DsseSignature {
  const keyId = optional(member(at, 'keyid'), asString);
  return { signature: asEitherBase64(member(at, 'sig')), keyId: keyId ?? null };
}

/**
 * The envelope under the cursor; `field` finds a member by its name (ProtoJSON has two spellings).
 * Throws the cursor's code; an envelope without signature too.
 */
export function asDsseEnvelope(
  at: Cursor,
  field: (at: Cursor, name: string) => Cursor = member,
): DsseEnvelope {
  const signatures = asArray(member(at, 'signatures'), asSignature, MAX_SIGNATURES);
  if (signatures.length === 0) {
    throw new TrustFault(at.code, `the envelope at ${at.path} has no signature`);
  }
  return {
    payloadType: asString(field(at, 'payloadType')),
    payload: asEitherBase64(member(at, 'payload')),
    signatures,
  };
}

/** An envelope from its JSON bytes. Throws `dsse.malformed` and the faults of `parseJson`. */
export function parseDsseEnvelope(bytes: Uint8Array, where: string): DsseEnvelope {
  const maxBytes = 128 << 20;
  return asDsseEnvelope(
    cursor(parseJson(bytes, where, { maxBytes }), 'envelope', 'dsse.malformed'),
  );
}

/**
 * The pre-authentication encoding, which is what is signed (DSSE 1.0, protocol.md):
 * `DSSEv1 <length> <type> <length> <payload>` with lengths in bytes.
 */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const typeBytes = Buffer.byteLength(payloadType);
  return concat(utf8(`DSSEv1 ${typeBytes} ${payloadType} ${payload.length} `), payload);
}

/** The JSON form of an envelope, as protojson and cosign write it. */
export function dsseEnvelopeJson(envelope: DsseEnvelope): {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly sig: string; readonly keyid?: string }[];
} {
  return {
    payload: encodeBase64(envelope.payload),
    payloadType: envelope.payloadType,
    signatures: envelope.signatures.map(({ signature, keyId }) => ({
      sig: encodeBase64(signature),
      ...(keyId === null ? {} : { keyid: keyId }),
    })),
  };
}
