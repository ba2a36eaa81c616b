import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { RegistryOptions } from '@bulla/trust/oci/registry/options';
import { openRegistryStore } from '@bulla/trust/oci/registry/registry-store';
import type { ArtifactTarget } from '@bulla/trust/oci/store';

/** What a scripted registry saw of one request. */
export interface Seen {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export type Script = (request: Seen, response: ServerResponse, at: number) => void | Promise<void>;

/** A registry on loopback that does what a test tells it, also what no registry should. */
export interface Scripted extends AsyncDisposable {
  readonly host: string;
  readonly origin: string;
  readonly seen: readonly Seen[];
  /** The lines `METHOD url` of all requests. */
  readonly lines: () => readonly string[];
  readonly store: (options?: Partial<RegistryOptions>) => ArtifactTarget;
}

export function options(given: Partial<RegistryOptions> = {}): RegistryOptions {
  return { env: {}, homeFolder: '/nonexistent', timeoutMs: 2_000, random: () => 0, ...given };
}

/** Listens on a free port; `script` answers each request, of which it gets the number. */
export async function scripted(script: Script): Promise<Scripted> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (chunk: Buffer) => parts.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(parts) };
      seen.push(one);
      void script(one, response, seen.length - 1);
    });
  });
  const port = await listen(server);
  const host = `127.0.0.1:${port}`;
  return {
    host,
    origin: `http://${host}`,
    seen,
    lines: () => seen.map(({ method, url }) => `${method} ${url}`),
    store: (given) =>
      openRegistryStore({ kind: 'registry', registry: host, repository: 'app' }, options(given)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

export function answer(
  response: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  body: string | Uint8Array = '',
): void {
  response.writeHead(status, headers);
  response.end(body);
}
