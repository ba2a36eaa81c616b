import type { judge, SimulatedImage } from '@bulla/server/impact/run';
import type { SimulationSummary, StoredSimulation } from '@bulla/server/impact/store';
import { queryOptions } from '@tanstack/react-query';
import { apiPath, change, read } from './client.ts';

/** How far an answer reaches into the record. */
interface Extent {
  readonly decisions: number;
  /** Since when all is in it, ISO 8601. */
  readonly since: string;
  /** Images for which there was no time. */
  readonly left: number;
  readonly complete: boolean;
}

/** So many images, by what other policies would change. */
export interface SimulationTotals extends Extent {
  readonly images: number;
  readonly refused: number;
  readonly excepted: number;
  readonly admitted: number;
  readonly warned: number;
  readonly unknown: number;
  readonly unchanged: { readonly admitted: number; readonly refused: number };
}

/** So many images, by what a change of trust would do to them. */
export interface ImpactTotals extends Extent {
  readonly images: number;
  readonly byImpact: Readonly<Record<ImpactedAnswer['impact'], number>>;
  readonly lostRunning: number;
  readonly lostDeployable: number;
}

/** An image that other policies would treat otherwise. */
export type SimulatedAnswer = SimulatedImage;

/** An image that a change of trust touches. */
export type ImpactedAnswer = Awaited<ReturnType<typeof judge>>['found'][number];

/** What other policies would change. */
export type SimulationAnswer = Omit<StoredSimulation, 'kind' | 'totals' | 'result'> & {
  readonly kind: 'simulation';
  readonly totals: SimulationTotals;
  readonly result: {
    readonly policySetHash: string;
    readonly against: string;
    readonly changes: readonly SimulatedAnswer[];
  };
};

/** What a change of trust would take along. */
export type ImpactAnswer = Omit<StoredSimulation, 'kind' | 'totals' | 'result'> & {
  readonly kind: 'impact';
  readonly totals: ImpactTotals;
  readonly result: {
    readonly policySetHash: string;
    readonly changes: readonly string[];
    readonly touched: readonly {
      readonly policy: string;
      readonly authority: string;
      readonly by: string;
      readonly gone: boolean;
    }[];
    readonly images: readonly ImpactedAnswer[];
  };
};

/** Either, as the list shows it. */
export type SummaryAnswer = Omit<SimulationSummary, 'kind' | 'totals'> &
  (
    | { readonly kind: 'simulation'; readonly totals: SimulationTotals }
    | { readonly kind: 'impact'; readonly totals: ImpactTotals }
  );

/** A page of them, the newest first; `next` asks for the page after it. */
export interface SimulationsAnswer {
  readonly simulations: readonly SummaryAnswer[];
  readonly next: string | null;
}

const PAGE = 50;

/** A page of simulations and impacts. */
export function simulationsQuery(before: string | undefined) {
  const path = apiPath('/simulations', { before, limit: PAGE });
  return queryOptions({
    queryKey: ['simulations', path],
    queryFn: ({ signal }) => read<SimulationsAnswer>(path, signal),
  });
}

/** One of them with all that came out. It never changes. */
export function simulationQuery(id: string) {
  return queryOptions({
    queryKey: ['simulation', id],
    queryFn: ({ signal }) =>
      read<SimulationAnswer | ImpactAnswer>(`/simulations/${encodeURIComponent(id)}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** What is asked of the record's past decisions. */
export type SimulationAsk =
  | {
      readonly kind: 'simulation';
      readonly days: number;
      readonly documents: readonly { readonly file: string; readonly text: string }[];
      readonly remove: readonly string[];
    }
  | {
      readonly kind: 'impact';
      readonly days: number;
      readonly runningDays: number;
      readonly retireKeys: readonly string[];
      readonly renameIdentities: readonly { readonly from: string; readonly to: string }[];
      readonly retireRoots: readonly string[];
    };

/** The server works for 20 seconds at most, after at most three others. */
const ASK_MS = 90_000;

/** Asks past decisions again, which takes a while. */
export function startSimulation(ask: SimulationAsk): Promise<SimulationAnswer | ImpactAnswer> {
  return change('POST', '/simulations', ask, ASK_MS);
}
