import type { DecisionBody } from '@bulla/server/record/body';
import { queryOptions } from '@tanstack/react-query';
import { apiPath, read } from './client.ts';
import { now } from './clock.ts';

/** How often a decision was given, and where it stands in the record. */
interface Given {
  readonly seq: number;
  readonly count: number;
  readonly lastUsedAt: string;
}

/** A decision as the record keeps it, tree included. */
export type DecisionAnswer = Omit<DecisionBody, 'kind'> & Given & { readonly hash: string };

/** One node of a decision's tree. */
export type FindingAnswer = DecisionBody['finding'];

/** A decision of the list. */
export type DecisionSummary = Given &
  Omit<
    DecisionBody,
    | 'kind'
    | 'finding'
    | 'decidedAt'
    | 'request'
    | 'covers'
    | 'policySetHash'
    | 'trustRootVersion'
    | 'evidence'
    | 'validUntil'
    | 'dossier'
    | 'cut'
  >;

/** A page of decisions, the newest first; `next` asks for the page after it, null on the last. */
export interface DecisionsAnswer {
  readonly decisions: readonly DecisionSummary[];
  readonly next: number | null;
}

/** What decisions are looked for; text as the API takes it. */
export interface DecisionsAsk {
  readonly outcome?: string | undefined;
  readonly effect?: string | undefined;
  readonly repository?: string | undefined;
  readonly policy?: string | undefined;
  readonly actor?: string | undefined;
  readonly code?: string | undefined;
  readonly digest?: string | undefined;
  /** The id of an exception that it stood on. */
  readonly exception?: string | undefined;
  /** The youngest age in milliseconds that is not asked for any more; the clock is read at each ask. */
  readonly withinMs?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Decisions before this one. */
  readonly before?: string | undefined;
}

const PAGE = 50;
const LIVE_MS = 5000;

/** A page of decisions; `live` asks again every 5 seconds while the page is looked at. */
export function decisionsQuery(ask: DecisionsAsk, live: boolean) {
  return queryOptions({
    queryKey: ['decisions', ask],
    queryFn: ({ signal }) => read<DecisionsAnswer>(decisionsPath(ask), signal),
    refetchInterval: live ? LIVE_MS : false,
    placeholderData: (previous) => previous,
  });
}

function decisionsPath({ withinMs, from, ...rest }: DecisionsAsk): `/${string}` {
  const since = withinMs === undefined ? from : new Date(now().getTime() - withinMs).toISOString();
  return apiPath('/decisions', { ...rest, from: since, limit: PAGE });
}

/** One decision. It never changes. */
export function decisionQuery(id: string) {
  return queryOptions({
    queryKey: ['decision', id],
    queryFn: ({ signal }) => read<DecisionAnswer>(`/decisions/${encodeURIComponent(id)}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
