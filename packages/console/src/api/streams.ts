import type { DeadLetter } from '@bulla/server/stream/dead-letters';
import type { StreamStatus } from '@bulla/server/stream/service';
import { queryOptions } from '@tanstack/react-query';
import { apiPath, change, read } from './client.ts';

/** A receiver of the record: how far it was sent, and what fails. */
export type StreamAnswer = StreamStatus;

/** What a receiver did not take. */
export type DeadLetterAnswer = DeadLetter;

/** A page of dead letters in the order of the record; `next` asks for the page after it. */
export interface DeadLettersAnswer {
  readonly deadLetters: readonly DeadLetterAnswer[];
  readonly next: number | null;
}

const LIVE_MS = 10_000;

/** All streams, asked again every 10 seconds while the page is looked at. */
export function streamsQuery() {
  return queryOptions({
    queryKey: ['streams'],
    queryFn: ({ signal }) =>
      read<{ readonly streams: readonly StreamAnswer[] }>('/streams', signal),
    refetchInterval: LIVE_MS,
  });
}

const PAGE = 100;

/** Dead letters of a stream, those after an entry of the record. */
export function deadLettersQuery(stream: string, after: string | undefined) {
  const path = apiPath(`${lettersPath(stream)}`, { after, limit: PAGE });
  return queryOptions({
    queryKey: ['streams', stream, after],
    queryFn: ({ signal }) => read<DeadLettersAnswer>(path, signal),
    refetchInterval: LIVE_MS,
  });
}

/** Sends dead letters once more: those of these ids, or all. */
export function retryLetters(
  stream: string,
  ids: readonly string[] | null,
): Promise<{ readonly retrying: number }> {
  return change('POST', `${lettersPath(stream)}/retry`, ids === null ? {} : { ids });
}

/** Removes dead letters for good: those of these ids, or all. */
export function dropLetters(
  stream: string,
  ids: readonly string[] | null,
): Promise<{ readonly dropped: number }> {
  return change('POST', `${lettersPath(stream)}/drop`, ids === null ? {} : { ids });
}

function lettersPath(stream: string): `/${string}` {
  return `/streams/${encodeURIComponent(stream)}/dead-letters`;
}
