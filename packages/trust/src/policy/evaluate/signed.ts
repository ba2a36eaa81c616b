import { failed } from '../../finding/finding.ts';
import type { Judged, Proven } from './proven.ts';
import { judgeThreshold } from './threshold.ts';

/** Whether at least `atLeast` distinct authorities signed `subject` as such (semantics 8 and 9). */
export function judgeSigned(subject: string, proven: Proven, atLeast: number): Judged {
  const says = `${subject} carries no signature`;
  return judgeThreshold(subject, proven, atLeast, {
    check: 'signed',
    claim: 'is signed by',
    nothing: failed('signed', 'signature.none', says, 'semantics 1'),
  });
}
