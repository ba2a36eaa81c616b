import { answerEach, brokenAnswers } from '../../proof/answer.ts';
import type { AuthorityAnswer, Evidence, Question } from '../../proof/evidence.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { signedContent } from './content.ts';
import { parseBundle, type SigstoreBundle } from './parse.ts';

/** A bundle whose certificates could be read too. */
interface ReadBundle {
  readonly bundle: SigstoreBundle;
  readonly certificate: Certificate | null;
  readonly intermediates: readonly Certificate[];
}

function readBundle(evidence: Evidence): ReadBundle {
  const bundle = parseBundle(evidence.bytes, evidence.where);
  return {
    bundle,
    certificate:
      bundle.certificate === null ? null : parseCertificate(bundle.certificate, evidence.where),
    intermediates: bundle.intermediates.map((der) => parseCertificate(der, evidence.where)),
  };
}

/**
 * One answer per authority about one bundle (reference 1.15). Broken bundles answer `fail` with
 * the code of what is broken; nothing that the bundle holds makes it throw.
 */
export async function verifyBundle(
  evidence: Evidence,
  question: Question,
): Promise<readonly AuthorityAnswer[]> {
  let read: ReadBundle;
  try {
    read = readBundle(evidence);
  } catch (error) {
    return brokenAnswers(evidence, question, error);
  }
  const { bundle, certificate, intermediates } = read;
  return answerEach(evidence, question, signedContent(bundle, question.artifact, question.wanted), {
    certificate,
    intermediates,
    timestamps: bundle.timestamps,
    entries: bundle.entries,
    // sigstore_bundle.proto: 0.1 had the promise alone, 0.2 and later prove inclusion.
    requireProof: bundle.version !== '0.1',
  });
}
