import type { Overview } from '@bulla/server/overview/service';
import { queryOptions } from '@tanstack/react-query';
import { read } from './client.ts';

/** What is running. */
export type OverviewAnswer = Overview;

/** What is running now, asked again every 15 seconds while the page is looked at. */
export function overviewQuery() {
  return queryOptions({
    queryKey: ['overview'],
    queryFn: ({ signal }) => read<OverviewAnswer>('/overview', signal),
    refetchInterval: 15_000,
  });
}
