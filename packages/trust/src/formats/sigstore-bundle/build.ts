import { encodeBase64 } from '../../bytes/base64.ts';
import { utf8 } from '../../bytes/byte-string.ts';
import type { HashName } from '../../bytes/hash.ts';
import { decodeHex } from '../../bytes/hex.ts';
import type { PublicKey } from '../../crypto/public-key.ts';
import { type DsseEnvelope, dsseEnvelopeJson } from '../../envelopes/dsse.ts';
import { type LogEntry, logEntryJson } from '../../logentries/entry.ts';
import { BUNDLE_MEDIA_TYPE } from './media-type.ts';

/** What a new bundle of version 0.3 holds. */
export interface BundleParts {
  readonly key: PublicKey;
  readonly entries: readonly LogEntry[];
  readonly timestamps: readonly Uint8Array[];
  readonly content:
    | { readonly kind: 'dsse'; readonly envelope: DsseEnvelope }
    | {
        readonly kind: 'message';
        readonly hash: HashName;
        readonly digest: Uint8Array;
        readonly signature: Uint8Array;
      };
}

const PROTO_HASHES = { sha256: 'SHA2_256', sha384: 'SHA2_384', sha512: 'SHA2_512' } as const;

/** The bytes of a bundle 0.3 signed by a key, in the member order of sigstore's own writers. */
export function buildBundle(parts: BundleParts): Uint8Array {
  const { key, entries, timestamps, content } = parts;
  const bundle = {
    mediaType: BUNDLE_MEDIA_TYPE,
    verificationMaterial: {
      // The hint by which sigstore's tools name a key: base64 of SHA-256 over its SPKI.
      publicKey: { hint: encodeBase64(decodeHex(key.id)) },
      ...(entries.length === 0 ? {} : { tlogEntries: entries.map(logEntryJson) }),
      ...(timestamps.length === 0
        ? {}
        : {
            timestampVerificationData: {
              rfc3161Timestamps: timestamps.map((stamp) => ({
                signedTimestamp: encodeBase64(stamp),
              })),
            },
          }),
    },
    ...(content.kind === 'dsse'
      ? { dsseEnvelope: dsseEnvelopeJson(content.envelope) }
      : {
          messageSignature: {
            messageDigest: {
              algorithm: PROTO_HASHES[content.hash],
              digest: encodeBase64(content.digest),
            },
            signature: encodeBase64(content.signature),
          },
        }),
  };
  return utf8(JSON.stringify(bundle));
}
