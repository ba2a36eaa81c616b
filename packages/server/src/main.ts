import { readFile } from 'node:fs/promises';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { FirstStart } from './access/first-start.ts';
import { SERVICES, type ServerConfig, type Service } from './config/config.ts';
import { openEpochs } from './decision/epochs.ts';
import type { InForce, PoliciesInForce } from './decision/policies.ts';
import { API_PREFIX } from './http/api/door.ts';
import type { DirectServer } from './http/direct.ts';
import type { Door } from './http/exchange.ts';
import { HTTP_LIMITS, type HttpLimits } from './http/limits.ts';
import { type Log, logRequests } from './http/log.ts';
import { createMetrics, type Metrics, measureRequests } from './http/metrics.ts';
import type { ReadyCheck } from './http/probes.ts';
import { type ServerOptions as HttpOptions, type HttpServer, listen } from './http/server.ts';
import { startTelemetry } from './http/telemetry.ts';
import type { TlsReport } from './http/tls/reload.ts';
import type { OverviewParts } from './overview/service.ts';
import type { ServerStore } from './storage/store.ts';
import { openStore } from './store.ts';
import { wireAccess } from './wiring/access.ts';
import { openAdmission } from './wiring/admission.ts';
import { keepWebhookCertificates, watchCertificates } from './wiring/certificates.ts';
import { type Clocks, SYSTEM_CLOCKS } from './wiring/clocks.ts';
import { dayCounts } from './wiring/day-counts.ts';
import { wireDecisions } from './wiring/decisions.ts';
import { wireDoors } from './wiring/doors.ts';
import { wireExceptions } from './wiring/exceptions.ts';
import { openGatekeeper } from './wiring/gatekeeper.ts';
import { wireGateway } from './wiring/gateway.ts';
import { wireHooks } from './wiring/hooks.ts';
import { wireImpact } from './wiring/impact.ts';
import { type WiredCluster, wireKubernetes } from './wiring/kubernetes.ts';
import { wireListeners } from './wiring/listeners.ts';
import { wireNodes } from './wiring/nodes.ts';
import { watchPolicies } from './wiring/policies.ts';
import { wireReach } from './wiring/reach.ts';
import { wireRecord } from './wiring/record.ts';
import { wireCutOvers, wireRollouts } from './wiring/rollouts.ts';
import { storeConfig } from './wiring/store-config.ts';
import { wireStreams } from './wiring/streams.ts';
import { startUpkeep } from './wiring/upkeep.ts';

/** What a server takes beside its configuration. */
export interface ServerOptions {
  readonly version: string;
  readonly log: Log;
  readonly clocks?: Clocks;
  /** Folders in which the console's files may lie. */
  readonly consoleFolders: readonly string[];
  /** The name of the policy that the first start wrote; null where none was. */
  readonly starterPolicy: string | null;
}

/** A running server. Disposing it is `close`. */
export interface Server extends AsyncDisposable {
  /** `http://127.0.0.1:5000`, … */
  readonly addresses: readonly string[];
  /** Where API servers call; null where none do. */
  readonly admission: string | null;
  /** Where Gatekeeper calls; null where it does not. */
  readonly gatekeeper: string | null;
  /** What clients must trust; null where no certificate of a local authority is served. */
  readonly caFile: string | null;
  /** The canonical host of the local store. */
  readonly registry: string;
  /** To be printed once; null unless the database was empty. */
  readonly firstStart: FirstStart | null;
  policies(): InForce;
  /** Reads policies and certificates again. */
  reload(): Promise<void>;
  /** Takes no new request, ends those under way, writes what waits, and closes the store. */
  close(): Promise<void>;
}

/**
 * Starts everything that the configuration names. What was opened is closed again when anything
 * fails. Policies that cannot be read do not fail it: then everything is refused, and the server is
 * not ready (semantics 4). Throws `http.listen`, `storage.*`, `http.tls-invalid`, `config.*`,
 * `upstream.config-invalid`.
 */
export async function startServer(config: ServerConfig, options: ServerOptions): Promise<Server> {
  await using opened = new AsyncDisposableStack();
  const rooms = await openRooms(config, options, opened);
  const { access, inForce, listeners, registry } = rooms;
  const caFile = listeners.localCa?.caFile ?? null;
  const caCertificate = caFile === null ? null : await readFile(caFile, 'utf8');
  let http: HttpServer | null = null;
  const addresses = () => http?.addresses.map(({ url }) => url) ?? [];
  const overview: OverviewParts = {
    version: options.version,
    startedAt: rooms.startedAt,
    origin: () => config.origin,
    addresses,
    caCertificate: () => caCertificate,
    services: SERVICES.map((name) => ({
      name,
      state: isRunning(config, name) ? 'running' : 'off',
    })),
    storage: rooms.storage,
    inForce: () => inForce.current(),
    texts: () => rooms.policyTexts(),
    fileModes: rooms.fileModes,
    starterPolicy: options.starterPolicy,
    checks: rooms.checks,
    counts: rooms.counts,
    glass: () => rooms.exceptions.counts(),
    anonymousPull: config.gateway.anonymousPull,
  };
  const doors = await wireDoors({ ...rooms, config, options, overview });
  const told = { ...rooms, telling: tellingOf(options.log, rooms.metrics) };
  http = opened.use(await listenFor(config, options, told, doors, opened));
  const admission = await admissionFor(config, options, rooms);
  if (admission !== null) opened.use(admission);
  const gatekeeper = await gatekeeperFor(config, options, told);
  if (gatekeeper !== null) opened.use(gatekeeper);
  const certificates = () =>
    [http, admission, gatekeeper].flatMap((one) => one?.certificates() ?? []);
  opened.use(watchCertificates({ certificates }, rooms.metrics, rooms.clock, options.log));
  const firstStart = await access.firstStart();
  const life = opened.move();
  const close = () => life.disposeAsync();
  return {
    addresses: addresses(),
    admission: admission?.url ?? null,
    gatekeeper: gatekeeper?.addresses[0]?.url ?? null,
    caFile,
    registry,
    firstStart,
    policies: () => inForce.current(),
    async reload() {
      const ports = [http, admission, gatekeeper];
      await Promise.all([inForce.reload(), ...ports.map((port) => port?.reload())]);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Rooms = Awaited<ReturnType<typeof openRooms>>;

/** Everything below HTTP, each put on `opened` when it is there: what is opened last is closed first. */
async function openRooms(
  config: ServerConfig,
  { log, version, clocks = SYSTEM_CLOCKS }: ServerOptions,
  opened: AsyncDisposableStack,
) {
  const startedAt = clocks.clock();
  const metrics = createMetrics();
  const cluster = await wireCluster(config, metrics, clocks, log, opened);
  const listeners = await wireListeners(config, startedAt);
  const { registry } = listeners;
  const wiredStore = storeConfig(config);
  const store = opened.use(await openStore(wiredStore.config, clocks));
  const record = await wireRecord(config, wiredStore.keyFolder, registry, store, metrics, clocks);
  opened.defer(() => record.close());
  const about = { version, log };
  const streams = opened.use(await wireStreams(config, store, record, about, metrics, clocks));
  const cutOvers = wireCutOvers(store.registers, record, clocks.clock);
  const { inForce, texts } = opened.use(
    await watchPolicies(config, log, clocks.clock, cluster?.policies ?? null, cutOvers),
  );
  const epochs = openEpochs(store.registers, clocks.now);
  const ground = { store, record, epochs, inForce, metrics, log, clocks };
  const { exceptions } = opened.use(await wireExceptions(ground));
  const given = { epochs, exceptions: exceptions.given };
  const wired = wireDecisions(config, store.registers, inForce, record, given, clocks, log);
  const { decisions } = opened.use(wired);
  const access = wireAccess(config, store, clocks);
  const gateway = config.only.includes('gateway')
    ? wireGateway({ config, registry, store, access, decisions, keep: record.keep, clocks })
    : null;
  if (gateway !== null) opened.defer(() => gateway.close());
  const reach = wireReach({ config, store, gateway, decisions, inForce, clocks });
  const renew = () => listeners.renew(clocks.clock());
  opened.use(startUpkeep({ gateway, access, tables: store.tables, renew, log }));
  return {
    startedAt,
    listeners,
    registry,
    metrics,
    record,
    exceptions,
    streams,
    inForce,
    access,
    gateway,
    askAboutImage: reach.ask,
    askAgain: reach.again,
    hooks: opened.use(wireHooks({ config, reach, decisions, metrics, log })),
    nodes: wireNodes({ ask: reach.ask, epochs, inForce, record }),
    impact: opened.use(wireImpact(store.tables, record, inForce, clocks, config.admission)).impact,
    rollouts: wireRollouts(cutOvers, record, inForce, clocks.clock),
    fileModes: cutOvers.fileModes,
    storage: wiredStore.says,
    policyTexts: texts,
    cluster,
    checks: [...readyChecks(store, inForce), ...(cluster?.checks ?? [])],
    counts: () => dayCounts(store.tables, clocks.clock()),
    ...clocks,
  };
}

/** The cluster, if one is configured, and the webhook's certificates before anything serves them. */
async function wireCluster(
  config: ServerConfig,
  metrics: Metrics,
  clocks: Clocks,
  log: Log,
  opened: AsyncDisposableStack,
): Promise<WiredCluster | null> {
  const cluster = await wireKubernetes(config, { clocks, log });
  if (cluster === null) return null;
  opened.use(cluster);
  const section = config.kubernetes?.certificates ?? null;
  if (section === null) return cluster;
  const { api } = cluster;
  opened.use(await keepWebhookCertificates({ api, section, metrics, clocks, log }));
  return cluster;
}

async function listenFor(
  config: ServerConfig,
  { log, version }: ServerOptions,
  rooms: ToldRooms,
  doors: readonly Door[],
  opened: AsyncDisposableStack,
): Promise<HttpServer> {
  const telemetry =
    config.telemetry === null
      ? null
      : opened.use(await startTelemetry({ ...config.telemetry, version, log }));
  return listen(doors, rooms.listeners.listeners, limitsOf(config), {
    hosts: hostsOf(config, rooms.registry),
    callerOf: (request, prefix) => rooms.access.callerOf(request, prefix === API_PREFIX),
    ...rooms.telling,
    ...(telemetry === null ? {} : { trace: telemetry.trace }),
    clock: rooms.clock,
    nowMs: rooms.now,
  });
}

/** What the listeners of a server tell of requests and certificates; made once, as metrics are. */
interface ToldRooms extends Rooms {
  readonly telling: Required<Pick<HttpOptions, 'observe' | 'onTls'>>;
}

function tellingOf(log: Log, metrics: Metrics): ToldRooms['telling'] {
  return { observe: [logRequests(log), measureRequests(metrics)], onTls: tellTls(log) };
}

function tellTls(log: Log) {
  return ({ listener, fault }: TlsReport): void => {
    if (fault === null) log.info('certificate replaced', { listener });
    else log.error('a certificate cannot be used; the one before stays', { listener, fault });
  };
}

function isRunning({ only, admission }: ServerConfig, name: Service): boolean {
  return only.includes(name) && (name !== 'admission' || admission !== null);
}

/** The port for API servers; null where the configuration has none, or runs other services alone. */
async function admissionFor(
  config: ServerConfig,
  { log }: ServerOptions,
  { askAboutImage, askAgain, cluster, record, checks, metrics, clock, now }: Rooms,
): Promise<DirectServer | null> {
  const { admission, aliases, limits } = config;
  if (admission === null || !isRunning(config, 'admission')) return null;
  const pullSecretsOf = cluster?.pullSecretsOf ?? null;
  const { connections, drainMs } = limits;
  const server = await openAdmission(admission, {
    ask: askAboutImage,
    again: askAgain,
    pullSecretsOf,
    keep: record.keep,
    aliases,
    checks,
    limits: { connections, drainMs },
    metrics,
    log,
    onTls: tellTls(log),
    clock,
    now,
  });
  log.info('admission listens', { url: server.url });
  return server;
}

/** The port for Gatekeeper; null where the configuration has none, or runs other services alone. */
async function gatekeeperFor(
  { gatekeeper, only, limits }: ServerConfig,
  { log }: ServerOptions,
  { askAboutImage, registry, telling, clock, now }: ToldRooms,
): Promise<HttpServer | null> {
  if (gatekeeper === null || !only.includes('admission')) return null;
  const server = await openGatekeeper(gatekeeper, {
    ask: askAboutImage,
    registry: only.includes('gateway') ? registry : null,
    limits: { connections: limits.connections, drainMs: limits.drainMs },
    log,
    telling,
    clock,
    now,
  });
  log.info('the provider for Gatekeeper listens', { url: server.addresses[0]?.url });
  return server;
}

function limitsOf({ limits }: ServerConfig): HttpLimits {
  const { requestsPerSecond, burst, connections, connectionsPerCaller, headerBytes, drainMs } =
    limits;
  return {
    ...HTTP_LIMITS,
    headerBytes,
    connections,
    callerConnections: connectionsPerCaller,
    drainMs,
    rate: { perSecond: requestsPerSecond, burst },
  };
}

/** Names by which the server may be called: another would let a foreign page reach loopback. */
function hostsOf({ origin, listen }: ServerConfig, registry: string): ReadonlySet<string> {
  const urls = [...listen.map(({ url }) => url), ...(origin === null ? [] : [origin])];
  return new Set([...urls.map((url) => new URL(url).hostname), registry.replace(/:\d+$/, '')]);
}

function readyChecks(store: ServerStore, inForce: PoliciesInForce): readonly ReadyCheck[] {
  return [
    {
      name: 'tables',
      async check() {
        await store.tables.db.selectFrom('users').select('id').limit(1).execute();
      },
    },
    {
      name: 'policies',
      async check() {
        const { set, problem } = inForce.current();
        if (set === null) throw problem ?? new TrustFault('policy.unreadable', 'none is in force');
      },
    },
  ];
}
