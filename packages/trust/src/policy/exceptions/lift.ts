import { anyOf } from '../../finding/combine.ts';
import { type Finding, passed } from '../../finding/finding.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Requirement, TrustPolicy } from '../document.ts';
import { combined, type RequirementJudged } from '../evaluate/requirement.ts';
import { liftedClauses } from './clause-digest.ts';
import { CLAUSES_BESIDE, partPath } from './clause-path.ts';
import { remarkOn } from './consider.ts';
import type { ExceptionDocument } from './document.ts';
import { neverLifted } from './never-lifted.ts';

/** What a policy's clauses came to. */
export interface JudgedClauses {
  readonly required: RequirementJudged;
  /** Findings on the tag and on a rollback, beside the requirement. */
  readonly around: readonly Finding[];
}

/** The clauses with what exceptions lift of them. */
export interface LiftedClauses extends JudgedClauses {
  /** The exceptions that lifted something, and what, in the order of the policy. */
  readonly used: ReadonlyMap<ExceptionDocument, readonly string[]>;
  /** Clauses that an exception names and that none lifts. */
  readonly remarks: readonly Finding[];
}

/**
 * Lifts each clause that did not pass and that an exception names, and combines the rest as before.
 * A lifted clause keeps its finding as a child: it is shown, never hidden. What failed by a digest
 * mismatch or a revocation stays as it is. `exceptions` are those that the policy accepts: the digests of
 * their clauses are checked. `children` are what the artifact's own bytes list.
 */
export function liftClauses(
  { name, require }: Pick<TrustPolicy, 'name' | 'require'>,
  { required, around }: JudgedClauses,
  exceptions: readonly ExceptionDocument[],
  children: readonly Digest[],
): LiftedClauses {
  const used = new Map<ExceptionDocument, string[]>();
  const remarks: Finding[] = [];
  const lift = (finding: Finding, clause: string): ExceptionDocument | null => {
    if (finding.outcome === 'pass' || finding.outcome === 'skipped') return null;
    const found = exceptions.find(({ exception }) =>
      liftedClauses(exception, name).some(({ path }) => path === clause),
    );
    if (found === undefined) return null;
    const never = neverLifted(finding);
    if (never === null) {
      used.set(found, [...(used.get(found) ?? []), clause]);
      return found;
    }
    const says = `no exception lifts what made ${clause} fail: ${never.says}`;
    remarks.push(remarkOn(found, 'exception.not-liftable', says));
    return null;
  };
  const walk = (part: Requirement, judged: RequirementJudged, path: string): RequirementJudged => {
    const found = lift(judged.finding, path);
    if (found !== null) {
      const finding = liftedFinding(judged.finding, found, path);
      return { finding, covers: children, until: found.exception.expires, parts: [] };
    }
    if (part.kind === 'signed' || part.kind === 'attested') return judged;
    if (judged.finding.outcome === 'pass') return judged;
    const parts = part.parts.map((one, at) => {
      const own = judged.parts[at];
      return own === undefined ? judged : walk(one, own, partPath(path, part.kind, at));
    });
    return combined(parts, part.kind === 'atLeast' ? part.atLeast : part.kind);
  };
  return {
    required: walk(require, required, 'require'),
    around: around.map((finding) => {
      const clause = CLAUSES_BESIDE.get(finding.check);
      const found = clause === undefined ? null : lift(finding, clause);
      return found === null || clause === undefined
        ? finding
        : liftedFinding(finding, found, clause);
    }),
    used,
    remarks,
  };
}

function liftedFinding(finding: Finding, document: ExceptionDocument, clause: string): Finding {
  const { id, exception } = document;
  const says = `exception ${exception.name} (${id}), ${partiesText(document)}, lifts ${clause} until ${exception.expires.toISOString()}: ${exception.reason}`;
  const because = [passed('exception', says, 'semantics 17'), finding];
  return anyOf(finding.check, because, `${finding.says}; lifted by an exception`);
}

/** Who asked for an exception, and who approved it. */
export function partiesText({ exception, approval }: ExceptionDocument): string {
  const { identity } = exception.requester;
  if (approval === null) return `break-glass by ${identity}`;
  return `requested by ${identity} and approved by ${approval.approver.identity}`;
}
