import type { HashName } from '../../bytes/hash.ts';
import { parseJson } from '../../bytes/json.ts';
import { protoField, refuseUnknownFields } from '../../bytes/protojson.ts';
import {
  asArray,
  asBase64,
  asOneOf,
  asString,
  type Cursor,
  cursor,
  optional,
} from '../../bytes/shape.ts';
import { asDsseEnvelope, type DsseEnvelope } from '../../envelopes/dsse.ts';
import { quote, TrustFault } from '../../fault/fault.ts';
import { type LogEntry, parseLogEntry } from '../../logentries/entry.ts';
import { type BundleVersion, bundleVersionOf } from './media-type.ts';

/** What was signed, as the bundle has it. */
export type BundleContent =
  | {
      readonly kind: 'message';
      readonly signature: Uint8Array;
      /** The artifact's digest as the signer noted it; a hint (sigstore_common.proto). */
      readonly digest: { readonly hash: HashName; readonly value: Uint8Array } | null;
    }
  | { readonly kind: 'dsse'; readonly envelope: DsseEnvelope };

/** A Sigstore bundle, checked for shape and for the rules of its version, and nothing more. */
export interface SigstoreBundle {
  readonly version: BundleVersion;
  /** The signer's certificate in DER, or null when the signer is a key. */
  readonly certificate: Uint8Array | null;
  readonly intermediates: readonly Uint8Array[];
  /** The hint of a public key; null when the signer is a certificate. */
  readonly keyHint: string | null;
  readonly entries: readonly LogEntry[];
  readonly timestamps: readonly Uint8Array[];
  readonly content: BundleContent;
}

const MAX_BUNDLE_BYTES = 128 << 20;
const MAX_CERTIFICATES = 16;
const MAX_PROOFS = 64;

/**
 * The bundle in `bytes`: protojson of sigstore_bundle.proto, media types 0.1 to 0.3 in both
 * spellings. Unknown fields are refused, as sigstore's own readers do. Throws `bundle.malformed`,
 * `bundle.version` and the faults of `parseJson`.
 */
export function parseBundle(bytes: Uint8Array, where: string): SigstoreBundle {
  const value = parseJson(bytes, where, { maxBytes: MAX_BUNDLE_BYTES });
  const at = cursor(value, 'bundle', 'bundle.malformed');
  refuseUnknownFields(at, [
    'mediaType',
    'verificationMaterial',
    'messageSignature',
    'dsseEnvelope',
  ]);
  const mediaType = asString(protoField(at, 'mediaType'));
  const version = bundleVersionOf(mediaType);
  if (version === null) {
    throw new TrustFault(
      'bundle.version',
      `expected bundle version 0.1, 0.2 or 0.3 in ${where}, found media type ${quote(mediaType)}`,
    );
  }
  const material = protoField(at, 'verificationMaterial');
  refuseUnknownFields(material, [
    'certificate',
    'x509CertificateChain',
    'publicKey',
    'tlogEntries',
    'timestampVerificationData',
  ]);
  return {
    version,
    ...asSignerMaterial(material, version),
    entries:
      optional(protoField(material, 'tlogEntries'), (entries) =>
        asArray(entries, parseLogEntry, MAX_PROOFS),
      ) ?? [],
    timestamps: optional(protoField(material, 'timestampVerificationData'), asTimestamps) ?? [],
    content: asContent(at),
  };
}

function asRawCertificate(at: Cursor): Uint8Array {
  refuseUnknownFields(at, ['rawBytes']);
  return asBase64(protoField(at, 'rawBytes'));
}

function asChain(at: Cursor): readonly Uint8Array[] {
  refuseUnknownFields(at, ['certificates']);
  return asArray(protoField(at, 'certificates'), asRawCertificate, MAX_CERTIFICATES);
}

type SignerMaterial = Pick<SigstoreBundle, 'certificate' | 'intermediates' | 'keyHint'>;

function asSignerMaterial(material: Cursor, version: BundleVersion): SignerMaterial {
  const certificate = optional(protoField(material, 'certificate'), asRawCertificate);
  const chain = optional(protoField(material, 'x509CertificateChain'), asChain);
  const publicKey = optional(protoField(material, 'publicKey'), (at) => {
    refuseUnknownFields(at, ['hint']);
    return { hint: optional(protoField(at, 'hint'), asString) ?? '' };
  });
  const kinds = [certificate, chain, publicKey].filter((kind) => kind !== undefined).length;
  if (kinds !== 1) {
    throw new TrustFault(
      'bundle.malformed',
      `expected a certificate or a public key at ${material.path}, found ${kinds} of them`,
    );
  }
  // sigstore_bundle.proto: 0.3 has one certificate, earlier versions a chain.
  if (
    (chain !== undefined && version === '0.3') ||
    (certificate !== undefined && version !== '0.3')
  ) {
    throw new TrustFault(
      'bundle.malformed',
      `bundle version ${version} does not allow ${chain === undefined ? 'certificate' : 'x509CertificateChain'}`,
    );
  }
  const [leaf, ...intermediates] = chain ?? (certificate === undefined ? [] : [certificate]);
  if (publicKey === undefined && leaf === undefined) {
    throw new TrustFault('bundle.malformed', `the certificate chain at ${material.path} is empty`);
  }
  return { certificate: leaf ?? null, intermediates, keyHint: publicKey?.hint ?? null };
}

function asTimestamps(at: Cursor): readonly Uint8Array[] {
  refuseUnknownFields(at, ['rfc3161Timestamps']);
  const stamps = optional(protoField(at, 'rfc3161Timestamps'), (list) =>
    asArray(
      list,
      (stamp) => {
        refuseUnknownFields(stamp, ['signedTimestamp']);
        return asBase64(protoField(stamp, 'signedTimestamp'));
      },
      MAX_PROOFS,
    ),
  );
  return stamps ?? [];
}

function asContent(at: Cursor): BundleContent {
  const message = optional(protoField(at, 'messageSignature'), asMessageSignature);
  const envelope = optional(protoField(at, 'dsseEnvelope'), asEnvelope);
  if (message !== undefined && envelope === undefined) return message;
  if (envelope !== undefined && message === undefined) return { kind: 'dsse', envelope };
  throw new TrustFault(
    'bundle.malformed',
    'expected either messageSignature or dsseEnvelope in the bundle',
  );
}

function asEnvelope(at: Cursor): DsseEnvelope {
  refuseUnknownFields(at, ['payload', 'payloadType', 'signatures']);
  return asDsseEnvelope(at, protoField);
}

const HASHES = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' } as const;

function asMessageSignature(at: Cursor): BundleContent {
  refuseUnknownFields(at, ['messageDigest', 'signature']);
  const digest = optional(protoField(at, 'messageDigest'), (hash) => {
    refuseUnknownFields(hash, ['algorithm', 'digest']);
    const algorithm = asOneOf(protoField(hash, 'algorithm'), ['SHA2_256', 'SHA2_384', 'SHA2_512']);
    return { hash: HASHES[algorithm], value: asBase64(protoField(hash, 'digest')) };
  });
  return {
    kind: 'message',
    signature: asBase64(protoField(at, 'signature')),
    digest: digest ?? null,
  };
}
