import { isIP } from 'node:net';
import type { ServerConfig } from './config.ts';

/** The hosts by which a configuration says that its server goes. Lower case, without ports. */
export interface ServerNames {
  /** For `listen`: a Host header without TLS may have these, addresses and `localhost`. */
  readonly hosts: ReadonlySet<string>;
  /** For the local CA: the names, and the addresses that are one machine's. */
  readonly certificate: readonly string[];
}

/** The hosts of the origin, the local store and the listeners. */
export function serverNames({ origin, gateway, listen }: ServerConfig): ServerNames {
  const urls = [
    ...(origin === null ? [] : [origin]),
    ...(gateway.name === null ? [] : [`https://${gateway.name}`]),
    ...listen.map(({ url }) => url),
  ];
  const all = urls.map((url) => new URL(url).hostname.replace(/^\[|\]$/g, ''));
  const names = [...new Set(all)];
  return {
    hosts: new Set(names.filter((name) => isIP(name) === 0)),
    // An address that stands for all of them names none.
    certificate: names.filter((name) => name !== '0.0.0.0' && name !== '::'),
  };
}
