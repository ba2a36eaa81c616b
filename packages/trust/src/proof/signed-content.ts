import { digestOf } from '../bytes/hash.ts';
import type { Statement } from '../claims/statement.ts';
import type { PublicKey } from '../crypto/public-key.ts';
import { type DsseEnvelope, preAuthenticationEncoding } from '../envelopes/dsse.ts';
import type { Finding } from '../finding/finding.ts';
import type { EntryMaterial } from '../logentries/verify-entry.ts';
import type { VerifiedArtifact, Wanted } from './evidence.ts';
import { checkEnvelope, type SignatureCheck } from './signature.ts';
import { bindStatement } from './statement-binding.ts';

/** What a document signs, laid out once for however many authorities are asked about. */
export interface SignedContent {
  /** Findings that do not depend on the signer: that the content is about this artifact. */
  readonly findings: readonly Finding[];
  readonly statement: Statement | null;
  check(key: PublicKey): Promise<SignatureCheck>;
  /** What a log entry must be about; `certificate` in DER, null for a bare key. */
  entryMaterial(
    key: PublicKey,
    check: SignatureCheck,
    certificate: Uint8Array | null,
  ): EntryMaterial;
}

/** The content of a DSSE envelope, held against the artifact and against what is wanted. */
export function envelopeContent(
  envelope: DsseEnvelope,
  artifact: VerifiedArtifact,
  wanted: Wanted,
): SignedContent {
  const { payloadType, payload, signatures } = envelope;
  const encoding = preAuthenticationEncoding(payloadType, payload);
  const { findings, statement } = bindStatement(envelope, artifact, wanted);
  const paeDigest: Extract<EntryMaterial, { kind: 'dsse' }>['paeDigest'] = (hash) =>
    digestOf(hash, encoding);
  return {
    findings,
    statement,
    check: (key) => checkEnvelope(envelope, encoding, key),
    entryMaterial: (key, _check, certificate) => ({
      kind: 'dsse',
      payload,
      payloadType,
      signatures,
      key,
      certificate,
      paeDigest,
    }),
  };
}
