import type { PoliciesView, PolicyView } from '@bulla/server/overview/service';
import { queryOptions } from '@tanstack/react-query';
import { read } from './client.ts';

/** A policy in force. */
export type PolicyAnswer = PolicyView;

/** The policies in force, the files behind them, and what is wrong with those. */
export type PoliciesAnswer = PoliciesView;

/** The policies in force. */
export function policiesQuery() {
  return queryOptions({
    queryKey: ['policies'],
    queryFn: ({ signal }) => read<PoliciesAnswer>('/policies', signal),
  });
}
