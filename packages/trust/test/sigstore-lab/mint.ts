import { createHash } from 'node:crypto';
import { encodeBase64 } from '@bulla/trust/bytes/base64';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { encodeHex } from '@bulla/trust/bytes/hex';
import { encodePem } from '@bulla/trust/bytes/pem';
import { preAuthenticationEncoding } from '@bulla/trust/envelopes/dsse';
import { type LogEntry, logEntryJson } from '@bulla/trust/logentries/entry';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import type { Evidence } from '@bulla/trust/proof/evidence';
import type { TestKey } from '../tlog/synthetic-log.ts';
import type { Issued } from './certificate-authority.ts';
import { type Lab, NOW } from './lab.ts';

/** Any JSON object; tests edit what was minted. */
export type Json = { [name: string]: unknown };

/** Who signs: a bare key, or a certificate with its key. */
export type SignedBy = TestKey | Issued;

/** The media type of a bundle of each version, as its writers spelt it. */
export const MEDIA_TYPES = {
  '0.1': 'application/vnd.dev.sigstore.bundle+json;version=0.1',
  '0.2': 'application/vnd.dev.sigstore.bundle+json;version=0.2',
  '0.3': 'application/vnd.dev.sigstore.bundle.v0.3+json',
} as const;

export const SIGN_PREDICATE = 'https://sigstore.dev/cosign/sign/v1';
const IN_TOTO = 'application/vnd.in-toto+json';

const base64 = (bytes: Uint8Array) => encodeBase64(Buffer.from(bytes));

/** What a bundle is about and who vouches for it; each default is the usual one. */
export interface BundleShape {
  readonly by: SignedBy;
  /** A statement's bytes, or the message itself. */
  readonly payload?: Uint8Array;
  readonly message?: Uint8Array;
  readonly payloadType?: string;
  readonly version?: keyof typeof MEDIA_TYPES;
  /** The logs that take it: `new` as Rekor v2, `old` as Rekor v1. Default `new`. */
  readonly logs?: readonly ('new' | 'old')[];
  /** When it is logged by Rekor v1. Default NOW. */
  readonly loggedAt?: Date;
  /** When it is timestamped; empty for not at all. Default NOW. */
  readonly stampedAt?: readonly Date[];
  /** Further keys that sign the same envelope. */
  readonly also?: readonly TestKey[];
}

function keyOf(by: SignedBy): TestKey {
  return 'certificate' in by ? by.key : by;
}

/** A statement of type v1 about one digest. */
export function statement(
  digest: string,
  predicateType: string = SIGN_PREDICATE,
  predicate: unknown = {},
  more: Json = {},
): Uint8Array {
  const [algorithm = '', hex = ''] = digest.split(':');
  return utf8(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'artifact', digest: { [algorithm]: hex } }],
      predicateType,
      predicate,
      ...more,
    }),
  );
}

/** A bundle as JSON: everything in it is genuine. */
export function mintBundle(lab: Lab, shape: BundleShape): Json {
  const { by, payload, message, payloadType = IN_TOTO, version = '0.3' } = shape;
  const key = keyOf(by);
  const signed = message ?? preAuthenticationEncoding(payloadType, payload ?? new Uint8Array());
  const signature = key.sign(signed);
  const content =
    message === undefined
      ? {
          dsseEnvelope: {
            payload: base64(payload ?? new Uint8Array()),
            payloadType,
            signatures: [signature, ...(shape.also ?? []).map((other) => other.sign(signed))].map(
              (each) => ({ sig: base64(each) }),
            ),
          },
        }
      : {
          messageSignature: {
            messageDigest: {
              algorithm: 'SHA2_256',
              digest: base64(createHash('sha256').update(message).digest()),
            },
            signature: base64(signature),
          },
        };
  const entries = (shape.logs ?? ['new']).map((which) =>
    (which === 'new' ? lab.tlog : lab.oldTlog).append(
      {
        by: 'certificate' in by ? { certificate: by.certificate } : { key },
        signature,
        signed,
        ...(payload === undefined ? {} : { payload }),
      },
      shape.loggedAt ?? NOW,
    ),
  );
  const stamps = (shape.stampedAt ?? [NOW]).map((at) => lab.tsa.stamp(signature, at));
  return {
    mediaType: MEDIA_TYPES[version],
    verificationMaterial: {
      ...signerMaterial(by, version),
      tlogEntries: entries.map((entry) => ({ ...logEntryJson(entry) })),
      timestampVerificationData: {
        rfc3161Timestamps: stamps.map((stamp) => ({ signedTimestamp: base64(stamp) })),
      },
    },
    ...content,
  };
}

function signerMaterial(by: SignedBy, version: keyof typeof MEDIA_TYPES): Json {
  if (!('certificate' in by)) {
    return { publicKey: { hint: base64(Buffer.from(by.publicKey.id, 'hex')) } };
  }
  const certificate = { rawBytes: base64(by.certificate.raw) };
  return version === '0.3'
    ? { certificate }
    : { x509CertificateChain: { certificates: [certificate] } };
}

/** A bundle, or any bytes in its place, as evidence. */
export function bundleEvidence(bundle: Json | Uint8Array, where = 'the bundle'): Evidence {
  const bytes = bundle instanceof Uint8Array ? bundle : utf8(JSON.stringify(bundle));
  return {
    format: 'sigstore-bundle',
    digest: computeDigest(bytes),
    where,
    bytes,
    annotations: {},
    mediaType: MEDIA_TYPES['0.3'],
  };
}

/** What a layer of the tag scheme holds and who vouches for it. */
export interface LegacyShape {
  readonly by: SignedBy;
  readonly digest: Digest;
  /** Members of the payload in place of the usual ones. */
  readonly critical?: Json;
  readonly optional?: Json | null;
  /** Whether Rekor v1 promises to log it, and when. Default not. */
  readonly loggedAt?: Date;
  /** When it is timestamped. Default not. */
  readonly stampedAt?: Date;
}

export const LEGACY = {
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  bundle: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
} as const;

/** A simple-signing payload about a digest. */
export function simpleSigning(
  digest: string,
  critical: Json = {},
  optional: Json | null = null,
): Uint8Array {
  return utf8(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': 'registry.example/app' },
        image: { 'docker-manifest-digest': digest },
        type: 'cosign container image signature',
        ...critical,
      },
      optional,
    }),
  );
}

/** The annotation in which the tag scheme keeps Rekor v1's promise. */
export function promiseAnnotation(entry: LogEntry): Json {
  return {
    SignedEntryTimestamp: base64(entry.inclusionPromise ?? new Uint8Array()),
    Payload: {
      body: base64(entry.canonicalizedBody),
      integratedTime: Number(entry.integratedTimeSeconds),
      logIndex: Number(entry.logIndex),
      logID: encodeHex(entry.logId),
    },
  };
}

/** One layer of a `.sig` tag as evidence: everything in it is genuine. */
export function mintLegacy(lab: Lab, shape: LegacyShape): Evidence {
  const { by, digest, loggedAt, stampedAt } = shape;
  const bytes = simpleSigning(digest, shape.critical, shape.optional);
  const key = keyOf(by);
  const signature = key.sign(bytes);
  const annotations: Record<string, string> = { [LEGACY.signature]: base64(signature) };
  if ('certificate' in by) {
    annotations[LEGACY.certificate] = encodePem('CERTIFICATE', by.certificate.raw);
    annotations[LEGACY.chain] = encodePem('CERTIFICATE', lab.ca.root.raw);
  }
  if (loggedAt !== undefined) {
    const who = 'certificate' in by ? { certificate: by.certificate } : { key };
    const entry = lab.oldTlog.append({ by: who, signature, signed: bytes }, loggedAt);
    annotations[LEGACY.bundle] = JSON.stringify(promiseAnnotation(entry));
  }
  if (stampedAt !== undefined) {
    const stamp = base64(lab.tsa.stamp(signature, stampedAt));
    annotations[LEGACY.timestamp] = JSON.stringify({ SignedRFC3161Timestamp: stamp });
  }
  return {
    format: 'cosign-legacy',
    digest: computeDigest(bytes),
    where: 'the layer',
    bytes,
    annotations,
    mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
  };
}

/** A layer of an `.att` tag: a DSSE envelope signed by one or more keys. */
export function mintLegacyEnvelope(payload: Uint8Array, keys: readonly TestKey[]): Evidence {
  const encoding = preAuthenticationEncoding(IN_TOTO, payload);
  const signatures = keys.map((key) => ({ keyid: '', sig: base64(key.sign(encoding)) }));
  const envelope = { payloadType: IN_TOTO, payload: base64(payload), signatures };
  const bytes = utf8(JSON.stringify(envelope));
  return {
    format: 'cosign-legacy',
    digest: computeDigest(bytes),
    where: 'the layer',
    bytes,
    annotations: { [LEGACY.signature]: '' },
    mediaType: 'application/vnd.dsse.envelope.v1+json',
  };
}
