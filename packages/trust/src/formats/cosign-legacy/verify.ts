import { digestOf } from '../../bytes/hash.ts';
import { COSIGN_PAYLOAD_TYPE, type SimpleSigningPayload } from '../../claims/simple-signing.ts';
import { quote } from '../../fault/fault.ts';
import { type Finding, failed, passed } from '../../finding/finding.ts';
import { answerEach, brokenAnswers } from '../../proof/answer.ts';
import type { AuthorityAnswer, Evidence, Question, Wanted } from '../../proof/evidence.ts';
import { checkMessage } from '../../proof/signature.ts';
import { envelopeContent, type SignedContent } from '../../proof/signed-content.ts';
import { checkAnnotations } from '../../proof/statement-binding.ts';
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
  const { document, certificate, intermediates } = read;
  return answerEach(evidence, question, signedContent(document.content, question), {
    certificate,
    intermediates,
    timestamps: document.timestamps,
    entries: document.entries,
    // The tag scheme keeps Rekor's promise only; there is no place for a proof.
    requireProof: false,
  });
}

function signedContent(content: LegacyContent, { artifact, wanted }: Question): SignedContent {
  if (content.kind === 'envelope') return envelopeContent(content.envelope, artifact, wanted);
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
