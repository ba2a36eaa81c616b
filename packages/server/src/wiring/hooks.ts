import { asFault } from '@bulla/trust/fault/fault';
import type { ServerConfig } from '../config/config.ts';
import type { DecisionService } from '../decision/service.ts';
import { createHooks, type HooksService } from '../hooks/service.ts';
import type { Log } from '../http/log.ts';
import type { Metrics } from '../http/metrics.ts';
import type { ReachService } from '../reach/service.ts';

/** What push events are wired to. */
export interface HooksWiring {
  readonly config: Pick<ServerConfig, 'hooks'>;
  readonly reach: ReachService;
  readonly decisions: Pick<DecisionService, 'pushed'>;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Push events of the configured registries; null where none is configured: then there is no door. */
export function wireHooks({
  config,
  reach,
  decisions,
  metrics,
  log,
}: HooksWiring): HooksService | null {
  const { senders, namespaces } = config.hooks;
  if (senders.length === 0) return null;
  const events = metrics.counter({
    name: 'bulla_hook_events_total',
    help: 'Push events of registries, by what became of them.',
    labels: ['sender', 'outcome'],
  });
  return createHooks({
    senders: senders.map(({ kind, registry, token }) => ({
      kind,
      registry,
      token: token.reveal(),
    })),
    namespaces,
    reach,
    pushed: (repository) => decisions.pushed(repository),
    count: (sender, outcome) => events.add({ sender, outcome }),
    failed: (error, repository) =>
      log.error('what was pushed could not be verified ahead', {
        repository,
        fault: asFault(error),
      }),
  });
}
