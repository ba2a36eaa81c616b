import { answerOf, bareKeyRefusal, brokenAnswers } from '../../proof/answer.ts';
import type { Authority } from '../../proof/authority.ts';
import type { AuthorityAnswer, Evidence, Question } from '../../proof/evidence.ts';
import { proveSigner } from '../../proof/prove-signer.ts';
import { type Certificate, parseCertificate } from '../../x509/certificate.ts';
import { type SignedContent, signedContent } from './content.ts';
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
  const content = signedContent(read.bundle, question.artifact, question.wanted);
  return Promise.all(
    question.authorities.map((authority) => answer(evidence, question, authority, read, content)),
  );
}

async function answer(
  evidence: Evidence,
  question: Question,
  authority: Authority,
  { bundle, certificate, intermediates }: ReadBundle,
  content: SignedContent,
): Promise<AuthorityAnswer> {
  const key = authority.kind === 'key' ? authority.key : certificate?.publicKey;
  if (key === undefined) return bareKeyRefusal(evidence, authority);
  const check = await content.check(key);
  const proof = await proveSigner(
    {
      signature: check.signature,
      certificate,
      intermediates,
      timestamps: bundle.timestamps,
      entries: bundle.entries,
      // sigstore_bundle.proto: 0.1 had the promise alone, 0.2 and later prove inclusion.
      requireProof: bundle.version !== '0.1',
      entryMaterial: content.entryMaterial(key, check, bundle.certificate),
    },
    authority,
    question.requirements,
  );
  const findings = [check.finding, ...content.findings];
  return answerOf(evidence, authority, findings, proof, content.statement);
}
