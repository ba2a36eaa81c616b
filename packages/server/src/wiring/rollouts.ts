import type { PolicyMode } from '@bulla/trust/policy/document';
import type { LoadedSet, PoliciesInForce } from '../decision/policies.ts';
import type { RecordService } from '../record/service.ts';
import { type FileMode, openModes } from '../rollout/modes.ts';
import { type CutOverRecorder, openRecorder } from '../rollout/recorder.ts';
import { createRollouts, type RolloutService } from '../rollout/service.ts';
import { openRolloutCell, type RolloutCell, type RolloutsNow } from '../rollout/state.ts';
import { tighten } from '../rollout/tighten.ts';
import { leasesOf } from '../storage/lease.ts';
import type { Registers } from '../storage/registers.ts';

/** What cut-overs make of the policies of files, for whoever loads those. */
export interface PolicyCutOvers {
  readonly cell: RolloutCell;
  readonly recorder: CutOverRecorder;
  /** Changes with every cut-over of any replica. */
  fingerprint(): Promise<string>;
  /** Throws `storage.*`: then what is to be enforced is not known, and what was in force stays. */
  apply(loaded: LoadedSet): Promise<LoadedSet>;
  /**
   * Records what has changed of the modes in the files of the set that `apply` saw last, and each
   * cut-over whose server ended before it had.
   */
  settle(): Promise<void>;
  /** What files say of policies that a cut-over enforces. */
  fileModes(): ReadonlyMap<string, PolicyMode>;
}

/** The cut-overs of these registers. */
export function wireCutOvers(
  registers: Registers,
  record: RecordService,
  clock: () => Date,
): PolicyCutOvers {
  const cell = openRolloutCell(registers);
  const leases = leasesOf(registers, { clock });
  const recorder = openRecorder({ cell, record, leases });
  const modes = openModes({ registers, rollouts: cell, record, leases });
  let seen: ReadonlyMap<string, FileMode> | null = null;
  let found: RolloutsNow['rollouts'] = new Map();
  let fileModes: ReadonlyMap<string, PolicyMode> = new Map();
  return {
    cell,
    recorder,
    async fingerprint() {
      // What cannot be read is told by the load that follows.
      return cell.read().then(
        ({ version, rollouts }) => {
          found = rollouts;
          return version;
        },
        () => 'unreadable',
      );
    },
    async apply(loaded) {
      const tightened = tighten(loaded, (await cell.read()).rollouts);
      fileModes = tightened.fileModes;
      seen = new Map(
        loaded.set.policies.map(({ document: { name, mode } }) => [
          name,
          { mode, file: loaded.files.get(name) ?? null },
        ]),
      );
      return tightened;
    },
    async settle() {
      if (seen !== null) await modes.exchanged(seen);
      await recorder.complete(found);
    },
    fileModes: () => fileModes,
  };
}

/** Rollouts of the policies in force. */
export function wireRollouts(
  { cell, recorder, fileModes }: PolicyCutOvers,
  record: RecordService,
  inForce: PoliciesInForce,
  clock: () => Date,
): RolloutService {
  return createRollouts({
    cell,
    record,
    recorder,
    policies: () => inForce.current().set,
    fileModes,
    reload: () => inForce.reload(),
    clock,
  });
}
