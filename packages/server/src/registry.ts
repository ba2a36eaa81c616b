import { every } from './bounds/every.ts';
import { GATEWAY_CONFIG, type GatewayConfig } from './gateway/config.ts';
import { type GatewayPorts, OPEN_PORTS } from './gateway/ports.ts';
import { gatewayDoor } from './gateway/routes.ts';
import { createGateway, type Gateway } from './gateway/service.ts';
import { HTTP_LIMITS, type HttpLimits } from './http/limits.ts';
import { type HttpServer, type ListenOptions, listen } from './http/server.ts';
import { openFiles } from './storage/files/open.ts';
import { openMemory } from './storage/memory/open.ts';
import type { Store } from './storage/store.ts';

/** Where a registry keeps its data. */
export type RegistryStorage =
  | { readonly storage: 'memory' }
  | { readonly storage: 'files'; readonly folder: string }
  | { readonly storage: 'opened'; readonly store: Store };

/** How a registry is started. */
export interface RegistryOptions extends ListenOptions {
  /** Whether the referrers API answers. Default true. */
  readonly referrers?: boolean;
  readonly config?: Partial<GatewayConfig>;
  /** Access, verification and memory. Default `OPEN_PORTS`: this is a plain registry. */
  readonly ports?: GatewayPorts;
  readonly limits?: Partial<HttpLimits>;
  readonly clock?: () => Date;
}

/** A running registry. Disposing it is `close`. */
export interface Registry extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT`, as it stands in image references. */
  readonly host: string;
  readonly port: number;
  /** Collects garbage and sweeps now, as it is done each hour; throws what either throws. */
  upkeep(): Promise<void>;
  /** Ends requests under way, then closes the store. */
  close(): Promise<void>;
}

const SWEEP_EVERY_MS = 3600_000;

/**
 * Starts an OCI registry (distribution-spec 1.1) on the given storage, on loopback and a free port
 * unless told otherwise. Without `ports` it has no access control: whoever reaches the port may push
 * and delete. Throws `http.listen`, `storage.locked`, `storage.folder-unsuitable`.
 *
 * @example
 * await using registry = await startRegistry({ storage: 'memory' });
 * const image = `${registry.host}/app:latest`;
 */
export async function startRegistry(
  storage: RegistryStorage,
  options: RegistryOptions = {},
): Promise<Registry> {
  const { referrers = true, clock = () => new Date(), ports = OPEN_PORTS } = options;
  const store = await openStore(storage);
  try {
    const config = { ...GATEWAY_CONFIG, referrers, ...options.config };
    const { objects, registers } = store;
    const gateway = createGateway({ objects, registers, config, ports, clock });
    const limits = { ...HTTP_LIMITS, ...options.limits };
    const server = await listen([gatewayDoor(gateway)], options, limits);
    return running(server, store, gateway);
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

async function openStore(storage: RegistryStorage): Promise<Store> {
  switch (storage.storage) {
    case 'memory':
      return openMemory();
    case 'files':
      return openFiles(storage.folder);
    case 'opened':
      return storage.store;
    default:
      return storage satisfies never;
  }
}

function running(server: HttpServer, store: Store, gateway: Gateway): Registry {
  const upkeep = async (): Promise<void> => {
    await gateway.collect();
    await gateway.sweep();
  };
  // A sweep that fails leaves its work to the next one.
  const sweeping = every({ everyMs: SWEEP_EVERY_MS }, upkeep, () => undefined);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      await server.close();
      await sweeping[Symbol.asyncDispose]();
      await gateway.close();
      await store[Symbol.asyncDispose]();
    })();
    return closing;
  };
  const bracketed = server.host.includes(':') ? `[${server.host}]` : server.host;
  const host = `${bracketed}:${server.port}`;
  return {
    url: `http://${host}`,
    host,
    port: server.port,
    upkeep,
    close,
    [Symbol.asyncDispose]: close,
  };
}
