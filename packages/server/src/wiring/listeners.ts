import { createServer } from 'node:net';
import { join } from 'node:path';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { ListenConfig, ServerConfig } from '../config/config.ts';
import { type Listener, parseListener } from '../http/listener.ts';
import { ensureLocalCa, type LocalCa } from '../http/tls/local-ca.ts';

/** Where a server listens, and the authority of its own that vouches for it. */
export interface WiredListeners {
  readonly listeners: readonly Listener[];
  /** Null when every `https:` listener has a certificate of somebody else's. */
  readonly localCa: LocalCa | null;
  /** Makes the local certificate anew when it is about to end; listeners take it up by themselves. */
  renew(at: Date): Promise<void>;
  /** The canonical host of the local store: by this name policies know its images (semantics 7). */
  readonly registry: string;
}

/** The listeners of the configuration; those of `https:` without a certificate get a local one. */
export async function wireListeners(
  config: Pick<ServerConfig, 'data' | 'listen' | 'origin' | 'gateway'>,
  at: Date,
): Promise<WiredListeners> {
  const listen = await withPorts(config.listen);
  const needsCa = listen.some(({ url, tls }) => tls === null && url.startsWith('https:'));
  const ensure = (now: Date) =>
    ensureLocalCa({ folder: join(config.data, 'tls'), names: namesOf(listen, config), at: now });
  const localCa = needsCa ? await ensure(at) : null;
  const listeners = listen.map(({ url, tls }): Listener => {
    if (!url.startsWith('https:')) return { url };
    if (tls !== null) {
      const { certificate, key, clientCa, clientAuth } = tls;
      const clients = clientCa === null ? {} : { clientCa, clientAuth };
      return { url, tls: { certificate, key, ...clients } };
    }
    if (localCa === null) throw new TrustFault('http.tls-invalid', `${url} has no certificate`);
    return { url, tls: { certificate: localCa.certificateFile, key: localCa.keyFile } };
  });
  const [first] = listeners;
  if (first === undefined) throw new TrustFault('http.listen', 'expected at least one address');
  return {
    listeners,
    localCa,
    registry: config.gateway.name ?? registryName(first, config.origin),
    async renew(now) {
      if (needsCa) await ensure(now);
    },
  };
}

function registryName(first: Listener, origin: string | null): string {
  return new URL(origin ?? first.url).host;
}

/** Names that the local certificate has to have beside loopback's. */
function namesOf(
  listen: readonly ListenConfig[],
  { origin, gateway }: Pick<ServerConfig, 'origin' | 'gateway'>,
): readonly string[] {
  const urls = [
    ...listen.map(({ url }) => url),
    ...(origin === null ? [] : [origin]),
    ...(gateway.name === null ? [] : [`https://${gateway.name}`]),
  ];
  const hosts = urls.map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ''));
  // Every address is not a name of this one.
  return [...new Set(hosts.filter((host) => host !== '0.0.0.0' && host !== '::'))];
}

/**
 * The port is a part of the registry's name, which has to be known before anything listens: a free
 * port that is asked for is looked for here.
 */
function withPorts(listen: readonly ListenConfig[]): Promise<readonly ListenConfig[]> {
  return Promise.all(
    listen.map(async (entry) => {
      const { host, port } = parseListener({
        url: entry.url,
        ...(entry.url.startsWith('https:') ? { tls: { certificate: '', key: '' } } : {}),
      });
      if (port !== 0) return entry;
      const url = new URL(entry.url);
      url.port = String(await freePort(host));
      return { ...entry, url: url.href.replace(/\/$/, '') };
    }),
  );
}

function freePort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (cause) =>
      reject(new TrustFault('http.listen', `cannot listen on ${host}`, undefined, { cause })),
    );
    probe.listen({ host, port: 0 }, () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
