import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { quote, TrustFault } from '../../fault/fault.ts';
import { checkLiteral, type HostNames, publicLookup } from './address.ts';
import type { RegistryOptions } from './options.ts';

/** Starts a request to `url`; connections are kept alive and shared. */
export type Transport = (
  url: URL,
  options: RequestOptions,
  onAnswer: (answer: IncomingMessage) => void,
) => Promise<ClientRequest>;

const CONNECTIONS = 16;

/**
 * The way to `http:` and `https:` URLs with the TLS files of the options. Each protocol's module is
 * loaded when it is first needed: TLS costs more start-up time than all the rest of a verification.
 * Hosts that `isNamed` does not know are reached at public addresses only (`registry.address`).
 */
export function createTransport(options: RegistryOptions, isNamed: HostNames): Transport {
  let plain: { http: typeof import('node:http'); agent: Agent } | undefined;
  let secure: ReturnType<typeof openSecure> | undefined;
  return async (url, given, onAnswer) => {
    const request = isNamed(url.hostname) ? given : guarded(url, given);
    if (url.protocol === 'http:') {
      plain ??= openPlain();
      const { http, agent } = plain;
      return http.request(url, { ...request, agent }, onAnswer);
    }
    secure ??= openSecure(options);
    const { https, agent } = await secure;
    return https.request(url, { ...request, agent }, onAnswer);
  };
}

function guarded(url: URL, request: RequestOptions): RequestOptions {
  checkLiteral(url.hostname);
  return { ...request, lookup: publicLookup };
}

// Not by import(): a module namespace of node:http reads its lazy exports (WebSocket), which loads a
// second HTTP client and doubles the start-up time of the process.
function openPlain(): { http: typeof import('node:http'); agent: Agent } {
  const http = process.getBuiltinModule('node:http');
  return { http, agent: new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS }) };
}

async function openSecure(
  options: RegistryOptions,
): Promise<{ https: typeof import('node:https'); agent: import('node:https').Agent }> {
  const https = process.getBuiltinModule('node:https');
  const tls = await readTlsFiles(options);
  return {
    https,
    agent: new https.Agent({
      keepAlive: true,
      maxSockets: CONNECTIONS,
      minVersion: 'TLSv1.2',
      ...tls,
    }),
  };
}

async function readTlsFiles(
  options: RegistryOptions,
): Promise<{ ca?: string[]; cert?: Buffer; key?: Buffer }> {
  const { caFile, certFile, keyFile } = options;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new TrustFault('usage.invalid', 'a client certificate and its key are given together');
  }
  const found: { ca?: string[]; cert?: Buffer; key?: Buffer } = {};
  if (caFile !== undefined) {
    const { getCACertificates } = process.getBuiltinModule('node:tls');
    found.ca = [...getCACertificates('default'), (await readNamed(caFile)).toString('utf8')];
  }
  if (certFile !== undefined && keyFile !== undefined) {
    found.cert = await readNamed(certFile);
    found.key = await readNamed(keyFile);
  }
  return found;
}

async function readNamed(path: string): Promise<Buffer> {
  const { readFile } = await import('node:fs/promises');
  try {
    return await readFile(path);
  } catch (cause) {
    throw new TrustFault('usage.file', `cannot read ${quote(path)}`, undefined, { cause });
  }
}
