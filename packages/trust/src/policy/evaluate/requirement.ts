import { combine } from '../../finding/combine.ts';
import type { Finding, Needs } from '../../finding/finding.ts';
import type { Digest } from '../../oci/digest.ts';
import type { AttestedRequirement, Requirement, SignedRequirement } from '../document.ts';
import type { ReadyPolicy } from '../policy-set.ts';
import { judgeArtifact } from './artifact.ts';
import { attestationWanted, signatureWanted } from './asked.ts';
import { earliestOf, judgeAttested } from './attested.ts';
import { conditionsOf } from './conditions/clause.ts';
import { namedAuthorities, provenFor } from './named-authorities.ts';
import type { ProvenTree } from './proven-tree.ts';
import type { RequirementContext } from './requirement-context.ts';
import { judgeSigned } from './signed.ts';

/** What a requirement came to. */
export interface RequirementJudged {
  readonly finding: Finding;
  /** Leaves beside the root that the evidence covers; none unless it passed. */
  readonly covers: readonly Digest[];
  /** When the first accepted piece of evidence stops to hold; null when none does. */
  readonly until: Date | null;
  /** Of `all`, `any` and `atLeast` what each part came to, in their order; else none. */
  readonly parts: readonly RequirementJudged[];
}

/**
 * Judges a requirement. The tree mode applies to each clause by itself: a signature on an index and
 * an attestation on each leaf satisfy `all` of the two, and a threshold within one clause is met at
 * one node or at each leaf, never by mixing them (semantics 6 and 8). All parts are evaluated.
 */
export async function judgeRequirement(
  requirement: Requirement,
  policy: ReadyPolicy,
  tree: ProvenTree,
  context: RequirementContext,
): Promise<RequirementJudged> {
  switch (requirement.kind) {
    case 'signed':
      return judgeSignedClause(requirement, policy, tree);
    case 'attested':
      return judgeAttestedClause(requirement, policy, tree, context);
    default: {
      const judged = await Promise.all(
        requirement.parts.map((part) => judgeRequirement(part, policy, tree, context)),
      );
      const needs = requirement.kind === 'atLeast' ? requirement.atLeast : requirement.kind;
      return combined(judged, needs);
    }
  }
}

async function judgeSignedClause(
  clause: SignedRequirement,
  policy: ReadyPolicy,
  tree: ProvenTree,
): Promise<RequirementJudged> {
  const authorities = namedAuthorities(policy, clause.of);
  const wanted = signatureWanted(clause);
  const { finding, accepted, covers } = await judgeArtifact(
    tree,
    policy.document.tree,
    async (node) => {
      const proven = provenFor(await node.proof(wanted), authorities);
      return judgeSigned(node.digest, proven, clause.atLeast);
    },
  );
  const until = earliestOf(accepted.map(({ validUntil }) => validUntil));
  return { finding, covers, until, parts: [] };
}

async function judgeAttestedClause(
  clause: AttestedRequirement,
  policy: ReadyPolicy,
  tree: ProvenTree,
  context: RequirementContext,
): Promise<RequirementJudged> {
  const authorities = namedAuthorities(policy, clause.by);
  const wanted = attestationWanted(clause);
  const { predicateType } = wanted;
  const { finding, accepted, covers } = await judgeArtifact(
    tree,
    policy.document.tree,
    async (node) => {
      const proven = provenFor(await node.proof(wanted), authorities);
      const conditions = conditionsOf(clause, policy, node, context);
      const { atLeast, time } = clause;
      return judgeAttested(node.digest, proven, { predicateType, atLeast, conditions, time });
    },
  );
  const until = earliestOf(accepted.map(({ validUntil }) => validUntil));
  return { finding, covers, until, parts: [] };
}

/** A requirement of parts that are judged: what covers a leaf is counted as what passes is. */
export function combined(parts: readonly RequirementJudged[], needs: Needs): RequirementJudged {
  const findings = parts.map(({ finding }) => finding);
  const count = needs === 'all' ? parts.length : needs === 'any' ? 1 : needs;
  const says =
    needs === 'all'
      ? `each of ${parts.length} requirements`
      : `${count} of ${parts.length} requirements`;
  const finding = combine('require', needs, findings, says, { source: 'semantics 1' });
  if (finding.outcome !== 'pass') return { finding, covers: [], until: null, parts };
  const passing = parts.filter((part) => part.finding.outcome === 'pass');
  const covered = new Map<Digest, number>();
  for (const digest of passing.flatMap(({ covers }) => covers)) {
    covered.set(digest, (covered.get(digest) ?? 0) + 1);
  }
  // A leaf is covered when as many parts cover it as must pass.
  const covers = [...covered].flatMap(([digest, times]) => (times >= count ? [digest] : []));
  return { finding, covers, until: earliestOf(passing.map(({ until }) => until)), parts };
}
