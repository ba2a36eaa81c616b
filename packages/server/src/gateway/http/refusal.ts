import { codeEntry } from '@bulla/trust/fault/codes';
import type { TrustFault } from '@bulla/trust/fault/fault';
import type { Finding } from '@bulla/trust/finding/finding';
import { reasonOf } from '@bulla/trust/finding/reason';
import type { Decision } from '@bulla/trust/policy/decision';
import type { HttpReply } from '../../http/exchange.ts';
import { refuse } from './errors.ts';
import { API_VERSION } from './replies.ts';

/** The longest message of a refusal: `docker pull` shows one line of it. */
export const MESSAGE_LONGEST = 200;
const WARNING_LONGEST = 200;
const WARNINGS_MOST = 8;

/** Headers that say which decision stands behind an answer, and of what it warns. */
export function decisionHeaders(
  decision: Decision | null,
): Readonly<Record<string, string | readonly string[]>> {
  if (decision === null) return {};
  const { id, warnings } = decision;
  if (warnings.length === 0) return { 'bulla-decision': id };
  return { 'bulla-decision': id, warning: warnings.slice(0, WARNINGS_MOST).map(warningOf) };
}

/** RFC 7234 §5.5: `299` is a miscellaneous persistent warning; the text is a quoted string. */
function warningOf(text: string): string {
  const plain = ascii(text, WARNING_LONGEST).replace(/["\\]/g, '\\$&');
  return `299 - "${plain}"`;
}

/**
 * The answer to a pull that was refused: 403 DENIED, with a message that names policy, failing clause
 * and decision in at most 200 characters of printable ASCII. When an upstream's outage is what was
 * refused, its own status and code say so, since trying again may help.
 */
export function refusal(decision: Decision, problem: TrustFault | null): HttpReply {
  const headers = { ...API_VERSION, ...decisionHeaders(decision) };
  if (problem !== null) {
    const reply = refuse(problem);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  }
  const { policy, finding } = blamed(decision);
  const leaf = reasonOf(finding);
  const detail = {
    ...(leaf.code === undefined ? {} : { code: leaf.code, remedy: remedyOf(leaf) }),
    check: leaf.check,
    decision: decision.id,
    ...(policy === null ? {} : { policy }),
  };
  const entry = { code: 'DENIED', message: messageOf(decision), detail };
  return {
    status: 403,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ errors: [entry] }),
  };
}

/** What a refusal says to whoever pulls. */
export function messageOf(decision: Decision): string {
  const { policy, finding } = blamed(decision);
  const leaf = reasonOf(finding);
  const who = policy === null ? 'refused' : `refused by policy ${ascii(policy, 40)}`;
  const end = ` (decision ${ascii(decision.id, 40)})`;
  // The root of a policy's tree says its name again.
  const isNamed = policy !== null && finding.check === `policy.${policy}`;
  const clause = leaf === finding || isNamed ? leaf.check : `${finding.check}: ${leaf.check}`;
  // Where the server's files lie is no business of who pulls; the record has it.
  const why = leaf.code === 'policy.unreadable' ? 'no policy is in force' : leaf.says;
  const says = `${who}: ${ascii(clause, 60)}: ${why}`;
  return `${ascii(says, MESSAGE_LONGEST - end.length)}${end}`;
}

function blamed({ policies, finding }: Decision): {
  readonly policy: string | null;
  readonly finding: Finding;
} {
  const denying = policies.find(({ effect }) => effect === 'deny');
  return denying === undefined
    ? { policy: null, finding }
    : { policy: denying.policy, finding: denying.finding };
}

function remedyOf({ code, remedy }: Finding): string | undefined {
  return remedy ?? (code === undefined ? undefined : codeEntry(code).remedy);
}

function ascii(text: string, longest: number): string {
  const plain = text
    .replace(/\s+/g, ' ')
    .replaceAll('…', '...')
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[^\x20-\x7e]/g, '?');
  return plain.length <= longest ? plain : `${plain.slice(0, longest - 3)}...`;
}
