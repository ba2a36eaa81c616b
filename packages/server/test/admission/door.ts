import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdmissionSection } from '@bulla/server/config/config';
import { createLog, type LineSink } from '@bulla/server/http/log';
import { createMetrics } from '@bulla/server/http/metrics';
import type { ReadyCheck } from '@bulla/server/http/probes';
import { openAdmission } from '@bulla/server/wiring/admission';
import { mint, pemFolder } from '../http/tls/mint.ts';
import { type ApiServer, apiServer, type WebhookShape } from './api-server.ts';
import type { World } from './world.ts';

const SERVICE = 'bulla.trust.svc';

/** The webhook's port over a world of images, and an API server that calls it. */
export interface OpenDoor extends AsyncDisposable {
  readonly port: number;
  readonly api: ApiServer;
  readonly lines: string[];
  /** Another API server on the same port. */
  caller(shape?: Partial<WebhookShape>): ApiServer;
  /** Replaces the certificate by one of the same authority that lasts so many days. */
  renew(days?: readonly [number, number]): Promise<void>;
  metrics(): Promise<string>;
}

export interface DoorShape {
  readonly section?: Partial<AdmissionSection>;
  readonly checks?: readonly ReadyCheck[];
  /** The authority of API servers, whose certificates are then required. */
  readonly clientCa?: string;
  readonly timeoutSeconds?: number;
}

/** Opens the port as the server does, with the world's answers. */
export async function openDoor(world: World, shape: DoorShape = {}): Promise<OpenDoor> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await pemFolder());
  const authority = mint('webhook authority');
  const leaf = (days?: readonly [number, number]) =>
    mint('webhook', {
      by: authority,
      purpose: 'server',
      names: [SERVICE],
      ...(days === undefined ? {} : { days }),
    });
  const first = leaf();
  const lines: string[] = [];
  const sink: LineSink = { write: (line) => void lines.push(line) };
  const metrics = createMetrics();
  const { config } = world.parts;
  const server = opened.use(
    await openAdmission(
      {
        listen: 'https://127.0.0.1:0',
        certificate: await folder.write('tls.crt', first.certificate),
        key: await folder.write('tls.key', first.key),
        clientCa:
          shape.clientCa === undefined ? null : await folder.write('ca.crt', shape.clientCa),
        cluster: 'test',
        pin: config.pin,
        nodesPullThrough: config.nodesPullThrough,
        namespaces: null,
        exempt: [],
        kinds: [],
        marginMs: config.marginMs,
        maxBodyBytes: config.maxBodyBytes,
        denials: config.denials,
        ...shape.section,
      },
      {
        ask: world.parts.ask,
        again: world.parts.again,
        pullSecretsOf: world.parts.pullSecretsOf,
        keep: world.parts.keep,
        aliases: [],
        checks: shape.checks ?? [],
        limits: { connections: 100, drainMs: 5000 },
        metrics,
        log: createLog('info', sink),
        onTls: ({ outcome, fault }) => lines.push(`certificate ${outcome} ${fault?.code ?? ''}`),
        clock: () => new Date(),
        now: () => performance.now(),
      },
    ),
  );
  const life = opened.move();
  const caller: OpenDoor['caller'] = (more = {}) => {
    const { timeoutSeconds = 10 } = shape;
    const caBundle = authority.certificate;
    const api = apiServer({ port: server.port, caBundle, timeoutSeconds, ...more });
    life.defer(() => api.close());
    return api;
  };
  return {
    port: server.port,
    api: caller(),
    lines,
    caller,
    async renew(days) {
      const next = leaf(days);
      await writeFile(join(folder.path, 'tls.key'), next.key);
      await writeFile(join(folder.path, 'tls.crt'), next.certificate);
      await server.reload();
    },
    metrics: async () => (await metrics.render()).text,
    [Symbol.asyncDispose]: () => life.disposeAsync(),
  };
}
