import { randomBytes } from 'node:crypto';
import { newDecisionId } from '@bulla/trust/decide/decision-id';
import { asFault } from '@bulla/trust/fault/fault';
import { parseFieldPath } from '@bulla/trust/images/field-path';
import { type NameAlias, nameReader } from '@bulla/trust/policy/names';
import type { Pattern } from '@bulla/trust/policy/pattern';
import { ADMISSION_CONFIG, type AdmissionConfig } from '../admission/config.ts';
import { admissionMetrics } from '../admission/metrics.ts';
import type { PullSecretsOf } from '../admission/question.ts';
import { admissionHandler } from '../admission/routes.ts';
import { createAdmission } from '../admission/service.ts';
import type { AdmissionSection, ServerConfig } from '../config/config.ts';
import type { KeepDecision } from '../decision/made.ts';
import { type DirectOptions, type DirectServer, listenDirect } from '../http/direct.ts';
import { HTTP_LIMITS } from '../http/limits.ts';
import type { Log } from '../http/log.ts';
import type { Metrics } from '../http/metrics.ts';
import { healthDoor, type ReadyCheck, readyDoor } from '../http/probes.ts';
import { clientCertificateOf } from '../http/tls/client-certificate.ts';
import type { AskAboutImage, AskAgain } from '../reach/question.ts';
import type { Clocks } from './clocks.ts';

/** What the webhook's port is put together from. */
export interface AdmissionPlace extends Clocks {
  readonly ask: AskAboutImage;
  readonly again: AskAgain;
  /** Null: the server reads nothing of a cluster. */
  readonly pullSecretsOf: PullSecretsOf | null;
  readonly keep: KeepDecision;
  readonly aliases: readonly NameAlias[];
  readonly checks: readonly ReadyCheck[];
  readonly limits: Pick<ServerConfig['limits'], 'connections' | 'drainMs'>;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Certificates are told of as those of the other listeners. */
  readonly onTls: DirectOptions['onTls'];
}

/** The API server gives up after 30 s: no request takes longer to come. */
const REQUEST_MS = 30_000;
/** Longer than an API server keeps a connection (90 s): it must not send on one that is closing. */
const KEPT_MS = 180_000;

/** Listens for API servers. Throws `http.listen`, `http.tls-invalid`. */
export function openAdmission(
  section: AdmissionSection,
  place: AdmissionPlace,
): Promise<DirectServer> {
  const { log, clock, now, limits } = place;
  const { certificate, key, clientCa } = section;
  const config = configOf(section);
  const service = createAdmission({
    config,
    ask: place.ask,
    again: place.again,
    pullSecretsOf: place.pullSecretsOf,
    keep: place.keep,
    newId: (at) => newDecisionId(at, randomBytes(10)),
    clock,
    canonicalName: canonicalNamer(place.aliases),
    unrecorded: (fault) => log.error('what passed undecided went out unrecorded', { fault }),
    defect: (fault) => log.error('an image of a review was not decided', { fault }),
  });
  const handle = admissionHandler({
    service,
    config,
    probes: [healthDoor(), readyDoor(place.checks)],
    callerOf: clientCa === null ? null : clientCertificateOf,
    metrics: admissionMetrics(place.metrics),
    failed: (fault) => log.error('a review was not answered', { fault }),
    now,
  });
  const tls = {
    certificate,
    key,
    // Kubelets, which probe this port, have no certificate to show: the door asks for it, and not the port.
    ...(clientCa === null ? {} : { clientCa, clientAuth: 'optional' as const }),
  };
  const bounds = {
    ...HTTP_LIMITS,
    ...limits,
    // All requests of a cluster come from the few addresses of its API servers; and no Pod that reaches
    // this port may take all of it from them.
    callerConnections: Math.ceil(limits.connections / 2),
    requestMs: REQUEST_MS,
    keepAliveMs: KEPT_MS,
    idleMs: KEPT_MS,
    rate: null,
  };
  return listenDirect({ url: section.listen, tls }, handle, {
    limits: bounds,
    clock,
    onTls: place.onTls,
  });
}

function configOf(section: AdmissionSection): AdmissionConfig {
  const { cluster, pin, nodesPullThrough, marginMs, maxBodyBytes, denials } = section;
  return {
    ...ADMISSION_CONFIG,
    cluster,
    pin,
    nodesPullThrough,
    marginMs,
    maxBodyBytes,
    maxHeldBytes: Math.max(ADMISSION_CONFIG.maxHeldBytes, 4 * maxBodyBytes),
    denials,
    namespaces: section.namespaces?.map(globOf) ?? null,
    exempt: section.exempt.map(({ namespace, images }) => ({
      namespace: globOf(namespace),
      images: images?.map(globOf) ?? null,
    })),
    fields: section.kinds.map(({ group, kind, podTemplates, images }) => ({
      group,
      kind,
      podTemplates: podTemplates.map(parseFieldPath),
      images: images.map(parseFieldPath),
    })),
  };
}

function globOf(glob: string): Pattern {
  return { glob };
}

/** Null for what names nothing: that is refused when it is asked about, and exempted by nothing. */
function canonicalNamer(aliases: readonly NameAlias[]): (reference: string) => string | null {
  const read = nameReader(aliases);
  return (reference) => {
    try {
      return read(reference);
    } catch (error) {
      if (asFault(error).code === 'internal.defect') throw error;
      return null;
    }
  };
}
