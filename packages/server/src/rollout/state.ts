import { parseJson } from '@bulla/trust/bytes/json';
import {
  asArray,
  asCount,
  asInstant,
  asOneOf,
  asString,
  type Cursor,
  cursor,
  member,
  optional,
  refuseUnknown,
} from '@bulla/trust/bytes/shape';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Asker } from '../decision/made.ts';
import { CELL_LARGEST, type Registers } from '../storage/registers.ts';

/** How a policy was made to refuse: who did it, and what they knew. */
export interface CutOver {
  readonly at: string;
  readonly by: string;
  /** Images that were accepted although they would be denied. */
  readonly accepted: readonly string[];
  readonly reason: string | null;
  /** The act of the record that says so; null until that is durable. */
  readonly act: string | null;
  /** What that act will say beside; absent once it is durable. */
  readonly unrecorded?: Unrecorded;
}

/** What whoever finds a cut-over without its act records it from, also after its server's end. */
export interface Unrecorded {
  readonly actor: Asker;
  /** The mode that the file says. */
  readonly from: string;
  /** How many images would have been denied in the window, and how many of them were mended. */
  readonly wouldDeny: number;
  readonly mended: number;
}

/** Where one policy stands on its way from warning to refusing. Times are ISO 8601 in UTC. */
export interface Rollout {
  /** The policy's name. */
  readonly policy: string;
  /** Who answers for it. */
  readonly owner: string;
  readonly openedAt: string;
  readonly openedBy: string;
  /** The end of the observation window. */
  readonly endsAt: string;
  /** What the policy asked for when the window was opened: a hash without its mode. */
  readonly demands: string;
  /** Null while it is observed; else the policy is enforced, whatever its file says. */
  readonly cutOver: CutOver | null;
}

/** Whether two readings are of one window, and of one cut-over or of none. */
export function isSameRollout(one: Rollout, other: Rollout): boolean {
  return one.openedAt === other.openedAt && one.cutOver?.at === other.cutOver?.at;
}

/** All rollouts, and a text that changes with them. */
export interface RolloutsNow {
  readonly rollouts: ReadonlyMap<string, Rollout>;
  readonly version: string;
}

/** The rollouts of all replicas, in one cell of shared storage. */
export interface RolloutCell {
  /** Throws `storage.*`: who cannot read them does not know what is to be enforced. */
  read(): Promise<RolloutsNow>;
  /**
   * Replaces the entry of one policy by what `edit` makes of it (null: none), and answers that. `edit`
   * is called again when another replica was faster; what it throws changes nothing.
   */
  change(policy: string, edit: (now: Rollout | null) => Rollout | null): Promise<Rollout | null>;
}

const KEY = 'rollouts/policies';
const ATTEMPTS = 32;
const ROLLOUTS_MOST = 1000;
const CODE = 'storage.corrupt';

/** The cell of these registers. */
export function openRolloutCell(registers: Registers): RolloutCell {
  async function read() {
    const cell = await registers.read(KEY);
    const rollouts = cell === null ? new Map<string, Rollout>() : parseRollouts(cell.value);
    return { rollouts, version: cell?.version ?? null };
  }
  return {
    async read() {
      const { rollouts, version } = await read();
      return { rollouts, version: version ?? 'none' };
    },
    async change(policy, edit) {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const { rollouts, version } = await read();
        const next = edit(rollouts.get(policy) ?? null);
        const others = [...rollouts.values()].filter((one) => one.policy !== policy);
        const all = next === null ? others : [...others, next];
        if (all.length > ROLLOUTS_MOST) {
          throw new TrustFault('rollout.state', `${ROLLOUTS_MOST} policies are rolled out already`);
        }
        if ((await registers.swap(KEY, version, Buffer.from(JSON.stringify(all)))) !== null) {
          return next;
        }
      }
      throw new TrustFault('storage.failed', 'the rollouts are changed without a pause');
    },
  };
}

function parseRollouts(value: Uint8Array): ReadonlyMap<string, Rollout> {
  const document = parseJson(value, 'the rollouts', { maxBytes: CELL_LARGEST });
  const all = asArray(cursor(document, '', CODE), asRollout, ROLLOUTS_MOST);
  return new Map(all.map((rollout) => [rollout.policy, rollout]));
}

function asRollout(at: Cursor): Rollout {
  const names = [
    'policy',
    'owner',
    'openedAt',
    'openedBy',
    'endsAt',
    'demands',
    'cutOver',
  ] as const;
  refuseUnknown(at, names);
  const text = (name: (typeof names)[number]) => asString(member(at, name));
  return {
    policy: text('policy'),
    owner: text('owner'),
    openedAt: asTime(member(at, 'openedAt')),
    openedBy: text('openedBy'),
    endsAt: asTime(member(at, 'endsAt')),
    demands: text('demands'),
    cutOver: optional(member(at, 'cutOver'), asCutOver) ?? null,
  };
}

function asCutOver(at: Cursor): CutOver {
  refuseUnknown(at, ['at', 'by', 'accepted', 'reason', 'act', 'unrecorded']);
  const unrecorded = optional(member(at, 'unrecorded'), asUnrecorded);
  return {
    at: asTime(member(at, 'at')),
    by: asString(member(at, 'by')),
    accepted: asArray(member(at, 'accepted'), asString),
    reason: optional(member(at, 'reason'), asString) ?? null,
    act: optional(member(at, 'act'), asString) ?? null,
    ...(unrecorded === undefined ? {} : { unrecorded }),
  };
}

const ASKERS = ['user', 'token', 'anonymous', 'kubernetes', 'node', 'system'] as const;

function asUnrecorded(at: Cursor): Unrecorded {
  refuseUnknown(at, ['actor', 'from', 'wouldDeny', 'mended']);
  const actor = member(at, 'actor');
  refuseUnknown(actor, ['kind', 'id', 'name']);
  return {
    actor: {
      kind: asOneOf(member(actor, 'kind'), ASKERS),
      id: asString(member(actor, 'id')),
      name: asString(member(actor, 'name')),
    },
    from: asString(member(at, 'from')),
    wouldDeny: asCount(member(at, 'wouldDeny')),
    mended: asCount(member(at, 'mended')),
  };
}

function asTime(at: Cursor): string {
  return asInstant(at).toISOString();
}
