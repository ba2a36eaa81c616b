import type { Asker } from '../decision/made.ts';
import type { Act } from '../record/acts.ts';
import type { CutOver, Rollout, Unrecorded } from './state.ts';

/** The act of a cut-over, in the record. */
export const CUT_OVER_ACT = 'rollout.cut-over';

/** A window of observation was opened. */
export function openedAct(by: Asker, { policy, owner, openedAt, endsAt, demands }: Rollout): Act {
  return {
    actor: by,
    act: 'rollout.opened',
    subject: policy,
    says: `${by.name} opened a window of observation for policy ${policy} until ${endsAt}`,
    detail: { owner, openedAt, endsAt, demands },
  };
}

/** A policy was made to refuse. `openedAt` and `at` of the detail tell this cut-over from any other. */
export function cutOverAct(
  { policy, owner, openedAt, endsAt, demands }: Rollout,
  { at, accepted, reason }: CutOver,
  { actor, from, wouldDeny, mended }: Unrecorded,
): Act {
  return {
    actor,
    act: CUT_OVER_ACT,
    subject: policy,
    says: `${actor.name} made policy ${policy} refuse, which its file lets ${from}`,
    detail: {
      ...{ owner, openedAt, endsAt, at, demands, from, to: 'enforce' },
      ...{ wouldDeny, mended, accepted, reason },
    },
  };
}

/** A rollout was ended, or a cut-over taken back. */
export function backAct(
  by: Asker,
  { policy, owner, openedAt, cutOver }: Rollout,
  reason: string,
): Act {
  const what = cutOver === null ? 'ended the observation of' : 'took back the cut-over of';
  return {
    actor: by,
    act: 'rollout.back',
    subject: policy,
    says: `${by.name} ${what} policy ${policy}: ${reason}`,
    detail: { owner, openedAt, cutOverAt: cutOver?.at ?? null, reason },
  };
}
