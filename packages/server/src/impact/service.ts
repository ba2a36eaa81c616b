import { printable, TrustFault } from '@bulla/trust/fault/fault';
import type { CelRunner } from '@bulla/trust/policy/cel/runner';
import { changeText, type TrustChange } from '@bulla/trust/policy/impact/change';
import { changedPolicies } from '@bulla/trust/policy/impact/changed-policies';
import { changeGroups } from '@bulla/trust/policy/impact/groups';
import { IMPACTS } from '@bulla/trust/policy/impact/judge';
import { type ImpactedImage, impactTotals, mergeImpacts } from '@bulla/trust/policy/impact/report';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { openTurns } from '../bounds/turns.ts';
import type { Asker } from '../decision/made.ts';
import type { Tables } from '../storage/tables.ts';
import { type Candidate, candidateSet } from './candidate.ts';
import { type History, type HistoryRecord, readHistory } from './history.ts';
import { judge, type Rerun, type SimulatedImage, simulate } from './run.ts';
import { openSimulationStore, type SimulationSummary, type StoredSimulation } from './store.ts';

/** Which decisions are asked again. */
export interface PastAsk {
  /** Those of the last so many days. */
  readonly days: number;
}

/** What other policies would change. */
export interface SimulationAsk extends PastAsk {
  readonly candidate: Candidate;
}

/** What a change of trust would take along. */
export interface ImpactAsk extends PastAsk {
  readonly changes: readonly TrustChange[];
  /** What a cluster or a node admitted in the last so many days is taken to run. */
  readonly runningDays: number;
}

/** How much one simulation may take. */
export interface ImpactLimits {
  /** Decisions that are looked through, and images that are asked about. */
  readonly decisions: number;
  readonly images: number;
  readonly deadlineMs: number;
}

/** What holds where nothing else is configured. */
export const IMPACT_LIMITS: ImpactLimits = { decisions: 20_000, images: 2000, deadlineMs: 20_000 };

/** What simulations stand on. */
export interface ImpactParts {
  readonly tables: Tables;
  readonly record: HistoryRecord;
  readonly policies: () => PolicySet | null;
  readonly expressions: () => CelRunner;
  readonly refusesTag: Rerun['refusesTag'];
  readonly limits: ImpactLimits;
  newId(at: Date): string;
  readonly clock: () => Date;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/**
 * What would be, told from what was: past decisions asked again from their stored evidence, without a
 * trace in the record and without a request to anybody.
 */
export interface ImpactService {
  /** Throws `impact.candidate-invalid`, `impact.busy`, `policy.unreadable`. */
  simulate(by: Asker, ask: SimulationAsk): Promise<StoredSimulation>;
  /** Throws `impact.change-unknown`, `impact.busy`, `policy.unreadable`. */
  impact(by: Asker, ask: ImpactAsk): Promise<StoredSimulation>;
  list(before: string | null, limit: number): Promise<readonly SimulationSummary[]>;
  /** Throws `impact.unknown`. */
  get(id: string): Promise<StoredSimulation>;
}

const DAY_MS = 24 * 3600_000;
const WAITING_MOST = 3;
/** What a page can show; the totals are of all. */
const SHOWN_MOST = 1000;
/** Of what one image is told. */
const REASONS_MOST = 20;
const ASKED_LONGEST = 500;

/** Simulations of this server, one at a time. */
export function createImpact(parts: ImpactParts): ImpactService {
  const { tables, record, limits, clock } = parts;
  const store = openSimulationStore(tables);
  // Each checks thousands of signatures; doors come first.
  const tooMany = () => new TrustFault('impact.busy', 'simulations run and wait already');
  const turns = openTurns({ atOnce: 1, waiting: { most: WAITING_MOST, tooMany } });

  async function keep(
    by: Asker,
    one: Pick<StoredSimulation, 'kind' | 'asked' | 'totals' | 'result'>,
  ): Promise<StoredSimulation> {
    const at = clock();
    const stored = {
      id: parts.newId(at),
      at: at.toISOString(),
      by: { id: by.id, name: by.name },
      ...one,
    };
    await store.add(stored);
    return stored;
  }

  const past = ({ days }: PastAsk) =>
    readHistory(record, new Date(clock().getTime() - days * DAY_MS), limits);

  return {
    simulate: (by, ask) =>
      turns(async () => {
        const inForce = policiesOf(parts);
        const expressions = parts.expressions();
        const rerun = rerunOf(parts);
        const isOver = () => rerun.now() >= rerun.untilMs;
        const candidate = await candidateSet(ask.candidate, { inForce, expressions, isOver });
        const history = await past(ask);
        const { found, left } = await simulate(history.images, inForce, candidate, rerun);
        const changed = found.filter(({ change }) => change !== null);
        const totals = { ...simulationTotals(found), ...extent(history, left) };
        const hashes = { policySetHash: candidate.hash, against: inForce.hash };
        const result = {
          ...hashes,
          groups: changeGroups(changed).slice(0, SHOWN_MOST),
          changes: changed.slice(0, SHOWN_MOST).map(shortChange),
        };
        return keep(by, { kind: 'simulation', asked: askedText(ask), totals, result });
      }),
    impact: (by, ask) =>
      turns(async () => {
        const changed = changedPolicies(policiesOf(parts), ask.changes);
        const history = await past(ask);
        const since = new Date(clock().getTime() - ask.runningDays * DAY_MS);
        const { found, left } = await judge(history.images, changed, since, rerunOf(parts));
        const images = mergeImpacts(found);
        const changes = ask.changes.map(changeText);
        const told = images.filter(({ impact }) => impact !== 'kept' && impact !== 'refused');
        return keep(by, {
          kind: 'impact',
          asked: changes.join('; ').slice(0, ASKED_LONGEST),
          totals: { ...impactTotals(images), ...extent(history, left) },
          result: {
            policySetHash: changed.before.hash,
            changes,
            touched: changed.touched,
            images: told.slice(0, SHOWN_MOST).map(shortImpact),
          },
        });
      }),
    list: (before, limit) => store.list(before, limit),
    get: (id) => store.get(id),
  };
}

function policiesOf({ policies }: ImpactParts): PolicySet {
  const set = policies();
  if (set !== null) return set;
  throw new TrustFault('policy.unreadable', 'no policies are in force to compare with');
}

function rerunOf({ record, expressions, refusesTag, now, limits }: ImpactParts): Rerun {
  return { record, expressions, refusesTag, now, untilMs: now() + limits.deadlineMs };
}

/** How far the answer reaches: what was left or not looked through is not among the unchanged. */
function extent({ decisions, since, complete }: History, left: number) {
  return {
    decisions,
    since: since.toISOString(),
    left,
    complete: complete && left === 0,
  };
}

function askedText({ candidate: { documents, remove }, days }: SimulationAsk): string {
  const files = documents.map(({ file }) => file);
  const without = remove.length === 0 ? [] : [`without ${remove.join(', ')}`];
  // Names are the caller's: they stand in a list of one line.
  return `${printable([...files, ...without].join(', ')).slice(0, ASKED_LONGEST)}; ${days} days`;
}

function simulationTotals(images: readonly SimulatedImage[]) {
  const count = (change: SimulatedImage['change'], after?: 'admit' | 'deny') =>
    images.filter((one) => one.change === change && (after === undefined || one.after === after))
      .length;
  return {
    images: images.length,
    refused: count('refused'),
    excepted: count('excepted'),
    admitted: count('admitted'),
    warned: count('warned'),
    unknown: count('unknown'),
    unchanged: { admitted: count(null, 'admit'), refused: count(null, 'deny') },
  };
}

/** A candidate of thousands of policies must not make a result that nothing can hold. */
function shortChange(image: SimulatedImage): SimulatedImage {
  return { ...image, because: image.because.slice(0, REASONS_MOST) };
}

/** The policies by which an image is lost first; each with its first clauses. */
function shortImpact(image: ImpactedImage): ImpactedImage {
  const worst = image.policies.toSorted(
    (a, b) => IMPACTS.indexOf(a.impact) - IMPACTS.indexOf(b.impact),
  );
  const policies = worst.slice(0, REASONS_MOST).map((policy) => ({
    ...policy,
    clauses: policy.clauses.slice(0, REASONS_MOST),
    reSign: policy.reSign.slice(0, REASONS_MOST),
  }));
  return { ...image, tags: image.tags.slice(0, REASONS_MOST), policies };
}
