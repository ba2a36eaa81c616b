import { readOpenVex } from '../../../claims/open-vex.ts';
import type { Vulnerability } from '../../../claims/vulnerability.ts';
import { type Finding, failedBy, skipped } from '../../../finding/finding.ts';
import type { AuthorityAnswer } from '../../../proof/evidence.ts';
import type { ReadyAuthority } from '../../policy-set.ts';
import { VEX_WANTED } from '../asked.ts';
import { earliestOf, unseenOf } from '../attested.ts';
import { provenFor } from '../named-authorities.ts';
import { newestOf } from '../newest.ts';
import type { ProvenNode } from '../proven-tree.ts';
import { type AppliedVex, applyVex, clears, concerns, vexSubject } from './vex-match.ts';

/** What VEX statements of the policy's authorities say about one artifact. */
export interface VexAnswers {
  /** Whether a finding is `not_affected` or `fixed`, and nobody who is asked says otherwise. */
  answers(vulnerability: Vulnerability): boolean;
  /** What was read of each authority; shown, never counted. */
  readonly notes: readonly Finding[];
  /** What could not be read, and might have answered or contradicted. */
  readonly unseen: readonly Finding[];
  /** When the first document that was read stops to hold. */
  readonly until: Date | null;
}

/** About what and by whom statements are read. */
export interface VexQuestion {
  readonly node: ProvenNode;
  /** Canonical `registry/repository`. */
  readonly repository: string;
  readonly authorities: readonly ReadyAuthority[];
  /** By which time a document is the newest. */
  readonly time: 'trusted' | 'claimed';
}

/** The documents of one authority that decide, each as its statements about the artifact. */
type Documents = readonly (readonly AppliedVex[])[];

/**
 * Reads the OpenVEX statements of an artifact: verified like any attestation, and of each authority
 * the newest document alone (semantics 13).
 */
export async function readVex(question: VexQuestion): Promise<VexAnswers> {
  const { node, authorities, time } = question;
  const proven = provenFor(await node.proof(VEX_WANTED), authorities);
  const notes: Finding[] = [];
  const byAuthority: Documents[] = [];
  const untils: (Date | null)[] = [];
  for (const { name, answers, unsupported } of proven.shares) {
    if (unsupported !== null) notes.push({ ...unsupported, outcome: 'skipped' });
    const passing = answers.filter((answer) => answer.finding.outcome === 'pass');
    const newest = newestOf(passing, time).map(({ answer }) => answer);
    const read = newest.map((answer) => readDocument(answer, question));
    notes.push(skipped(CHECK, `${read.length} VEX documents of ${name} decide`, SOURCE));
    notes.push(...read.flatMap(({ problem }) => problem ?? []));
    byAuthority.push(read.map(({ statements }) => statements));
    untils.push(...newest.map(({ validUntil }) => validUntil));
  }
  return {
    answers: (vulnerability) => isAnswered(vulnerability, byAuthority),
    notes,
    unseen: unseenOf(proven.problems),
    until: earliestOf(untils),
  };
}

const CHECK = 'statement.vex';
const SOURCE = 'OpenVEX 0.2.0';

/** The statements about the artifact; a document that cannot be read says nothing. */
function readDocument(
  { statement }: AuthorityAnswer,
  { node, repository }: VexQuestion,
): { readonly statements: readonly AppliedVex[]; readonly problem: Finding | null } {
  if (statement === null) return { statements: [], problem: null };
  try {
    const subject = vexSubject(statement, node.digest, repository);
    const applied = readOpenVex(statement).flatMap((entry) => applyVex(entry, subject) ?? []);
    return { statements: applied, problem: null };
  } catch (error) {
    return {
      statements: [],
      problem: { ...failedBy(CHECK, error, SOURCE), outcome: 'skipped' },
    };
  }
}

/** One authority that answers is enough, unless another calls the finding open. */
function isAnswered(vulnerability: Vulnerability, byAuthority: readonly Documents[]): boolean {
  const verdicts = byAuthority.map((documents) => verdictOf(vulnerability, documents));
  return verdicts.includes('answered') && !verdicts.includes('open');
}

type VexVerdict = 'answered' | 'open' | 'silent';

/** Of documents that could each be the newest, all must answer (semantics 13). */
function verdictOf(vulnerability: Vulnerability, documents: Documents): VexVerdict {
  const verdicts = documents.map((statements) => verdictIn(vulnerability, statements));
  if (verdicts.includes('open')) return 'open';
  return verdicts.length > 0 && verdicts.every((verdict) => verdict === 'answered')
    ? 'answered'
    : 'silent';
}

/** Of a document's statements the latest about a finding decides; all of the same time must clear it. */
function verdictIn(vulnerability: Vulnerability, statements: readonly AppliedVex[]): VexVerdict {
  const about = statements.filter((statement) => concerns(statement, vulnerability));
  if (about.length === 0) return 'silent';
  const last = about.reduce((latest, { at }) => Math.max(latest, at.getTime()), -Infinity);
  return about.filter(({ at }) => at.getTime() === last).every(clears) ? 'answered' : 'open';
}
