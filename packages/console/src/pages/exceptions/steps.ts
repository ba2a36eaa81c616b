import type { ExceptionAnswer, ExceptionDone } from '../../api/exceptions.ts';

/** A step in the life of an exception. */
export interface Step {
  /** What happened, as a word. */
  readonly what: 'requested' | 'used' | 'approved' | 'revoked' | 'reviewed' | 'expired' | 'expires';
  readonly at: string;
  /** Who did it at the server; null for what nobody does. */
  readonly by: string | null;
  /** Who signed it, as they call themselves. */
  readonly signedBy: string | null;
  readonly says: string | null;
}

type Lived = Pick<
  ExceptionAnswer,
  | 'kind'
  | 'state'
  | 'requester'
  | 'approver'
  | 'expires'
  | 'requested'
  | 'approved'
  | 'revoked'
  | 'reviewed'
>;

/** What happened to an exception, in the order in which it did; last what is still to come. */
export function stepsOf(one: Lived): readonly Step[] {
  const { kind, state, requester, approver, expires } = one;
  const first = kind === 'break-glass' ? 'used' : 'requested';
  const ended = state === 'expired' ? 'expired' : 'expires';
  const steps = [
    step(first, one.requested, requester.identity),
    ...done('approved', one.approved, approver?.identity ?? null),
    ...done('revoked', one.revoked, null),
    ...done('reviewed', one.reviewed, null),
    ...(state === 'revoked'
      ? []
      : [{ what: ended, at: expires, by: null, signedBy: null, says: null } as const]),
  ];
  return steps.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function done(what: Step['what'], act: ExceptionDone | null, signedBy: string | null): Step[] {
  return act === null ? [] : [step(what, act, signedBy)];
}

function step(what: Step['what'], { at, by, says }: ExceptionDone, signedBy: string | null): Step {
  return { what, at, by: by.name, signedBy, says: says === '' ? null : says };
}
