import type { Finding } from '../../finding/finding.ts';
import type { Decision } from '../decision.ts';
import type { AttestedRequirement, Requirement, SignedRequirement } from '../document.ts';
import type { PolicySet, ReadyAuthority, ReadyPolicy } from '../policy-set.ts';
import { type Act, type ActSubject, attestAct, ownKeysAct, remedyAct, signAct } from './act.ts';

/** An act that a refused image lacks, and the policies that ask for it. */
export interface Mend {
  readonly policies: readonly string[];
  readonly says: string;
  /** What does it, with what only its reader knows in capitals; null where no one command does. */
  readonly command: string | null;
}

/**
 * The fewest acts after which a refused image would be admitted, as far as the decision shows what is
 * missing: signatures, statements, or the end of an outage; never a weaker policy. Where no act of a
 * signer helps (no policy covers the image, a kind of authority that cannot be proved) the remedy of
 * the finding stands in. None for a decision that admits.
 */
export function mendsOf(decision: Decision, { policies }: PolicySet): readonly Mend[] {
  if (decision.outcome === 'admit') return [];
  const refusing = decision.policies.filter(({ effect }) => effect === 'deny');
  const found = new Map<string, { readonly act: Act; readonly policies: string[] }>();
  const add = (policy: string | null, act: Act): void => {
    const known = found.get(act.id) ?? { act, policies: [] };
    if (policy !== null) known.policies.push(policy);
    found.set(act.id, known);
  };
  if (refusing.length === 0) add(null, remedyAct(decision.finding));
  for (const { policy, hash, finding } of refusing) {
    const ready = policies.find((one) => one.hash === hash && one.document.name === policy);
    const plan =
      ready === undefined ? planOf(remedyAct(finding)) : planPolicy(ready, finding, decision);
    for (const act of plan.acts) add(policy, act);
  }
  return [...found.values()].map(({ act: { says, command }, policies: names }) => {
    return { policies: [...new Set(names)], says, command };
  });
}

/** Acts, and how much they ask: plans are compared by that. */
interface Plan {
  readonly cost: number;
  readonly acts: readonly Act[];
}

const NOTHING: Plan = { cost: 0, acts: [] };
/** More than any number of signatures: what no signer can do is the last resort. */
const OUT_OF_REACH = 10_000;

function planOf(act: Act, cost = 1): Plan {
  return { cost, acts: [act] };
}

function together(plans: readonly Plan[]): Plan {
  return {
    cost: plans.reduce((sum, { cost }) => sum + cost, 0),
    acts: plans.flatMap(({ acts }) => acts),
  };
}

/** The cheapest so many, together; the earlier of equals. */
function cheapest(plans: readonly Plan[], count: number): Plan {
  return together(plans.toSorted((a, b) => a.cost - b.cost).slice(0, count));
}

function planPolicy(policy: ReadyPolicy, finding: Finding, decision: Decision): Plan {
  const [first, ...around] = finding.because ?? [];
  if (first === undefined) return planOf(remedyAct(finding), OUT_OF_REACH);
  // What `onInconclusive` looked up stands beside the finding that it was about.
  if (first.check === finding.check) return planPolicy(policy, first, decision);
  const failing = around.filter(isFailing).map((one) => planOf(remedyAct(one)));
  return together([planRequirement(policy.document.require, first, policy, decision), ...failing]);
}

function isFailing({ outcome }: Finding): boolean {
  return outcome === 'fail' || outcome === 'inconclusive';
}

/** The finding of `all`, `any` and `atLeast` has one child for each part, in its order. */
function planRequirement(
  requirement: Requirement,
  finding: Finding,
  policy: ReadyPolicy,
  decision: Decision,
): Plan {
  if (!isFailing(finding)) return NOTHING;
  if (requirement.kind === 'signed' || requirement.kind === 'attested') {
    return planNode(requirement, finding, policy, decision);
  }
  const children = finding.because ?? [];
  const plans = requirement.parts.flatMap((part, at) => {
    const child = children[at];
    return child === undefined ? [] : [planRequirement(part, child, policy, decision)];
  });
  return combined(finding, plans);
}

type Clause = SignedRequirement | AttestedRequirement;

/** Down through the nodes of a multi-arch tree to the thresholds. */
function planNode(clause: Clause, finding: Finding, policy: ReadyPolicy, decision: Decision): Plan {
  if (!isFailing(finding)) return NOTHING;
  const { check, needs, because = [] } = finding;
  const isThreshold = check === clause.kind && (typeof needs === 'number' || because.length === 0);
  if (isThreshold) return planThreshold(clause, finding, policy, decision);
  if (because.length === 0) return planOf(remedyAct(finding), OUT_OF_REACH);
  return combined(
    finding,
    because.map((child) => planNode(clause, child, policy, decision)),
  );
}

/** What already passes costs nothing, so the cheapest so many are all that is missing. */
function combined({ needs = 'all' }: Finding, plans: readonly Plan[]): Plan {
  if (needs === 'all') return together(plans);
  return cheapest(plans, needs === 'any' ? 1 : needs);
}

interface Candidate {
  readonly authority: ReadyAuthority;
  /** Undefined where nothing at all was found. */
  readonly finding: Finding | undefined;
}

function planThreshold(
  clause: Clause,
  finding: Finding,
  policy: ReadyPolicy,
  decision: Decision,
): Plan {
  const subject = { repository: decision.repository, digest: digestOf(finding, decision) };
  const names = [...new Set(clause.kind === 'signed' ? clause.of : clause.by)];
  const candidates = names.flatMap((name, at): readonly Candidate[] => {
    const authority = policy.authorities.get(name);
    return authority === undefined ? [] : [{ authority, finding: finding.because?.[at] }];
  });
  const passing = candidates.filter((one) => one.finding?.outcome === 'pass');
  const counted = new Set(passing.map(({ authority }) => principalOf(authority)));
  const missing = Math.max(1, clause.atLeast - counted.size);
  const plans = new Map<string, Plan>();
  for (const candidate of candidates) {
    const principal = principalOf(candidate.authority);
    // Semantics 8: a second name of a key that has signed adds nothing.
    if (counted.has(principal) || plans.has(principal)) continue;
    plans.set(principal, planAuthority(clause, candidate, subject));
  }
  if (plans.size >= missing) return cheapest([...plans.values()], missing);
  return planOf(ownKeysAct(names, missing), OUT_OF_REACH);
}

/** As far as a policy tells who is behind a name. */
function principalOf({ name, authority }: ReadyAuthority): string {
  return authority?.kind === 'key' ? `key ${authority.key.id}` : `name ${name}`;
}

function planAuthority(
  clause: Clause,
  { authority, finding }: Candidate,
  subject: ActSubject,
): Plan {
  if (finding !== undefined && authority.authority === null) {
    return planOf(remedyAct(deepest(finding)), OUT_OF_REACH);
  }
  if (finding?.outcome === 'inconclusive') {
    return together(leavesOf(finding, 'inconclusive').map((leaf) => planOf(remedyAct(leaf))));
  }
  if (clause.kind === 'signed') return planOf(signAct(clause, authority, subject));
  const refused = finding === undefined ? [] : leavesOf(finding, 'fail').filter(isOfStatement);
  return planOf(attestAct(clause, authority, subject, refused));
}

/** What a statement says is wrong, not its signature, nor that it is of another type or subject. */
function isOfStatement({ check }: Finding): boolean {
  return check.startsWith('statement.') && !ENVELOPE.has(check);
}

const ENVELOPE: ReadonlySet<string> = new Set(['statement.subject', 'statement.type']);

function leavesOf(finding: Finding, outcome: Finding['outcome']): readonly Finding[] {
  if (finding.outcome !== outcome) return [];
  const leaves = (finding.because ?? []).flatMap((child) => leavesOf(child, outcome));
  return leaves.length === 0 ? [finding] : leaves;
}

function deepest(finding: Finding): Finding {
  return leavesOf(finding, finding.outcome)[0] ?? finding;
}

/** The sentence of a threshold begins with the digest of the node that it is about. */
function digestOf({ says }: Finding, { digest }: Decision): string {
  return /^sha(?:256|512):[0-9a-f]+/.exec(says)?.[0] ?? digest ?? 'DIGEST';
}
