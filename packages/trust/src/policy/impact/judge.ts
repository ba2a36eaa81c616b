import type { Decision, PolicyOutcome } from '../decision.ts';
import type { PolicyMode } from '../document.ts';
import { type FailingClause, failingClauses } from '../explain/clause.ts';
import { mendsOf } from '../explain/mend.ts';
import type { PolicySet } from '../policy-set.ts';
import type { ChangedPolicies } from './changed-policies.ts';
import { type DecideBy, hangsByOne, impossibleClauses, passedBy } from './redundancy.ts';

/**
 * What a change does to an image under one policy, the worst first. `lost`: its last valid path goes.
 * `unknown`: the evidence at hand does not tell. `at-risk`: it stays, and from now on hangs by one
 * signer. `refused`: it did not pass before either. `gained`: it passes, and did not before.
 */
export const IMPACTS = ['lost', 'unknown', 'at-risk', 'refused', 'gained', 'kept'] as const;
export type Impact = (typeof IMPACTS)[number];

/** One act after which an image that is lost would pass again. */
export interface ReSign {
  readonly says: string;
  /** What does it, with what only its reader knows in capitals; null where no one command does. */
  readonly command: string | null;
}

/** What a change does to an image under one policy. */
export interface PolicyImpact {
  readonly policy: string;
  /** What the policy does with what it does not pass. */
  readonly mode: PolicyMode;
  readonly impact: Impact;
  /** The authorities by which the image passed until now. */
  readonly passedBy: readonly string[];
  /** Those of them that no longer count, or count by others. */
  readonly losing: readonly string[];
  /** The clauses that fail, or that cannot be told about. */
  readonly clauses: readonly Pick<FailingClause, 'clause' | 'code' | 'says'>[];
  /** The fewest acts that would mend it; for `lost` alone. */
  readonly reSign: readonly ReSign[];
}

/** What a change does to an image. */
export interface ImageImpact {
  /** The worst under any policy; `refused` where none covers the image. */
  readonly impact: Impact;
  readonly policies: readonly PolicyImpact[];
  /** Leaves that go on being covered beside the digest; none where it is refused. */
  readonly covers: readonly string[];
}

/**
 * Judges what a change of policies does to one image. `decide` takes decisions about it from evidence
 * that is at hand, always the same. What that evidence lacks is `unknown`, never fine.
 */
export async function judgeImpact(
  changed: ChangedPolicies,
  decide: DecideBy,
): Promise<ImageImpact> {
  const [before, after] = [await decide(changed.before), await decide(changed.after)];
  const policies: PolicyImpact[] = [];
  for (const was of before.policies) {
    policies.push(await judgePolicy(was, before, after, changed, decide));
  }
  const impact = IMPACTS.find((one) => policies.some((policy) => policy.impact === one));
  return { impact: impact ?? 'refused', policies, covers: after.covers };
}

async function judgePolicy(
  was: PolicyOutcome,
  before: Decision,
  after: Decision,
  changed: ChangedPolicies,
  decide: DecideBy,
): Promise<PolicyImpact> {
  const { policy } = was;
  const is = after.policies.find((one) => one.policy === policy);
  const touched = changed.touched.filter((one) => one.policy === policy);
  const passing = passedBy(before, policy);
  const impact = await impactOf(was, is, touched.length > 0, before, after, changed, decide);
  const told = impact === 'lost' || impact === 'unknown' || impact === 'refused';
  // What was unknown before any change is told by the tree that says so.
  const isEarlier = was.finding.outcome === 'inconclusive';
  const clauses = !told
    ? []
    : clausesOf(isEarlier ? before : after, isEarlier ? changed.before : changed.after, policy);
  return {
    policy,
    mode: changed.modes.get(policy) ?? 'enforce',
    impact,
    passedBy: passing,
    losing: touched.map(({ authority }) => authority).filter((name) => passing.includes(name)),
    clauses,
    reSign: impact === 'lost' ? reSignOf(policy, after, changed.after) : [],
  };
}

async function impactOf(
  was: PolicyOutcome,
  is: PolicyOutcome | undefined,
  isTouched: boolean,
  before: Decision,
  after: Decision,
  { before: former, after: latter }: ChangedPolicies,
  decide: DecideBy,
): Promise<Impact> {
  const outcome = is?.finding.outcome;
  if (was.finding.outcome === 'inconclusive' || outcome === 'inconclusive') return 'unknown';
  if (was.finding.outcome !== 'pass') return outcome === 'pass' ? 'gained' : 'refused';
  if (outcome !== 'pass') return 'lost';
  if (!isTouched) return 'kept';
  const [one, other] = [former, latter].map(({ policies }) =>
    policies.find(({ document }) => document.name === was.policy),
  );
  if (one === undefined || other === undefined) return 'kept';
  if (!(await hangsByOne(other, after, latter, decide))) return 'kept';
  return (await hangsByOne(one, before, former, decide)) ? 'kept' : 'at-risk';
}

function clausesOf(
  decision: Decision,
  set: PolicySet,
  policy: string,
): readonly Pick<FailingClause, 'clause' | 'code' | 'says'>[] {
  return failingClauses(decision, set)
    .filter((one) => one.policy === policy)
    .map(({ clause, code, says }) => ({ clause, code, says }));
}

function reSignOf(policy: string, after: Decision, set: PolicySet): readonly ReSign[] {
  const document = set.policies.find((one) => one.document.name === policy)?.document;
  const impossible = document === undefined ? [] : impossibleClauses(document.require);
  if (impossible.length > 0) {
    return impossible.map((clause) => {
      const says = `no signature mends it: ${clause}; name another authority in the policy first`;
      return { says, command: null };
    });
  }
  return mendsOf(after, set)
    .filter(({ policies }) => policies.includes(policy))
    .map(({ says, command }) => ({ says, command }));
}
