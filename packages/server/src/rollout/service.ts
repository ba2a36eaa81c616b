import { quote, TrustFault } from '@bulla/trust/fault/fault';
import type { PolicyMode } from '@bulla/trust/policy/document';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { singleFlight } from '../bounds/single-flight.ts';
import type { Asker } from '../decision/made.ts';
import type { RecordService } from '../record/service.ts';
import { backAct, openedAct } from './acts.ts';
import { type Observed, observe, type WouldDeny, wasAsked } from './observe.ts';
import type { CutOverRecorder } from './recorder.ts';
import { type CutOver, isSameRollout, type Rollout, type RolloutCell } from './state.ts';
import { demandsOf, policyNamed } from './tighten.ts';

/** What rollouts stand on. */
export interface RolloutParts {
  readonly cell: RolloutCell;
  readonly record: Pick<RecordService, 'note' | 'search'>;
  readonly recorder: CutOverRecorder;
  /** The policies in force, cut-overs applied; null when none are. */
  readonly policies: () => PolicySet | null;
  /** What files say of policies that a cut-over enforces. */
  readonly fileModes: () => ReadonlyMap<string, PolicyMode>;
  /** Has this process read the policies again, so that its own answers follow at once. */
  readonly reload: () => Promise<unknown>;
  readonly clock: () => Date;
}

/** How a window is opened. */
export interface StartAsk {
  readonly policy: string;
  /** Who answers for the policy's rollout. */
  readonly owner: string;
  readonly windowMs: number;
}

/** How a policy is made to refuse. */
export interface CutOverAsk {
  /**
   * `REPOSITORY` or `REPOSITORY@DIGEST` of what may be denied; `nothing-observed`, `more-than-shown`.
   */
  readonly accept: readonly string[];
  /** Why; needed where something is accepted. */
  readonly reason: string | null;
  /** What would have been denied within so long before now stands in the way. */
  readonly quietMs: number;
}

/** Where a policy stands, and what was observed since its window was opened. */
export interface RolloutStatus extends Rollout, Observed {
  /** `gone`: no policy of the name is in force. */
  readonly state: 'observing' | 'enforced' | 'gone';
  /** What the policy's file says; null where the policy is gone. */
  readonly fileMode: PolicyMode | null;
  /** Whether the policy asks for the same as when the window was opened. */
  readonly unchanged: boolean;
  /** Whether anything at all was decided by it in the window. */
  readonly asked: boolean;
}

/** Policies on their way from warning to refusing, for all replicas of one storage. */
export interface RolloutService {
  /** All of them, by name, without what was observed. Throws `storage.*`. */
  list(): Promise<readonly Omit<RolloutStatus, keyof Observed | 'asked'>[]>;
  /** Throws `rollout.policy-unknown`, `record.*`. */
  status(policy: string): Promise<RolloutStatus>;
  /**
   * Opens an observation window, also anew for a policy that is observed already. Throws
   * `rollout.policy-unknown`, and `rollout.state` for one that enforces or was cut over.
   */
  start(by: Asker, ask: StartAsk): Promise<Rollout>;
  /**
   * Has every replica enforce the policy, whatever its file says. Throws `rollout.window-open`,
   * `rollout.policy-changed`, `rollout.denials-remain`, `rollout.accept-unknown`, `storage.lease-held`
   * while another is recorded, and `record.unavailable`, after which nothing has changed.
   */
  cutOver(by: Asker, policy: string, ask: CutOverAsk): Promise<Rollout>;
  /** Ends the rollout: the file's mode holds again. Recorded before it takes effect. */
  back(by: Asker, policy: string, reason: string): Promise<void>;
}

/** Accepted instead of an image where the policy was never asked in the window. */
const NOTHING_OBSERVED = 'nothing-observed';
/** The same where there is more than is looked at: whoever pulls must not be able to prevent a cut-over. */
const MORE_THAN_SHOWN = 'more-than-shown';

/** Rollouts on a cell that all replicas share. */
export function createRollouts(parts: RolloutParts): RolloutService {
  const { cell, record, clock } = parts;

  async function known(policy: string): Promise<Rollout> {
    const rollout = (await cell.read()).rollouts.get(policy);
    if (rollout !== undefined) return rollout;
    throw new TrustFault(
      'rollout.policy-unknown',
      `no window was opened for the policy ${quote(policy)}`,
      'Open one with `bulla policy rollout start`.',
    );
  }

  async function status(policy: string): Promise<RolloutStatus> {
    const rollout = await known(policy);
    const from = new Date(rollout.openedAt);
    const observed = await observe(record, policy, from);
    const asked = observed.wouldDeny.length > 0 || (await wasAsked(record, policy, from));
    return { ...placed(rollout, parts), ...observed, asked };
  }

  // Thousands of searches each: whoever asks meanwhile gets the same answer. A cut-over asks anew.
  const looks = singleFlight<RolloutStatus>();

  return {
    async list() {
      const { rollouts } = await cell.read();
      return [...rollouts.values()]
        .toSorted((a, b) => (a.policy < b.policy ? -1 : 1))
        .map((rollout) => placed(rollout, parts));
    },
    status: (policy) => looks(policy, () => status(policy)),
    async start(by, ask) {
      const rollout = opened(by, ask, parts);
      const act = openedAct(by, rollout);
      // Recorded first: an observation that nobody can date is none.
      await record.note(act);
      await cell.change(ask.policy, (now) => {
        if (now === null || now.cutOver === null) return rollout;
        throw alreadyCutOver(now, now.cutOver);
      });
      return rollout;
    },
    async cutOver(by, policy, ask) {
      const standing = await status(policy);
      const cutOver = readyToCutOver(by, standing, ask, clock());
      const { openedAt } = standing;
      // In force first: should this process end before it is recorded, more is refused, not less.
      const next = await parts.recorder.recorded(policy, cutOver, () =>
        cell.change(policy, (now) => {
          if (now?.openedAt === openedAt && now.cutOver === null) return { ...now, cutOver };
          const says = `the rollout of ${quote(policy)} was changed by somebody else meanwhile`;
          throw new TrustFault('rollout.state', says);
        }),
      );
      await parts.reload();
      return next;
    },
    async back(by, policy, reason) {
      const rollout = await known(policy);
      // Less is refused from then on: not before that is durable.
      await record.note(backAct(by, rollout, reason));
      await cell.change(policy, (now) => {
        if (now === null || isSameRollout(now, rollout)) return null;
        const says = `the rollout of ${quote(policy)} was changed by somebody else meanwhile`;
        throw new TrustFault('rollout.state', says);
      });
      await parts.reload();
    },
  };
}

function placed(
  rollout: Rollout,
  { policies, fileModes }: RolloutParts,
): Rollout & Pick<RolloutStatus, 'state' | 'fileMode' | 'unchanged'> {
  const policy = policyNamed(policies(), rollout.policy);
  if (policy === undefined) return { ...rollout, state: 'gone', fileMode: null, unchanged: false };
  const { mode } = policy.document;
  return {
    ...rollout,
    state: rollout.cutOver === null && mode !== 'enforce' ? 'observing' : 'enforced',
    fileMode: fileModes().get(rollout.policy) ?? mode,
    unchanged: demandsOf(policy) === rollout.demands,
  };
}

function opened(
  by: Asker,
  { policy: name, owner, windowMs }: StartAsk,
  parts: RolloutParts,
): Rollout {
  const policy = policyNamed(parts.policies(), name);
  if (policy === undefined) {
    throw new TrustFault('rollout.policy-unknown', `no policy ${quote(name)} is in force`);
  }
  if (policy.document.mode === 'enforce') {
    throw new TrustFault('rollout.state', `the policy ${quote(name)} enforces already`);
  }
  const now = parts.clock();
  return {
    policy: name,
    owner,
    openedAt: now.toISOString(),
    openedBy: by.name,
    endsAt: new Date(now.getTime() + windowMs).toISOString(),
    demands: demandsOf(policy),
    cutOver: null,
  };
}

function alreadyCutOver({ policy }: Rollout, { at, by }: CutOver): TrustFault {
  const says = `the policy ${quote(policy)} was cut over at ${at} by ${quote(by)}`;
  return new TrustFault('rollout.state', says);
}

/** The cut-over that all rules allow, or the fault of the first that does not. */
function readyToCutOver(
  by: Asker,
  standing: RolloutStatus,
  { accept, reason, quietMs }: CutOverAsk,
  now: Date,
): CutOver {
  const { policy, cutOver, state, fileMode, endsAt, unchanged } = standing;
  if (cutOver !== null) throw alreadyCutOver(standing, cutOver);
  if (state === 'gone') {
    throw new TrustFault('rollout.policy-unknown', `no policy ${quote(policy)} is in force`);
  }
  if (fileMode === 'enforce') {
    throw new TrustFault('rollout.state', `the file of ${quote(policy)} enforces it already`);
  }
  if (!unchanged) {
    const says = `the policy ${quote(policy)} asks for something else than when its window was opened at ${standing.openedAt}`;
    throw new TrustFault('rollout.policy-changed', says);
  }
  if (now.toISOString() < endsAt) {
    throw new TrustFault('rollout.window-open', `the window of ${quote(policy)} ends at ${endsAt}`);
  }
  if (accept.length > 0 && reason === null) {
    const says = 'what is accepted needs a reason, and none was given';
    throw new TrustFault('rollout.accept-unknown', says, 'Give --reason.');
  }
  requireSettled(standing, accept, new Date(now.getTime() - quietMs));
  const mended = standing.wouldDeny.filter(({ mendedAt }) => mendedAt !== null).length;
  const from = fileMode ?? 'nothing';
  return {
    ...{ at: now.toISOString(), by: by.name, accepted: [...accept], reason, act: null },
    unrecorded: { actor: by, from, wouldDeny: standing.wouldDeny.length, mended },
  };
}

function requireSettled(
  { policy, wouldDeny, complete, asked }: RolloutStatus,
  accept: readonly string[],
  since: Date,
): void {
  const left = wouldDeny.filter(
    ({ lastSeen, mendedAt }) => mendedAt === null && lastSeen >= since.toISOString(),
  );
  const names = [
    ...left.flatMap(namesOf),
    ...(asked ? [] : [NOTHING_OBSERVED]),
    ...(complete ? [] : [MORE_THAN_SHOWN]),
  ];
  const unknown = accept.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const says = `${quote(unknown)} is none of what would be denied by ${quote(policy)}`;
    throw new TrustFault('rollout.accept-unknown', says);
  }
  if (!complete && !accept.includes(MORE_THAN_SHOWN)) {
    const says = `more would be denied by ${quote(policy)} than can be looked at: ${wouldDeny.length} are shown`;
    const remedy = `Sign them; or accept ${MORE_THAN_SHOWN} with a reason.`;
    throw new TrustFault('rollout.denials-remain', says, remedy);
  }
  if (!asked && !accept.includes(NOTHING_OBSERVED)) {
    const says = `nothing was decided by ${quote(policy)} in its window, so nothing was observed`;
    const remedy = `Wait until it was; or accept ${NOTHING_OBSERVED} with a reason.`;
    throw new TrustFault('rollout.denials-remain', says, remedy);
  }
  const refused = left.filter((one) => !namesOf(one).some((name) => accept.includes(name)));
  const [first] = refused;
  if (first === undefined) return;
  const says = `${refused.length} would be denied by ${quote(policy)} since ${since.toISOString()}, the newest ${quote(namesOf(first).at(-1))}`;
  throw new TrustFault('rollout.denials-remain', says);
}

function namesOf({ repository, digest }: WouldDeny): readonly string[] {
  return digest === null ? [repository] : [repository, `${repository}@${digest}`];
}
