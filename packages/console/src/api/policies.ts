import { queryOptions } from '@tanstack/react-query';
import { read } from './client.ts';

/** A policy in force. */
export interface PolicyAnswer {
  readonly name: string;
  readonly mode: 'enforce' | 'warn' | 'audit';
  readonly hash: string;
  readonly file: string;
  readonly description: string | null;
  readonly images: readonly string[];
  readonly surfaces: readonly string[];
  readonly authorities: readonly {
    readonly name: string;
    readonly kind: string;
    readonly supported: boolean;
  }[];
  /** The document as it stands in its file. */
  readonly text: string;
  readonly warnings: readonly string[];
}

/** Why a file as it is now is not in force. */
export interface PolicyProblem {
  readonly code: string;
  readonly message: string;
  readonly place: string | null;
}

/** The policies in force, and what is wrong with the files behind them. */
export interface PoliciesAnswer {
  readonly hash: string;
  readonly policies: readonly PolicyAnswer[];
  readonly problems: readonly PolicyProblem[];
}

/** The policies in force. */
export function policiesQuery() {
  return queryOptions({
    queryKey: ['policies'],
    queryFn: ({ signal }) => read<PoliciesAnswer>('/policies', signal),
  });
}
