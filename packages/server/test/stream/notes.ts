import type { Act } from '../../src/record/acts.ts';

/** Something that somebody did with `subject`. */
export function approved(subject: string, act = 'exception.approved'): Act {
  return {
    actor: { kind: 'user', id: 'u1', name: 'alice' },
    act,
    subject,
    says: `alice approved ${subject}`,
    detail: {},
  };
}
