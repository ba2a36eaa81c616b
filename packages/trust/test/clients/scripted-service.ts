import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/** A request as the service got it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

/** A service on loopback that answers the nth request by the nth function, and the last from then. */
export async function scriptedService(
  t: Pick<TestContext, 'after'>,
  answers: readonly ((response: ServerResponse, seen: SeenRequest) => void)[],
): Promise<{ readonly url: string; readonly seen: SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const found = { method, path, headers, body: Buffer.concat(parts) };
      seen.push(found);
      answers[Math.min(seen.length, answers.length) - 1]?.(response, found);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, seen };
}

/** Answers with a status, a body and headers. */
export function reply(
  status: number,
  body: string | Uint8Array = '',
  headers: Record<string, string> = { 'Content-Type': 'application/json' },
) {
  return (response: ServerResponse): void => {
    response.writeHead(status, headers).end(body);
  };
}
