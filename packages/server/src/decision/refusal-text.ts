import type { Finding } from '@bulla/trust/finding/finding';
import { reasonOf } from '@bulla/trust/finding/reason';
import type { Decision } from '@bulla/trust/policy/decision';

/** The longest message of a refusal: `docker pull` shows one line of it. */
export const MESSAGE_LONGEST = 200;

/**
 * What every door says to whoever was refused: policy, failing clause and decision, in at most 200
 * characters of printable ASCII.
 */
export function messageOf(decision: Decision): string {
  const { policy, finding } = blamed(decision);
  const leaf = reasonOf(finding);
  const who = policy === null ? 'refused' : `refused by policy ${asciiText(policy, 40)}`;
  const end = ` (decision ${asciiText(decision.id, 40)})`;
  // The root of a policy's tree says its name again.
  const isNamed = policy !== null && finding.check === `policy.${policy}`;
  const clause = leaf === finding || isNamed ? leaf.check : `${finding.check}: ${leaf.check}`;
  // Where the server's files lie is no business of who pulls; the record has it.
  const why = leaf.code === 'policy.unreadable' ? 'no policy is in force' : leaf.says;
  const says = `${who}: ${asciiText(clause, 60)}: ${why}`;
  return `${asciiText(says, MESSAGE_LONGEST - end.length)}${end}`;
}

/** The policy that refuses, and its finding; without one the decision's own. */
export function blamed({ policies, finding }: Decision): {
  readonly policy: string | null;
  readonly finding: Finding;
} {
  const denying = policies.find(({ effect }) => effect === 'deny');
  return denying === undefined
    ? { policy: null, finding }
    : { policy: denying.policy, finding: denying.finding };
}

/** One line of printable ASCII, cut at `longest` characters: what headers and terminals can take. */
export function asciiText(text: string, longest: number): string {
  const plain = text
    .replace(/\s+/g, ' ')
    .replaceAll('…', '...')
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[^\x20-\x7e]/g, '?');
  return plain.length <= longest ? plain : `${plain.slice(0, longest - 3)}...`;
}
