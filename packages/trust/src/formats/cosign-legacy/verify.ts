import { digestOf } from '../../bytes/hash.ts';
import { COSIGN_PAYLOAD_TYPE, type SimpleSigningPayload } from '../../claims/simple-signing.ts';
import type { Statement } from '../../claims/statement.ts';
import type { PublicKey } from '../../crypto/public-key.ts';
import { preAuthenticationEncoding } from '../../envelopes/dsse.ts';
import { quote } from '../../fault/fault.ts';
import { type Finding, failed, passed } from '../../finding/finding.ts';
import type { EntryMaterial } from '../../logentries/verify-entry.ts';
import { answerOf, bareKeyRefusal, brokenAnswers } from '../../proof/answer.ts';
import type { AuthorityAnswer, Evidence, Question, Wanted } from '../../proof/evidence.ts';
import { proveSigner } from '../../proof/prove-signer.ts';
import { checkEnvelope, checkMessage, type SignatureCheck } from '../../proof/signature.ts';
import { envelopeEntryMaterial } from '../../proof/signed-material.ts';
import { bindStatement, checkAnnotations } from '../../proof/statement-binding.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { type LegacyContent, type LegacySignature, parseLegacySignature } from './parse.ts';

const SOURCE = 'cosign SIGNATURE_SPEC.md';

interface ReadSignature {
  readonly document: LegacySignature;
  readonly certificate: Certificate | null;
  readonly intermediates: readonly Certificate[];
}

function readSignature(evidence: Evidence): ReadSignature {
  const document = parseLegacySignature(evidence);
  const parse = (der: Uint8Array) => parseCertificate(der, evidence.where);
  return {
    document,
    certificate: document.certificate === null ? null : parse(document.certificate),
    intermediates: document.intermediates.map(parse),
  };
}

/**
 * One answer per authority about one layer of a `.sig` or `.att` tag. Broken layers answer `fail`
 * with the code of what is broken; nothing that the layer holds makes it throw.
 */
export async function verifyLegacy(
  evidence: Evidence,
  question: Question,
): Promise<readonly AuthorityAnswer[]> {
  let read: ReadSignature;
  try {
    read = readSignature(evidence);
  } catch (error) {
    return brokenAnswers(evidence, question, error);
  }
  const content = layOut(read.document.content, question);
  return Promise.all(
    question.authorities.map(async (authority) => {
      const key = authority.kind === 'key' ? authority.key : read.certificate?.publicKey;
      if (key === undefined) return bareKeyRefusal(evidence, authority);
      const check = await content.check(key);
      const { document, certificate, intermediates } = read;
      const material = {
        signature: check.signature,
        certificate,
        intermediates,
        timestamps: document.timestamps,
        entries: document.entries,
        // The tag scheme keeps Rekor's promise only; there is no place for a proof.
        requireProof: false,
        entryMaterial: content.entryMaterial(key, check, document.certificate),
      };
      const proof = await proveSigner(material, authority, question.requirements);
      const findings = [check.finding, ...content.findings];
      return answerOf(evidence, authority, findings, proof, content.statement);
    }),
  );
}

interface LaidOut {
  readonly findings: readonly Finding[];
  readonly statement: Statement | null;
  check(key: PublicKey): Promise<SignatureCheck>;
  entryMaterial(
    key: PublicKey,
    check: SignatureCheck,
    certificate: Uint8Array | null,
  ): EntryMaterial;
}

function layOut(content: LegacyContent, { artifact, wanted }: Question): LaidOut {
  if (content.kind === 'envelope') {
    const { envelope } = content;
    const encoding = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
    const binding = bindStatement(envelope, artifact, wanted);
    return {
      ...binding,
      check: (key) => checkEnvelope(envelope, encoding, key),
      entryMaterial: (key, _check, certificate) =>
        envelopeEntryMaterial(envelope, encoding, key, certificate),
    };
  }
  const { bytes, payload, signature } = content;
  return {
    findings: checkPayload(payload, artifact.digest, wanted),
    statement: null,
    check: (key) => checkMessage(bytes, signature, key),
    entryMaterial: (key, check, certificate) => {
      const hash = check.algorithm.hash ?? 'sha256';
      const digest = { hash, value: digestOf(hash, bytes) };
      return { kind: 'message', digest, signature, key, certificate };
    },
  };
}

function checkPayload(
  payload: SimpleSigningPayload,
  digest: string,
  wanted: Wanted,
): readonly Finding[] {
  if (wanted.kind === 'attestation') {
    const says = `expected an attestation of type ${wanted.predicateType}, found a signature`;
    return [failed('statement.type', 'statement.type-mismatch', says)];
  }
  return [
    payload.type === COSIGN_PAYLOAD_TYPE
      ? passed('payload.type', `the payload is a ${COSIGN_PAYLOAD_TYPE}`, SOURCE)
      : failed(
          'payload.type',
          'payload.type',
          `expected critical.type ${quote(COSIGN_PAYLOAD_TYPE)}, found ${quote(payload.type)}`,
          SOURCE,
        ),
    payload.digest === digest
      ? passed('payload.digest', `the payload is about ${digest}`, SOURCE)
      : failed(
          'payload.digest',
          'signature.digest-mismatch',
          `the payload is about ${payload.digest}, not about ${digest}`,
          SOURCE,
        ),
    ...checkAnnotations(payload.annotations, wanted.annotations),
  ];
}
