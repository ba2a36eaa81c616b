import { codeEntry } from '@bulla/trust/fault/codes';
import type { TrustFault } from '@bulla/trust/fault/fault';
import type { Finding } from '@bulla/trust/finding/finding';
import { reasonOf } from '@bulla/trust/finding/reason';
import type { Decision } from '@bulla/trust/policy/decision';
import { asciiText, blamed, messageOf } from '../../decision/refusal-text.ts';
import type { HttpReply } from '../../http/exchange.ts';
import { refuse } from './errors.ts';
import { API_VERSION } from './replies.ts';

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
  const plain = asciiText(text, WARNING_LONGEST).replace(/["\\]/g, '\\$&');
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

function remedyOf({ code, remedy }: Finding): string | undefined {
  return remedy ?? (code === undefined ? undefined : codeEntry(code).remedy);
}
