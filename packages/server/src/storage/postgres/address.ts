import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { isLoopbackHost } from '@bulla/trust/oci/loopback';

/** Where a database is, in the words of the driver. */
export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly ssl: false | ConnectionOptions;
  /** The address as it may stand in messages: without the password. */
  readonly shown: string;
}

const PORT = 5432;
const PARAMETERS: ReadonlySet<string> = new Set([
  'host',
  'port',
  'user',
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
]);

/**
 * Reads `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?…` (`postgres:` as well). Without a host,
 * `?host=/folder` names the folder of a Unix socket, and `user` and `port` may stand beside it.
 *
 * TLS: a host that is not of this machine is reached by TLS only, and its certificate is always
 * checked, also against its name: `sslmode` `require`, `verify-ca` and `verify-full` mean the same.
 * `sslmode=disable` is for who knows that the way is safe; `allow`, `prefer` and `no-verify`, which
 * an attacker on the way can turn into it, are refused. `sslrootcert` names a file of authorities
 * (default: Node's), `sslcert` and `sslkey` those of a client. Throws `storage.address-invalid`.
 */
export async function readAddress(url: string): Promise<PostgresAddress> {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    // Not quoted: what is no URL may hold a password anywhere.
    throw invalid('expected postgresql://USER@HOST:PORT/DATABASE');
  }
  const given = parsed.searchParams;
  const foreign = [...given.keys()].find((name) => !PARAMETERS.has(name));
  if (foreign !== undefined) throw invalid(`unknown parameter ${quote(foreign)}`);
  const database = decoded(parsed.pathname.slice(1));
  if (database === '' || database.includes('/')) throw invalid('expected one database in the path');
  const named = decoded(parsed.hostname).replace(/^\[(.*)\]$/, '$1');
  const host = named === '' ? (given.get('host') ?? '') : named;
  if (host === '') throw invalid('expected a host');
  const user = decoded(parsed.username) || (given.get('user') ?? '');
  if (user === '') throw invalid('expected a user');
  const port = portOf(parsed.port || given.get('port'));
  return {
    host,
    port,
    database,
    user,
    password: decoded(parsed.password),
    ssl: await tlsOf(host, given),
    shown: `${user}@${host}:${port}/${database}`,
  };
}

function portOf(text: string | null): number {
  if (text === null || text === '') return PORT;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw invalid(`expected a port, found ${quote(text)}`);
}

async function tlsOf(host: string, given: URLSearchParams): Promise<false | ConnectionOptions> {
  const here = host.startsWith('/') || isLoopbackHost(host);
  const mode = given.get('sslmode') ?? (here ? 'disable' : 'verify-full');
  switch (mode) {
    case 'disable':
      return false;
    case 'require':
    case 'verify-ca':
    case 'verify-full': {
      const [ca, cert, key] = await Promise.all([
        fileOf(given, 'sslrootcert'),
        fileOf(given, 'sslcert'),
        fileOf(given, 'sslkey'),
      ]);
      return {
        rejectUnauthorized: true,
        // RFC 6066 §3: a server name is never an address.
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(ca === null ? {} : { ca }),
        ...(cert === null ? {} : { cert }),
        ...(key === null ? {} : { key }),
      };
    }
    default:
      throw invalid(`expected sslmode verify-full or disable, found ${quote(mode)}`);
  }
}

async function fileOf(given: URLSearchParams, name: string): Promise<string | null> {
  const path = given.get(name);
  if (path === null) return null;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`${name}: ${quote(reason)}`, cause);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('a percent sign stands alone');
  }
}

function invalid(what: string, cause?: unknown): TrustFault {
  const message = `the address of the database: ${what}`;
  return new TrustFault('storage.address-invalid', message, undefined, { cause });
}
