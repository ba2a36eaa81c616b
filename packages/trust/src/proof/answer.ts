import type { Statement } from '../claims/statement.ts';
import { allOf } from '../finding/combine.ts';
import { type Finding, failed, failedBy } from '../finding/finding.ts';
import type { Authority } from './authority.ts';
import type { AuthorityAnswer, Evidence, Question } from './evidence.ts';
import { proveSigner, type SignerProof } from './prove-signer.ts';
import type { SignedContent } from './signed-content.ts';
import type { SignedMaterial } from './signed-material.ts';

/** The answer of evidence that is broken for every authority alike. */
export function brokenAnswers(
  evidence: Evidence,
  question: Question,
  error: unknown,
): readonly AuthorityAnswer[] {
  const broken = failedBy(`${evidence.format}.parse`, error);
  const finding = allOf(evidence.format, [broken], evidence.where);
  return question.authorities.map((authority) => refusal(authority, finding));
}

/** The signer and the proofs of one document, as its parser laid them out. */
export type SignerMaterial = Omit<SignedMaterial, 'signature' | 'entryMaterial'>;

/**
 * One answer per authority: the signature under its key (or the certificate's), the content, and
 * the proof of the signer, all of which must hold. Never throws for what the document holds.
 */
export function answerEach(
  evidence: Evidence,
  question: Question,
  content: SignedContent,
  signer: SignerMaterial,
): Promise<readonly AuthorityAnswer[]> {
  const answer = async (authority: Authority): Promise<AuthorityAnswer> => {
    const key = authority.kind === 'key' ? authority.key : signer.certificate?.publicKey;
    if (key === undefined) return bareKeyRefusal(evidence, authority);
    const check = await content.check(key);
    const der = signer.certificate?.raw ?? null;
    const entryMaterial = () => content.entryMaterial(key, check, der);
    const material = { ...signer, signature: check.signature, entryMaterial };
    const proof = await proveSigner(material, authority, question.requirements);
    return answerOf(
      evidence,
      authority,
      [check.finding, ...content.findings],
      proof,
      content.statement,
    );
  };
  return Promise.all(question.authorities.map(answer));
}

/** An answer that nothing stands behind. */
function refusal(authority: Authority, finding: Finding): AuthorityAnswer {
  return { authority, finding, principals: [], time: null, statement: null, validUntil: null };
}

/** The answer for an identity when the evidence was signed with a bare key. */
function bareKeyRefusal(evidence: Evidence, authority: Authority): AuthorityAnswer {
  const says = `${authority.name} is an identity, and the evidence was signed with a bare key`;
  const mismatch = failed('proof.material', 'proof.material-mismatch', says);
  return refusal(authority, allOf(evidence.format, [mismatch], evidence.where));
}

/** The answer that the findings of one authority add up to: all of them must hold. */
function answerOf(
  evidence: Evidence,
  authority: Authority,
  findings: readonly Finding[],
  proof: SignerProof,
  statement: Statement | null,
): AuthorityAnswer {
  const finding = allOf(evidence.format, [...findings, ...proof.findings], evidence.where);
  if (finding.outcome !== 'pass') return refusal(authority, finding);
  return {
    authority,
    finding,
    principals: proof.principals,
    time: proof.time,
    statement,
    validUntil: proof.validUntil,
  };
}
