import { decodeBase64 } from '../../bytes/base64.ts';
import { utf8 } from '../../bytes/byte-string.ts';
import { decodeHex } from '../../bytes/hex.ts';
import { parseJson } from '../../bytes/json.ts';
import { decodePem } from '../../bytes/pem.ts';
import { asBase64, asString, asUint63, cursor, member, optional } from '../../bytes/shape.ts';
import { parseSimpleSigning, type SimpleSigningPayload } from '../../claims/simple-signing.ts';
import { type DsseEnvelope, parseDsseEnvelope } from '../../envelopes/dsse.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import type { LogEntry } from '../../logentries/entry.ts';
import type { Evidence } from '../../proof/evidence.ts';
import { ANNOTATIONS, DSSE_MEDIA_TYPE, SIMPLE_SIGNING_MEDIA_TYPE } from './layer.ts';

/** What one layer of a cosign tag holds. */
export type LegacyContent =
  | {
      readonly kind: 'payload';
      readonly bytes: Uint8Array;
      readonly payload: SimpleSigningPayload;
      readonly signature: Uint8Array;
    }
  | { readonly kind: 'envelope'; readonly envelope: DsseEnvelope };

/** One layer with its annotations, checked for shape. */
export interface LegacySignature {
  readonly content: LegacyContent;
  /** Certificates in DER; the signer's, or null for a bare key. */
  readonly certificate: Uint8Array | null;
  readonly intermediates: readonly Uint8Array[];
  readonly entries: readonly LogEntry[];
  readonly timestamps: readonly Uint8Array[];
}

/**
 * One signature or attestation of the tag scheme from its layer and the layer's annotations
 * (cosign SIGNATURE_SPEC.md, ATTESTATION_SPEC.md). Throws `cosign-legacy.malformed` and the
 * faults of what the annotations hold.
 */
export function parseLegacySignature(evidence: Evidence): LegacySignature {
  const { annotations, where } = evidence;
  return {
    content: parseContent(evidence),
    ...parseCertificates(annotations, where),
    entries: parseEntry(annotations[ANNOTATIONS.bundle]),
    timestamps: parseTimestamp(annotations[ANNOTATIONS.timestamp]),
  };
}

function parseContent({ mediaType, bytes, annotations, where }: Evidence): LegacyContent {
  if (mediaType === DSSE_MEDIA_TYPE) {
    return { kind: 'envelope', envelope: parseDsseEnvelope(bytes, where) };
  }
  const signature = annotations[ANNOTATIONS.signature];
  if (mediaType !== SIMPLE_SIGNING_MEDIA_TYPE || signature === undefined || signature === '') {
    throw new TrustFault(
      'cosign-legacy.malformed',
      `expected a simple-signing payload with a signature at ${where}, found media type ${quote(mediaType)} ${signature === undefined ? 'without a signature' : ''}`,
    );
  }
  return {
    kind: 'payload',
    bytes,
    payload: parseSimpleSigning(bytes, where),
    signature: decodeBase64(signature, `${where} ${ANNOTATIONS.signature}`),
  };
}

function parseCertificates(
  annotations: Readonly<Record<string, string>>,
  where: string,
): Pick<LegacySignature, 'certificate' | 'intermediates'> {
  // cosign writes empty strings where it has nothing.
  const certificates = (name: string) =>
    decodePem(annotations[name] ?? '', `${where} ${name}`).map((block) => block.bytes);
  const [leaf, ...rest] = certificates(ANNOTATIONS.certificate);
  return {
    certificate: leaf ?? null,
    intermediates: [...rest, ...certificates(ANNOTATIONS.chain)],
  };
}

/** ECMA-262 §21.4.1.1: the last instant that a Date can hold, in seconds. */
const LAST_SECOND = 8_640_000_000_000n;

/** The Rekor v1 bundle: capitalised keys, a hex log id, a promise and no proof (trap 13, 17). */
function parseEntry(text: string | undefined): readonly LogEntry[] {
  if (text === undefined || text === '' || text === 'null') return [];
  const value = parseJson(utf8(text), ANNOTATIONS.bundle);
  const at = cursor(value, 'bundle', 'cosign-legacy.malformed');
  const payload = member(at, 'Payload');
  const body = asBase64(member(payload, 'body'));
  const head = cursor(parseJson(body, 'the log entry'), 'body', 'cosign-legacy.malformed');
  const seconds = asUint63(member(payload, 'integratedTime'));
  if (seconds > LAST_SECOND) {
    throw new TrustFault('cosign-legacy.malformed', 'the integratedTime is beyond any date');
  }
  return [
    {
      logIndex: asUint63(member(payload, 'logIndex')),
      logId: decodeHex(asString(member(payload, 'logID')), 'Payload.logID'),
      kind: asString(member(head, 'kind')),
      version: asString(member(head, 'apiVersion')),
      integratedTime: seconds === 0n ? null : new Date(Number(seconds) * 1000),
      integratedTimeSeconds: seconds,
      inclusionPromise: asBase64(member(at, 'SignedEntryTimestamp')),
      inclusionProof: null,
      canonicalizedBody: body,
    },
  ];
}

function parseTimestamp(text: string | undefined): readonly Uint8Array[] {
  if (text === undefined || text === '' || text === 'null') return [];
  const value = parseJson(utf8(text), ANNOTATIONS.timestamp);
  const at = cursor(value, 'rfc3161timestamp', 'cosign-legacy.malformed');
  const stamp = optional(member(at, 'SignedRFC3161Timestamp'), asBase64);
  return stamp === undefined || stamp.length === 0 ? [] : [stamp];
}
