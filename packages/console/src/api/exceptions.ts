import { queryOptions } from '@tanstack/react-query';
import { apiPath, change, read } from './client.ts';

/** Somebody who signed an exception, as they call themselves, and the id of the key. */
export interface ExceptionParty {
  readonly identity: string;
  readonly keyId: string;
}

/** Something that was done at the server: by whom, when, and in which words. */
export interface ExceptionDone {
  readonly by: { readonly kind: string; readonly id: string; readonly name: string };
  readonly at: string;
  readonly says: string;
}

/** Where an exception stands. */
export type ExceptionState = 'requested' | 'in-force' | 'expired' | 'revoked';

/** An exception of two people, or a use of break-glass. */
export type ExceptionKind = 'exception' | 'break-glass';

/** An exception of the server. Times are ISO 8601. */
export interface ExceptionAnswer {
  /** Digest of the signed request. */
  readonly id: string;
  readonly name: string;
  readonly kind: ExceptionKind;
  readonly state: ExceptionState;
  readonly repository: string;
  /** Null: all of the repository. */
  readonly digest: string | null;
  readonly policies: readonly string[];
  readonly clauses: readonly string[];
  /** Null: everywhere. */
  readonly surfaces: readonly string[] | null;
  readonly namespaces: readonly string[] | null;
  readonly requester: ExceptionParty;
  readonly approver: ExceptionParty | null;
  readonly reason: string;
  readonly compensatingControl: string | null;
  readonly issuedAt: string;
  readonly expires: string;
  readonly requested: ExceptionDone;
  readonly approved: ExceptionDone | null;
  readonly revoked: ExceptionDone | null;
  readonly review: 'none' | 'open' | 'closed';
  readonly reviewed: ExceptionDone | null;
  /** Recorded decisions that stood on it. */
  readonly uses: number;
  readonly envelope: object;
}

/** A page of exceptions, the newest request first, with counts of all. */
export interface ExceptionsAnswer {
  readonly exceptions: readonly ExceptionAnswer[];
  readonly next: string | null;
  readonly counts: {
    readonly inForce: number;
    readonly breakGlassInForce: number;
    readonly openReviews: number;
  };
}

/** Which exceptions are asked for. */
export interface ExceptionsAsk {
  readonly state?: string | undefined;
  readonly kind?: string | undefined;
  readonly repository?: string | undefined;
  readonly review?: string | undefined;
  readonly before?: string | undefined;
}

const PAGE = 50;
/** What holds ends by itself: whoever looks at it must not go on reading that it holds. */
const WATCH_MS = 20_000;

/** A page of exceptions, asked again every 20 seconds while it is looked at. */
export function exceptionsQuery({ state, kind, repository, review, before }: ExceptionsAsk) {
  const path = apiPath('/exceptions', { state, kind, repository, review, before, limit: PAGE });
  return queryOptions({
    queryKey: ['exceptions', path],
    queryFn: ({ signal }) => read<ExceptionsAnswer>(path, signal),
    refetchInterval: WATCH_MS,
    placeholderData: (previous) => previous,
  });
}

/** The newest uses of break-glass, and counts of all that holds; asked again every 20 seconds. */
export function breakGlassQuery(enabled: boolean) {
  const path = apiPath('/exceptions', { kind: 'break-glass', limit: PAGE });
  return queryOptions({
    queryKey: ['exceptions', 'break-glass'],
    queryFn: ({ signal }) => read<ExceptionsAnswer>(path, signal),
    refetchInterval: WATCH_MS,
    enabled,
  });
}

/** One exception, asked again every 20 seconds while it is looked at. */
export function exceptionQuery(id: string) {
  return queryOptions({
    queryKey: ['exceptions', 'one', id],
    queryFn: ({ signal }) => read<ExceptionAnswer>(`/exceptions/${encodeURIComponent(id)}`, signal),
    refetchInterval: WATCH_MS,
  });
}

/** Ends an exception at once, or withdraws a request. */
export function revokeException(id: string, reason: string): Promise<ExceptionAnswer> {
  return change('POST', `/exceptions/${encodeURIComponent(id)}/revocation`, { reason });
}

/** Closes the review of a use of break-glass. */
export function reviewException(id: string, found: string): Promise<ExceptionAnswer> {
  return change('POST', `/exceptions/${encodeURIComponent(id)}/review`, { found });
}
