import { setTimeout as sleep } from 'node:timers/promises';
import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import {
  CERTIFICATE_FILE,
  KEY_FILE,
  type WebhookCertificates,
  webhookCertificates,
} from '../admission-tls/keep.ts';
import { every } from '../bounds/every.ts';
import type { KubernetesCertificates } from '../config/config.ts';
import type { Log } from '../http/log.ts';
import type { Metrics } from '../http/metrics.ts';
import type { HttpServer } from '../http/server.ts';
import { checkTlsFiles, readTlsFiles } from '../http/tls/credentials.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import type { Clocks } from './clocks.ts';

const HOUR_MS = 3600_000;
const DAY_MS = 24 * HOUR_MS;
/** Certificates of one's own, and of cert-manager, are long renewed by then. */
const WARN_DAYS = 14;

/** What the webhook's certificates are kept with. */
export interface WebhookCertificateParts {
  readonly api: KubernetesApi;
  readonly section: KubernetesCertificates;
  readonly metrics: Metrics;
  readonly clocks: Clocks;
  readonly log: Log;
  /** Between attempts at the start. Default 1 s. */
  readonly pauseMs?: number;
}

const ATTEMPTS = 10;

/**
 * Makes sure that the files which a listener names are there before anything listens, and goes on
 * keeping them. While the cluster cannot be reached files of before go on serving; without any the
 * start fails by what the cluster answered.
 */
export async function keepWebhookCertificates(
  parts: WebhookCertificateParts,
): Promise<AsyncDisposable> {
  const { api, section, metrics, clocks, log } = parts;
  if (api.namespace === null) {
    const message = 'kubernetes.certificates needs kubernetes.namespace, which nothing says';
    throw new TrustFault('kubernetes.config-invalid', message);
  }
  const { mutating, validating, providers, checkEveryMs, ...rest } = section;
  const { clock, now: nowMs } = clocks;
  const carriers = { mutating, validating, providers };
  const { namespace } = api;
  const turn = webhookCertificates({ ...rest, api, namespace, carriers, clock, nowMs });
  let last: WebhookCertificates | null = null;
  const look = async () => {
    last = await turn();
  };
  const failed = (error: unknown) =>
    log.error('the certificates of the webhook cannot be kept', { fault: asFault(error) });
  await begin(parts, look, failed);
  metrics.gauge(
    {
      name: 'bulla_webhook_authority_expires_seconds',
      help: 'Until the end of the authority that signs the certificates of the webhook.',
    },
    () => (last === null ? Number.NaN : (last.authorityUntil.getTime() - clock().getTime()) / 1000),
  );
  return every({ everyMs: checkEveryMs }, look, failed);
}

async function begin(
  { section, clocks, pauseMs = 1000 }: WebhookCertificateParts,
  look: () => Promise<void>,
  failed: (error: unknown) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await look();
    } catch (error) {
      failed(error);
      if (await areUsable(section.folder, clocks.clock())) return;
      if (attempt === ATTEMPTS) throw error;
      await sleep(pauseMs);
    }
  }
}

async function areUsable(folder: string, at: Date): Promise<boolean> {
  const files = { certificate: `${folder}/${CERTIFICATE_FILE}`, key: `${folder}/${KEY_FILE}` };
  try {
    checkTlsFiles(await readTlsFiles(files), files, at);
    return true;
  } catch {
    return false;
  }
}

/** How soon after its end a certificate is told of. */
const LOOK_MS = 5000;

/**
 * Whoever made a certificate: shows when the first of those served ends, and says so in time, when it has
 * ended, and once an hour.
 */
export function watchCertificates(
  http: Pick<HttpServer, 'certificates'>,
  metrics: Metrics,
  clock: () => Date,
  log: Log,
  everyMs: number = LOOK_MS,
): AsyncDisposable {
  metrics.gauge(
    {
      name: 'bulla_tls_certificate_expires_seconds',
      help: 'Until the end of the TLS certificate that ends first; below 0 it has ended.',
    },
    () => {
      const ends = http.certificates().map(({ notAfter }) => notAfter.getTime());
      return ends.length === 0 ? Number.NaN : (Math.min(...ends) - clock().getTime()) / 1000;
    },
  );
  const told = new Map<string, { readonly what: string; readonly atMs: number }>();
  const tell = (listener: string, notAfter: Date): void => {
    const atMs = clock().getTime();
    const days = (notAfter.getTime() - atMs) / DAY_MS;
    const fields = { listener, notAfter: notAfter.toISOString() };
    const what = `${days <= 0} ${fields.notAfter}`;
    const last = told.get(listener);
    if (days >= WARN_DAYS || (last?.what === what && atMs - last.atMs < HOUR_MS)) return;
    told.set(listener, { what, atMs });
    if (days <= 0) log.error('a certificate has ended, and is served still', fields);
    else log.warn('a certificate is about to end', fields);
  };
  const look = async () => {
    for (const { listener, notAfter } of http.certificates()) tell(listener, notAfter);
  };
  return every({ everyMs, atOnce: true }, look, (error) =>
    log.warn('the certificates cannot be looked at', { fault: asFault(error) }),
  );
}
