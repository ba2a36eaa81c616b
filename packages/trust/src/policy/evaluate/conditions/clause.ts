import type { AttestedRequirement } from '../../document.ts';
import type { ReadyPolicy } from '../../policy-set.ts';
import type { Condition } from '../condition.ts';
import { namedAuthorities } from '../named-authorities.ts';
import type { ProvenNode } from '../proven-tree.ts';
import type { RequirementContext } from '../requirement-context.ts';
import { maxAgeCondition } from './max-age.ts';
import { provenanceCondition } from './provenance.ts';
import { sbomCondition } from './sbom.ts';
import { readVex } from './vex.ts';
import { vulnerabilityCondition } from './vulnerabilities.ts';
import { whereCondition } from './where.ts';

/** So long one expression may take on one statement. */
const DEADLINE_MS = 2000;

/** The conditions of an `attested` clause on the statements of one node; all of them must hold. */
export function conditionsOf(
  clause: AttestedRequirement,
  policy: ReadyPolicy,
  node: ProvenNode,
  { at, repository, expressions }: RequirementContext,
): readonly Condition[] {
  const { maxAgeMs, time, where, vulnerabilities, vexBy, provenance, sbom } = clause;
  const conditions: Condition[] = [];
  if (maxAgeMs !== null) conditions.push(maxAgeCondition({ maxAgeMs, time, at }));
  if (vulnerabilities !== null) {
    const authorities = namedAuthorities(policy, vexBy);
    const question = { node, repository, authorities, time };
    const vex = authorities.length === 0 ? null : () => readVex(question);
    conditions.push(vulnerabilityCondition({ limits: vulnerabilities, vex }));
  }
  if (provenance !== null) conditions.push(provenanceCondition(provenance));
  if (sbom !== null) conditions.push(sbomCondition(sbom));
  if (where !== null) {
    conditions.push(
      whereCondition({ expression: where, runner: expressions, deadlineMs: DEADLINE_MS }),
    );
  }
  return conditions;
}
