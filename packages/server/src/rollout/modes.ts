import { parseJson } from '@bulla/trust/bytes/json';
import { asStringMap, cursor } from '@bulla/trust/bytes/shape';
import type { PolicyMode } from '@bulla/trust/policy/document';
import type { Asker } from '../decision/made.ts';
import type { Act } from '../record/acts.ts';
import type { RecordService } from '../record/service.ts';
import type { Leases } from '../storage/lease.ts';
import { CELL_LARGEST, type Cell, type Registers } from '../storage/registers.ts';
import type { RolloutCell } from './state.ts';

/** Who does what nobody in particular did. */
const SYSTEM: Asker = { kind: 'system', id: 'system', name: 'the server' };

/** A policy as its file has it. */
export interface FileMode {
  readonly mode: PolicyMode;
  /** Null where it is of no file. */
  readonly file: string | null;
}

/** Keeps which mode each policy's file says, and records when that changes. */
export interface ModeKeeper {
  /**
   * Compares the modes of a set that is in force with those that were kept, of whichever replica and
   * before whichever restart, and records each that changed, once: it is kept after it was recorded, and
   * who finds it recorded and not kept only keeps it. While another replica does that, nothing.
   */
  exchanged(modes: ReadonlyMap<string, FileMode>): Promise<void>;
}

const KEY = 'rollouts/modes';

/** What a keeper stands on. */
export interface ModeParts {
  readonly registers: Registers;
  readonly rollouts: RolloutCell;
  readonly record: Pick<RecordService, 'note' | 'acts'>;
  readonly leases: Leases;
}

const LEASE = 'rollout-modes';

/** Keeps modes in a cell of these registers. */
export function openModes({ registers, rollouts, record, leases }: ModeParts): ModeKeeper {
  let last: string | null = null;

  /** Whether the newest act of this kind about the policy is of the same version of the cell. */
  async function isRecorded({ act, subject, detail }: Act): Promise<boolean> {
    const [newest] = (await record.acts({ act, subject, limit: 1 })).acts;
    return newest !== undefined && newest.act.detail['change'] === detail['change'];
  }

  async function recordChanges(
    modes: ReadonlyMap<string, FileMode>,
    kept: Cell | null,
  ): Promise<void> {
    if (kept === null) return;
    for (const [name, was] of Object.entries(parseModes(kept.value))) {
      const is = modes.get(name);
      if (is !== undefined && is.mode !== was) {
        const act = changedAct(name, was, is, kept.version);
        if (!(await isRecorded(act))) await record.note(act);
      }
      if (is === undefined && (await rollouts.read()).rollouts.has(name)) {
        await record.note(goneAct(name));
      }
    }
  }

  return {
    async exchanged(modes) {
      const now = [...modes].map(([name, { mode }]) => [name, mode] as const).toSorted();
      const text = JSON.stringify(Object.fromEntries(now));
      if (text === last) return;
      await using lease = await leases.tryAcquire(LEASE);
      if (lease === null) return;
      const cell = await registers.read(KEY);
      const isKept = cell !== null && Buffer.from(cell.value).toString('utf8') === text;
      if (!isKept) {
        await recordChanges(modes, cell);
        const swapped = await registers.swap(KEY, cell?.version ?? null, Buffer.from(text));
        if (swapped === null) return;
      }
      last = text;
    },
  };
}

function parseModes(value: Uint8Array): Readonly<Record<string, string>> {
  const document = parseJson(value, 'the modes', { maxBytes: CELL_LARGEST });
  return asStringMap(cursor(document, '', 'storage.corrupt'));
}

function changedAct(name: string, was: string, { mode, file }: FileMode, change: string): Act {
  return {
    actor: SYSTEM,
    act: 'policy.mode-changed',
    subject: name,
    says: `the mode of policy ${name} changed from ${was} to ${mode} in its file`,
    detail: { from: was, to: mode, file, change },
  };
}

function goneAct(name: string): Act {
  return {
    actor: SYSTEM,
    act: 'rollout.policy-gone',
    subject: name,
    says: `policy ${name}, which is being rolled out or was cut over, was renamed or deleted`,
    detail: {},
  };
}
