import { TrustFault } from '../../../fault/fault.ts';
import type { AttestedRequirement } from '../../document.ts';
import type { ReadyPolicy } from '../../policy-set.ts';
import type { Condition } from '../condition.ts';
import type { ProvenNode } from '../proven-tree.ts';
import type { RequirementContext } from '../requirement.ts';
import { maxAgeCondition } from './max-age.ts';
import { whereCondition } from './where.ts';

/** So long one expression may take on one statement. */
const DEADLINE_MS = 2000;

/** The conditions of an `attested` clause on the statements of one node. */
export function conditionsOf(
  clause: AttestedRequirement,
  _policy: ReadyPolicy,
  _node: ProvenNode,
  { at, expressions }: RequirementContext,
): readonly Condition[] {
  const conditions: Condition[] = [];
  if (clause.vulnerabilities !== null || clause.provenance !== null || clause.sbom !== null) {
    throw new TrustFault('internal.defect', 'this condition cannot be judged yet');
  }
  if (clause.maxAgeMs !== null) {
    conditions.push(maxAgeCondition({ maxAgeMs: clause.maxAgeMs, time: clause.time, at }));
  }
  if (clause.where !== null) {
    const { where: expression } = clause;
    conditions.push(whereCondition({ expression, runner: expressions, deadlineMs: DEADLINE_MS }));
  }
  return conditions;
}
