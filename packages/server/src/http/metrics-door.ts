import { TrustFault } from '@bulla/trust/fault/fault';
import { isLoopbackAddress } from '@bulla/trust/oci/loopback';
import type { Authenticate } from './api/route.ts';
import type { Door, HttpRequest } from './exchange.ts';
import type { Metrics } from './metrics.ts';
import { plainRefusal } from './reply.ts';
import { isSecret } from './secret.ts';

/** Who may read metrics beside this machine itself. */
export interface MetricsReaders {
  /** Callers with the permission `metrics.read`. */
  readonly authenticate?: Authenticate;
  /** A scraper's own bearer token, from the environment. */
  readonly token?: string;
}

/**
 * `GET /metrics` in Prometheus' format, for loopback, the token, or a caller with `metrics.read`.
 * A request that a proxy on this machine passed on counts as a remote one.
 */
export function metricsDoor(metrics: Metrics, readers: MetricsReaders = {}): Door {
  return {
    prefix: '/metrics',
    headers: { 'cache-control': 'no-store' },
    async handle(request) {
      if (request.segments.length > 0) throw new TrustFault('http.not-found', 'expected /metrics');
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        throw new TrustFault('http.method-unsupported', 'expected GET');
      }
      await requireReader(request, readers);
      const { contentType, text } = await metrics.render();
      return { status: 200, headers: { 'content-type': contentType }, body: text };
    },
    refuse: plainRefusal,
  };
}

const BEARER = /^Bearer (\S{1,512})$/i;

async function requireReader(
  request: HttpRequest,
  { authenticate, token }: MetricsReaders,
): Promise<void> {
  const given = BEARER.exec(request.header('authorization') ?? '')?.[1];
  if (given === undefined && isLocal(request)) return;
  if (given !== undefined && token !== undefined && isSecret(given, token)) return;
  const principal = await authenticate?.(request);
  if (principal?.permissions.has('metrics.read') === true) return;
  if (principal === undefined || principal.kind === 'anonymous') {
    throw new TrustFault('access.unauthenticated', 'metrics need a token');
  }
  throw new TrustFault('access.denied', 'metrics need the permission metrics.read');
}

function isLocal(request: HttpRequest): boolean {
  const passedOn = ['forwarded', 'x-forwarded-for', 'x-real-ip'].some(
    (name) => request.header(name) !== undefined,
  );
  return isLoopbackAddress(request.remoteAddress) && !passedOn;
}
