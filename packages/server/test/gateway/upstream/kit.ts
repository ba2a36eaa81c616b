import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UPSTREAM_CONFIG, type UpstreamConfig } from '../../../src/gateway/upstream/config.ts';

/** An upstream of loopback under the prefix `up`. */
export function upstreamAt(host: string, more: Partial<UpstreamConfig> = {}): UpstreamConfig {
  return {
    ...UPSTREAM_CONFIG,
    prefix: 'up',
    registry: host,
    plainHttp: true,
    privateAddresses: true,
    timeoutMs: 1_000,
    ...more,
  };
}

/** A server on loopback that answers as the test says, and what it was asked. */
export interface Liar extends AsyncDisposable {
  readonly host: string;
  readonly asked: string[];
  /** The `authorization` header of each request, '' for none. */
  readonly authorizations: string[];
}

/** Starts a server that is no registry, or a bad one. */
export async function startLiar(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Liar> {
  const asked: string[] = [];
  const authorizations: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    authorizations.push(request.headers.authorization ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    asked,
    authorizations,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
