import type { ServerConfig } from '../config/config.ts';
import type { PoliciesInForce } from '../decision/policies.ts';
import type { DecisionService } from '../decision/service.ts';
import { tableHistory } from '../gateway/history.ts';
import type { Place } from '../gateway/place.ts';
import type { Gateway } from '../gateway/service.ts';
import { canonicalRegistry } from '../gateway/upstream/config.ts';
import type { OwnPlace } from '../reach/ports.ts';
import { createReach, type ReachService } from '../reach/service.ts';
import { REGISTRY_CONNECTION, type RegistryConnection } from '../registries/connection.ts';
import type { ServerStore } from '../storage/store.ts';
import type { Clocks } from './clocks.ts';
import { connectionOf } from './upstreams.ts';

/** What questions about images by any reference are wired to. */
export interface ReachWiring {
  readonly config: Pick<
    ServerConfig,
    'gateway' | 'registries' | 'hooks' | 'aliases' | 'environment'
  >;
  readonly store: Pick<ServerStore, 'tables'>;
  /** Null when it is switched off: then no image lies here. */
  readonly gateway: Gateway | null;
  readonly decisions: DecisionService;
  readonly inForce: PoliciesInForce;
  readonly clocks: Clocks;
}

const TAG_DEADLINE_MS = 30_000;

/** How admission, Gatekeeper, nodes and hooks ask about images, from the configuration. */
export function wireReach(wiring: ReachWiring): ReachService {
  const { config, store, gateway, decisions, inForce, clocks } = wiring;
  return createReach({
    decide: decisions.decide,
    refuse: decisions.refuse,
    inForce: () => inForce.current(),
    environment: config.environment,
    aliases: config.aliases,
    own: (registry, repository) => {
      const place = gateway?.places.ofCanonical(registry, repository) ?? null;
      return place === null || gateway === null ? null : ownPlaceOf(gateway, place);
    },
    connections: connectionsOf(config),
    memory: gateway?.ports.history ?? tableHistory(store.tables),
    tagFreshMs: config.gateway.tagFreshnessMs,
    tagDeadlineMs: TAG_DEADLINE_MS,
    clock: clocks.clock,
    now: clocks.now,
  });
}

function ownPlaceOf(gateway: Gateway, place: Place): OwnPlace {
  const { source, resolve, parents } = gateway.lookAt(place);
  const { canonical, upstream } = place;
  return {
    canonical,
    upstream: upstream && {
      registry: upstream.registry,
      repository: upstream.repository,
      isOpen: upstream.config.users === 'anyone',
    },
    source,
    resolve,
    parents,
  };
}

/**
 * By canonical hosts. What `registries` says of one comes before what an upstream says; an upstream's
 * credentials are for those whom its prefix names, and go along with no other question.
 */
function connectionsOf({
  gateway,
  registries,
  hooks,
}: Pick<ServerConfig, 'gateway' | 'registries' | 'hooks'>): ReadonlyMap<
  string,
  RegistryConnection
> {
  const ofHooks = hooks.senders.map(({ registry }) => [registry, REGISTRY_CONNECTION] as const);
  const ofUpstreams = gateway.upstreams.map(
    (entry) => [entry.registry, { ...connectionOf(entry), credentials: null }] as const,
  );
  const ofRegistries = registries.map((entry) => [entry.registry, connectionOf(entry)] as const);
  const all = [...ofHooks, ...ofUpstreams, ...ofRegistries];
  return new Map(
    all.flatMap(([host, connection]) => {
      const registry = canonicalRegistry(host);
      return registry === null ? [] : [[registry, connection] as const];
    }),
  );
}
