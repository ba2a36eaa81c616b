import type { ActBody } from '@bulla/server/record/body';
import { queryOptions } from '@tanstack/react-query';
import { apiPath, read } from './client.ts';

/** What somebody did that changes decisions, and where it stands in the record. */
export type ActAnswer = Omit<ActBody, 'kind'> & { readonly seq: number; readonly hash: string };

/** A page of acts, the newest first; `next` asks for the page after it. */
export interface ActsAnswer {
  readonly acts: readonly ActAnswer[];
  readonly next: number | null;
}

/** Which acts are asked for. */
export interface ActsAsk {
  readonly act?: string | undefined;
  readonly subject?: string | undefined;
  /** Acts before this entry. */
  readonly before?: string | undefined;
}

const PAGE = 50;

/** A page of acts. */
export function actsQuery({ act, subject, before }: ActsAsk) {
  const path = apiPath('/record/acts', { act, subject, before, limit: PAGE });
  return queryOptions({
    queryKey: ['acts', path],
    queryFn: ({ signal }) => read<ActsAnswer>(path, signal),
  });
}
