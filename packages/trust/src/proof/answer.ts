import type { Statement } from '../claims/statement.ts';
import { allOf } from '../finding/combine.ts';
import { type Finding, failed, failedBy } from '../finding/finding.ts';
import type { Authority } from './authority.ts';
import type { AuthorityAnswer, Evidence, Question } from './evidence.ts';
import type { SignerProof } from './prove-signer.ts';

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

/** An answer that nothing stands behind. */
export function refusal(authority: Authority, finding: Finding): AuthorityAnswer {
  return { authority, finding, principals: [], time: null, statement: null, validUntil: null };
}

/** The answer for an identity when the evidence was signed with a bare key. */
export function bareKeyRefusal(evidence: Evidence, authority: Authority): AuthorityAnswer {
  const says = `${authority.name} is an identity, and the evidence was signed with a bare key`;
  const mismatch = failed('proof.material', 'proof.material-mismatch', says);
  return refusal(authority, allOf(evidence.format, [mismatch], evidence.where));
}

/** The answer that the findings of one authority add up to: all of them must hold. */
export function answerOf(
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
