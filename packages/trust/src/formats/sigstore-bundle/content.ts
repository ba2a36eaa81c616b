import { equalBytes } from '../../bytes/byte-string.ts';
import { digestOf, type HashName } from '../../bytes/hash.ts';
import { decodeHex, encodeHex } from '../../bytes/hex.ts';
import { type Finding, failed, passed } from '../../finding/finding.ts';
import type { Digest } from '../../oci/digest.ts';
import type { VerifiedArtifact, Wanted } from '../../proof/evidence.ts';
import { checkDigest, checkMessage, type MessageDigest } from '../../proof/signature.ts';
import { envelopeContent, type SignedContent } from '../../proof/signed-content.ts';
import { checkAnnotations } from '../../proof/statement-binding.ts';
import type { BundleContent, SigstoreBundle } from './parse.ts';

/** The content of a bundle, held against the artifact and against what is wanted. */
export function signedContent(
  bundle: SigstoreBundle,
  artifact: VerifiedArtifact,
  wanted: Wanted,
): SignedContent {
  return bundle.content.kind === 'dsse'
    ? envelopeContent(bundle.content.envelope, artifact, wanted)
    : messageContent(bundle.content, artifact, wanted);
}

type MessageContent = Extract<BundleContent, { readonly kind: 'message' }>;

function messageContent(
  content: MessageContent,
  artifact: VerifiedArtifact,
  wanted: Wanted,
): SignedContent {
  const { signature } = content;
  const findings = [
    ...checkNotedDigest(content, artifact),
    ...(wanted.kind === 'signature'
      ? checkAnnotations({}, wanted.annotations)
      : [
          failed(
            'statement.type',
            'statement.type-mismatch',
            `expected an attestation of type ${wanted.predicateType}, found a bare signature`,
          ),
        ]),
  ];
  return {
    findings,
    statement: null,
    check: (key) =>
      artifact.bytes === null
        ? checkDigest(digestAtHand(artifact.digest), signature, key)
        : checkMessage(artifact.bytes, signature, key),
    entryMaterial: (key, check, certificate) => {
      const hash = check.algorithm.hash ?? 'sha512';
      const value = digestValue(artifact, hash) ?? new Uint8Array();
      return { kind: 'message', digest: { hash, value }, signature, key, certificate };
    },
  };
}

function digestAtHand(digest: Digest): MessageDigest {
  const [algorithm, hex = ''] = digest.split(':');
  return { hash: algorithm === 'sha512' ? 'sha512' : 'sha256', value: decodeHex(hex) };
}

/** The artifact's digest by `hash`; null when only another digest is at hand. */
function digestValue(artifact: VerifiedArtifact, hash: HashName): Uint8Array | null {
  if (artifact.bytes !== null) return digestOf(hash, artifact.bytes);
  const known = digestAtHand(artifact.digest);
  return known.hash === hash ? known.value : null;
}

/**
 * The noted digest is a hint and proves nothing (sigstore_common.proto MessageSignature), but a
 * bundle that notes another artifact's digest is not about this one; it may also be absent.
 */
function checkNotedDigest(content: MessageContent, artifact: VerifiedArtifact): readonly Finding[] {
  if (content.digest === null) return [];
  const { hash, value } = content.digest;
  const actual = digestValue(artifact, hash);
  // With one digest at hand a note by another hash cannot be compared; the signature decides.
  if (actual === null) return [];
  const source = 'sigstore_common.proto MessageSignature';
  return equalBytes(actual, value)
    ? [passed('signature.digest', `the bundle is about ${hash}:${encodeHex(value)}`, source)]
    : [
        failed(
          'signature.digest',
          'signature.digest-mismatch',
          `the bundle is about ${hash}:${encodeHex(value)}, the artifact is ${hash}:${encodeHex(actual)}`,
          source,
        ),
      ];
}
