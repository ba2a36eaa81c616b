import { queryOptions } from '@tanstack/react-query';
import { read } from './client.ts';

/** A check of readiness. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly says?: string;
}

/** What is running. */
export interface OverviewAnswer {
  readonly version: string;
  readonly startedAt: string;
  /** The address under which this page was opened, as clients should use it. */
  readonly origin: string;
  readonly addresses: readonly string[];
  /** PEM of the local authority that made the server's certificate; absent behind any other. */
  readonly caCertificate?: string;
  readonly services: readonly { readonly name: string; readonly state: string }[];
  readonly storage: { readonly tables: string; readonly objects: string };
  readonly policies: {
    readonly count: number;
    readonly hash: string;
    readonly warnings: readonly string[];
    /** Whether the policy that the first start wrote is in force. */
    readonly starter: boolean;
  };
  readonly checks: readonly ReadinessCheck[];
  readonly counts: {
    readonly admitted24h: number;
    readonly denied24h: number;
    readonly warned24h: number;
  };
  readonly anonymousPull: string;
}

/** What is running now, asked again every 15 seconds while the page is looked at. */
export function overviewQuery() {
  return queryOptions({
    queryKey: ['overview'],
    queryFn: ({ signal }) => read<OverviewAnswer>('/overview', signal),
    refetchInterval: 15_000,
  });
}
