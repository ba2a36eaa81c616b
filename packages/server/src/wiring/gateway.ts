import { randomBytes } from 'node:crypto';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { skipped } from '@bulla/trust/finding/finding';
import type { Decision } from '@bulla/trust/policy/decision';
import { createRegistryAccess } from '../access/authorize.ts';
import type { AccessService } from '../access/service.ts';
import type { ServerConfig } from '../config/config.ts';
import type { KeepDecision } from '../decision/made.ts';
import type { DecisionService } from '../decision/service.ts';
import { GATEWAY_CONFIG, type GatewayConfig } from '../gateway/config.ts';
import { tableHistory } from '../gateway/history.ts';
import type { SignRead } from '../gateway/ports.ts';
import { createGateway, type Gateway } from '../gateway/service.ts';
import type { ServerStore } from '../storage/store.ts';
import type { Clocks } from './clocks.ts';
import { wireUpstreams } from './upstreams.ts';

/** What the gateway is wired to. */
export interface GatewayWiring {
  readonly config: Pick<ServerConfig, 'gateway' | 'aliases'>;
  /** The canonical host of the local store. */
  readonly registry: string;
  readonly store: ServerStore;
  readonly access: AccessService;
  readonly decisions: DecisionService;
  readonly keep: KeepDecision;
  readonly clocks: Clocks;
}

/** The verifying gateway of a server. Throws `upstream.config-invalid`. */
export function wireGateway(wiring: GatewayWiring): Gateway {
  const { store, decisions, clocks } = wiring;
  const { maxBlobBytes, maxManifestBytes, graceMs, untaggedMs, cachedMs, tagFreshnessMs } =
    wiring.config.gateway;
  const config: GatewayConfig = {
    ...GATEWAY_CONFIG,
    registry: wiring.registry,
    upstreams: wireUpstreams(wiring.config),
    aliases: wiring.config.aliases,
    maxBlobBytes,
    maxManifestBytes,
    graceMs,
    untaggedMs,
    cachedMs,
    tagFreshnessMs,
  };
  return createGateway({
    objects: store.objects,
    registers: store.registers,
    config,
    ports: {
      access: createRegistryAccess(wiring.access),
      verification: {
        kind: 'policies',
        decide: decisions.decide,
        forgetRefusals: (repository) => decisions.pushed(repository),
        noteSignRead: (read) => wiring.keep(signReadOf(read)),
      },
      history: tableHistory(store.tables),
    },
    clock: clocks.clock,
  });
}

/** A sign read stands in the record as what it is: an image that was given out undecided (semantics 15). */
function signReadOf(read: SignRead): Parameters<KeepDecision>[0] {
  const { actor, request, repository, tag, digest, at } = read;
  const says = 'read without a decision, by a token with the scope sign';
  const decision: Decision = {
    id: newDecisionId(at, randomBytes(10)),
    outcome: 'admit',
    reference: `${repository}${tag === null ? `@${digest}` : `:${tag}`}`,
    repository,
    tag,
    digest,
    covers: [],
    surface: 'pull',
    namespace: null,
    environment: null,
    policies: [],
    finding: skipped('gateway.sign-read', says, 'semantics 15'),
    warnings: [says],
    exceptions: [],
    policySetHash: 'none',
    trustRootVersion: 'none',
    evidence: [],
    validUntil: null,
    at,
    durationMs: 0,
  };
  return { decision, actor, request, cache: 'miss', at, durationMs: 0 };
}
