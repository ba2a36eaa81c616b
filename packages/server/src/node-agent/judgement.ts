import { codeEntry } from '@bulla/trust/fault/codes';
import type { TrustFault } from '@bulla/trust/fault/fault';
import { asciiText } from '../decision/refusal-text.ts';

/** What a verifier is told. */
export interface Judgement {
  readonly allow: boolean;
  /** What was asked about; null where the question could not be read. */
  readonly digest: string | null;
  /** One line, which containerd shows to whoever pulls. */
  readonly reason: string;
}

const REASON_LONGEST = 900;

/** The refusal by a fault, with what can be done. */
export function blocked(digest: string | null, { code, message, remedy }: TrustFault): Judgement {
  const help = remedy === '' ? codeEntry(code).remedy : remedy;
  return { allow: false, digest, reason: `${code}: ${message} (${help})` };
}

/**
 * A judgement as the verifier reads it: `allow DIGEST REASON` or `block DIGEST REASON`, and a line feed
 * at the end, without which it is not whole. The digest tells the answer from one to another question.
 */
export function judgementLine({ allow, digest, reason }: Judgement): string {
  const word = allow && digest !== null ? 'allow' : 'block';
  return `${word} ${digest ?? '-'} ${asciiText(reason, REASON_LONGEST)}\n`;
}
