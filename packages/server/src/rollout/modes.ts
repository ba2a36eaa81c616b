import { parseJson } from '@bulla/trust/bytes/json';
import { asStringMap, cursor } from '@bulla/trust/bytes/shape';
import type { PolicyMode } from '@bulla/trust/policy/document';
import type { Asker } from '../decision/made.ts';
import type { RecordService } from '../record/service.ts';
import { CELL_LARGEST, type Registers } from '../storage/registers.ts';
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
   * before whichever restart, and records each that changed. Nothing is kept unless it was recorded.
   */
  exchanged(modes: ReadonlyMap<string, FileMode>): Promise<void>;
}

const KEY = 'rollouts/modes';

/** What a keeper stands on. */
export interface ModeParts {
  readonly registers: Registers;
  readonly rollouts: RolloutCell;
  readonly note: RecordService['note'];
}

/** Keeps modes in a cell of these registers. */
export function openModes({ registers, rollouts, note }: ModeParts): ModeKeeper {
  let last: string | null = null;
  return {
    async exchanged(modes) {
      const now = [...modes].map(([name, { mode }]) => [name, mode] as const).toSorted();
      const text = JSON.stringify(Object.fromEntries(now));
      if (text === last) return;
      const cell = await registers.read(KEY);
      const kept = cell === null ? {} : parseModes(cell.value);
      // Of replicas that see the same change one wins, and says so for all.
      const swapped = await registers.swap(KEY, cell?.version ?? null, Buffer.from(text));
      if (swapped === null) return;
      try {
        for (const [name, was] of Object.entries(kept)) {
          const is = modes.get(name);
          if (is !== undefined && is.mode !== was) await note(changedAct(name, was, is));
          if (is === undefined && (await rollouts.read()).rollouts.has(name)) {
            await note(goneAct(name));
          }
        }
      } catch (error) {
        // Whoever looks next finds the difference again.
        await registers.swap(KEY, swapped, Buffer.from(JSON.stringify(kept)));
        throw error;
      }
      last = text;
    },
  };
}

function parseModes(value: Uint8Array): Readonly<Record<string, string>> {
  const document = parseJson(value, 'the modes', { maxBytes: CELL_LARGEST });
  return asStringMap(cursor(document, '', 'storage.corrupt'));
}

function changedAct(name: string, was: string, { mode, file }: FileMode) {
  return {
    actor: SYSTEM,
    act: 'policy.mode-changed',
    subject: name,
    says: `the mode of policy ${name} changed from ${was} to ${mode} in its file`,
    detail: { from: was, to: mode, file },
  };
}

function goneAct(name: string) {
  return {
    actor: SYSTEM,
    act: 'rollout.policy-gone',
    subject: name,
    says: `policy ${name}, which is being rolled out or was cut over, was renamed or deleted`,
    detail: {},
  };
}
