import { createAuthenticate } from '../access/authenticate.ts';
import { accessRoutes } from '../access/routes.ts';
import type { AccessService } from '../access/service.ts';
import { tokenDoor } from '../access/token-door.ts';
import type { ServerConfig } from '../config/config.ts';
import { consoleDoors } from '../console/routes.ts';
import { openConsole } from '../console/service.ts';
import { exceptionRoutes } from '../exceptions/routes.ts';
import type { ExceptionService } from '../exceptions/service.ts';
import { gatewayApiRoutes } from '../gateway/api-routes.ts';
import { gatewayDoor } from '../gateway/routes.ts';
import type { Gateway } from '../gateway/service.ts';
import { hooksDoor } from '../hooks/routes.ts';
import type { HooksService } from '../hooks/service.ts';
import { apiDoor } from '../http/api/door.ts';
import type { ApiRoute } from '../http/api/route.ts';
import type { Door } from '../http/exchange.ts';
import type { Log } from '../http/log.ts';
import type { Metrics } from '../http/metrics.ts';
import { metricsDoor } from '../http/metrics-door.ts';
import { healthDoor, type ReadyCheck, readyDoor } from '../http/probes.ts';
import { impactRoutes } from '../impact/routes.ts';
import type { ImpactService } from '../impact/service.ts';
import { nodeRoutes } from '../node/routes.ts';
import type { NodeService } from '../node/service.ts';
import { overviewRoutes } from '../overview/routes.ts';
import type { OverviewParts } from '../overview/service.ts';
import { recordRoutes } from '../record/routes.ts';
import type { RecordService } from '../record/service.ts';
import { rolloutRoutes } from '../rollout/routes.ts';
import type { RolloutService } from '../rollout/service.ts';
import { streamRoutes } from '../stream/routes.ts';
import type { StreamService } from '../stream/service.ts';
import { dossierGuard } from './dossier-guard.ts';
import { lastDecisionOf } from './last-decision.ts';

/** Everything that doors lead to. */
export interface DoorParts {
  readonly config: Pick<ServerConfig, 'only' | 'metrics' | 'origin'>;
  readonly options: {
    readonly version: string;
    readonly log: Log;
    readonly consoleFolders: readonly string[];
  };
  readonly access: AccessService;
  /** Null when it is switched off. */
  readonly gateway: Gateway | null;
  /** Null where no registry tells of pushes. */
  readonly hooks: HooksService | null;
  readonly record: RecordService;
  readonly exceptions: ExceptionService;
  readonly streams: StreamService;
  readonly rollouts: RolloutService;
  readonly impact: ImpactService;
  /** The canonical host of the local store. */
  readonly registry: string;
  readonly metrics: Metrics;
  readonly checks: readonly ReadyCheck[];
  readonly nodes: NodeService;
  readonly overview: OverviewParts;
  readonly clock: () => Date;
}

/** The doors of one origin (design, "One origin"), as far as the configuration wants them. */
export async function wireDoors(parts: DoorParts): Promise<readonly Door[]> {
  const { config, options, access, gateway, metrics } = parts;
  const authenticate = createAuthenticate(access);
  const token = config.metrics.token?.reveal();
  const doors: Door[] = [
    healthDoor(),
    readyDoor(parts.checks),
    metricsDoor(metrics, { authenticate, ...(token === undefined ? {} : { token }) }),
    tokenDoor(access),
  ];
  if (gateway !== null) doors.push(gatewayDoor(gateway));
  if (parts.hooks !== null) doors.push(hooksDoor(parts.hooks, options.log));
  if (config.only.includes('api')) {
    const info = { title: 'Bulla', version: options.version };
    const publicOrigin = config.origin === null ? {} : { publicOrigin: config.origin };
    doors.push(
      apiDoor(apiRoutes(parts), { authenticate, log: options.log, info, ...publicOrigin }),
    );
  }
  if (config.only.includes('console')) {
    doors.push(...consoleDoors(await openConsole({ folders: options.consoleFolders })));
  }
  return doors;
}

/** Every route of the product API. */
export function apiRoutes(
  parts: Pick<
    DoorParts,
    | 'access'
    | 'gateway'
    | 'record'
    | 'exceptions'
    | 'streams'
    | 'rollouts'
    | 'impact'
    | 'nodes'
    | 'overview'
    | 'clock'
    | 'registry'
  >,
): readonly ApiRoute[] {
  return [
    ...overviewRoutes(parts.overview),
    ...recordRoutes(parts.record, dossierGuard(parts)),
    ...exceptionRoutes(parts.exceptions, (ids) => parts.record.usesOfExceptions(ids), parts.clock),
    ...streamRoutes(parts.streams),
    ...rolloutRoutes(parts.rollouts),
    ...impactRoutes(parts.impact),
    ...nodeRoutes(parts.nodes),
    ...(parts.gateway === null
      ? []
      : gatewayApiRoutes(parts.gateway, lastDecisionOf(parts.record))),
    ...accessRoutes(parts.access, parts.clock),
  ];
}
