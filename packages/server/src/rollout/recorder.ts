import { TrustFault } from '@bulla/trust/fault/fault';
import type { RecordService } from '../record/service.ts';
import type { Lease, Leases } from '../storage/lease.ts';
import { CUT_OVER_ACT, cutOverAct } from './acts.ts';
import {
  type CutOver,
  isSameRollout,
  type Rollout,
  type RolloutCell,
  type Unrecorded,
} from './state.ts';

/** Keeps a cut-over and its act in the record together, over the end of any process. */
export interface CutOverRecorder {
  /**
   * Writes a cut-over by `write` and records it, and answers the rollout with its act. A record that
   * refuses has the cut-over taken back: what nobody can prove did not happen. Throws what `write`
   * throws, `record.unavailable`, `storage.lease-held` while somebody else records.
   */
  recorded(
    policy: string,
    cutOver: CutOver,
    write: () => Promise<Rollout | null>,
  ): Promise<Rollout>;
  /**
   * Records each cut-over whose process ended before it had, once, whichever replica asks; while a
   * process still does it itself, or when another was faster, nothing. Throws what the record throws;
   * whoever asks next goes on.
   */
  complete(rollouts: ReadonlyMap<string, Rollout>): Promise<void>;
}

/** What a recorder stands on. */
export interface RecorderParts {
  readonly cell: RolloutCell;
  readonly record: Pick<RecordService, 'note' | 'acts'>;
  /** The same for all calls: a holder that died is known by watching its lease. */
  readonly leases: Leases;
}

const LEASE = 'rollout-record';
const WAIT_MS = 15_000;
const ACTS_PAGE = 100;

type Unfinished = Rollout & { readonly cutOver: CutOver & { readonly unrecorded: Unrecorded } };

/** A recorder on the cell and the lease that all replicas share. */
export function openRecorder({ cell, record, leases }: RecorderParts): CutOverRecorder {
  async function finish(rollout: Unfinished, id: string): Promise<Rollout> {
    const { unrecorded: _, ...cutOver } = rollout.cutOver;
    const finished = { ...rollout, cutOver: { ...cutOver, act: id } };
    await cell.change(rollout.policy, (now) => (isSame(now, rollout) ? finished : now));
    return finished;
  }

  /** The act, if the record has it: its process may have ended right after. */
  async function foundAct({ policy, openedAt, cutOver }: Unfinished): Promise<string | null> {
    let before: number | null = null;
    do {
      const page: Awaited<ReturnType<RecordService['acts']>> = await record.acts({
        ...{ act: CUT_OVER_ACT, subject: policy, limit: ACTS_PAGE },
        ...(before === null ? {} : { before }),
      });
      const found = page.acts.find(
        ({ act: { detail } }) => detail['openedAt'] === openedAt && detail['at'] === cutOver.at,
      );
      if (found !== undefined) return found.act.id;
      before = page.next;
    } while (before !== null);
    return null;
  }

  async function completeAll(lease: Lease): Promise<void> {
    // Read anew, now that nobody else writes what is looked for.
    const { rollouts } = await cell.read();
    for (const rollout of rollouts.values()) {
      if (!isUnfinished(rollout) || lease.signal.aborted) continue;
      const { cutOver } = rollout;
      const id =
        (await foundAct(rollout)) ??
        (await record.note(cutOverAct(rollout, cutOver, cutOver.unrecorded)));
      await finish(rollout, id);
    }
  }

  return {
    async recorded(policy, cutOver, write) {
      await using lease = await leases.acquire(LEASE, { waitMs: WAIT_MS });
      const next = await write();
      if (next === null || !isUnfinished(next)) {
        throw new TrustFault('internal.defect', `a cut-over of ${policy} left nothing to record`);
      }
      // Somebody may be recording it by now, and does it once.
      if (lease.signal.aborted) return next;
      let id: string;
      try {
        id = await record.note(cutOverAct(next, cutOver, next.cutOver.unrecorded));
      } catch (error) {
        await cell.change(policy, (now) => (isSame(now, next) ? { ...now, cutOver: null } : now));
        throw error;
      }
      return finish(next, id);
    },
    async complete(rollouts) {
      if (![...rollouts.values()].some(isUnfinished)) return;
      await using lease = await leases.tryAcquire(LEASE);
      if (lease !== null) await completeAll(lease);
    },
  };
}

function isUnfinished(rollout: Rollout): rollout is Unfinished {
  return rollout.cutOver?.unrecorded !== undefined;
}

/** Whether the cell still holds this cut-over without its act. */
function isSame(now: Rollout | null, one: Unfinished): now is Unfinished {
  return now !== null && isSameRollout(now, one) && isUnfinished(now);
}
