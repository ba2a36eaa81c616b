import type { RolloutStatus } from '@bulla/server/rollout/service';
import { queryOptions } from '@tanstack/react-query';
import { change, read } from './client.ts';
import { isAbsent } from './problem.ts';

/** A policy on its way from warning to refusing, with what it would have denied since. */
export type RolloutAnswer = RolloutStatus;

/** The same without what was observed. */
export type RolloutSummary = Omit<RolloutStatus, 'wouldDeny' | 'complete' | 'asked'>;

/** Policies that are on their way. */
export function rolloutsQuery() {
  return queryOptions({
    queryKey: ['rollouts'],
    queryFn: ({ signal }) =>
      read<{ readonly rollouts: readonly RolloutSummary[] }>('/rollouts', signal),
  });
}

/** A policy of many images that nobody signed takes the server a while to look through. */
const STATUS_MS = 120_000;

/** Where one policy stands; null when no window was opened for it. */
export function rolloutQuery(policy: string, enabled: boolean) {
  return queryOptions({
    queryKey: ['rollouts', policy],
    async queryFn({ signal }): Promise<RolloutAnswer | null> {
      const path = `/rollouts/${encodeURIComponent(policy)}` as const;
      try {
        return await read<RolloutAnswer>(path, signal, STATUS_MS);
      } catch (error) {
        if (isAbsent(error)) return null;
        throw error;
      }
    },
    enabled,
  });
}

/** Opens an observation window for a policy that warns or records. */
export function startRollout(ask: {
  readonly policy: string;
  readonly owner: string;
  readonly windowMs: number;
}): Promise<unknown> {
  return change('POST', '/rollouts', ask);
}

/** Has every replica enforce the policy. What is accepted may be denied, and needs a reason. */
export function cutOver(
  policy: string,
  ask: { readonly accept: readonly string[]; readonly reason?: string },
): Promise<unknown> {
  return change('POST', `/rollouts/${encodeURIComponent(policy)}/cut-over`, ask, STATUS_MS);
}

/** Ends a rollout, or takes a cut-over back: the file's mode holds again. */
export function endRollout(policy: string, reason: string): Promise<unknown> {
  return change('POST', `/rollouts/${encodeURIComponent(policy)}/back`, { reason });
}
