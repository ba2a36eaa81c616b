import { quote } from '@bulla/trust/fault/fault';
import { parseReference } from '@bulla/trust/oci/reference';
import type { GatekeeperSection, ServerConfig } from '../config/config.ts';
import { GATEKEEPER_CONFIG } from '../gatekeeper/config.ts';
import { gatekeeperDoor } from '../gatekeeper/routes.ts';
import { createGatekeeper } from '../gatekeeper/service.ts';
import { HTTP_LIMITS } from '../http/limits.ts';
import type { Log } from '../http/log.ts';
import { type HttpServer, listen, type ServerOptions } from '../http/server.ts';
import type { AskAboutImage } from '../reach/question.ts';
import type { Clocks } from './clocks.ts';

/** What the provider of external data is put together from. */
export interface GatekeeperPlace extends Clocks {
  readonly ask: AskAboutImage;
  /** The canonical host of the gateway, through which nodes pull; null: it is switched off. */
  readonly registry: string | null;
  readonly limits: Pick<ServerConfig['limits'], 'connections' | 'drainMs'>;
  readonly log: Log;
  /** Requests and certificates are told of as those of the other listeners. */
  readonly telling: Pick<ServerOptions, 'observe' | 'onTls'>;
}

/** A request has to be whole by then: Gatekeeper waits no longer for its answer. */
const REQUEST_MS = 5000;

/**
 * Listens for Gatekeeper. Whoever connects has its certificate, so that it is one caller: nothing is
 * counted but connections. Throws `http.listen`, `http.tls-invalid`.
 */
export function openGatekeeper(
  section: GatekeeperSection,
  { ask, registry, limits, log, telling, clock, now }: GatekeeperPlace,
): Promise<HttpServer> {
  const { listen: url, certificate, key, clientCa, reference, deadlineMs } = section;
  const gatekeeper = createGatekeeper({
    config: { ...GATEKEEPER_CONFIG, pin: reference, deadlineMs },
    ask,
    throughGateway: (image) => registry !== null && registryOf(image) === registry,
    failed: (fault, key) =>
      log.warn('an image of Gatekeeper was not decided', { image: quote(key), fault }),
  });
  const tls = {
    certificate,
    key,
    clientCa,
    clientAuth: 'required',
    minVersion: 'TLSv1.3',
  } as const;
  const bounds = {
    ...HTTP_LIMITS,
    ...limits,
    // Before its handshake anybody holds a connection: not all of them from one address.
    callerConnections: Math.ceil(limits.connections / 2),
    headersMs: REQUEST_MS,
    requestMs: REQUEST_MS,
    rate: null,
  };
  return listen([gatekeeperDoor(gatekeeper)], [{ url, tls }], bounds, {
    ...telling,
    clock,
    nowMs: now,
  });
}

function registryOf(image: string): string | null {
  try {
    const reference = parseReference(image);
    return reference.kind === 'registry' ? reference.registry : null;
  } catch {
    return null;
  }
}
