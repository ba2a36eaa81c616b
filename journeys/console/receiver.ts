import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ServerConfig } from '@bulla/server/config/config';

type Stream = ServerConfig['streams'][number];

/** A receiver of the record that refuses what it is sent, until it is told to take it. */
export interface Receiver extends AsyncDisposable {
  /** The stream that sends to it, from the record's first entry. */
  readonly stream: Stream;
  /** How many requests it has taken. */
  readonly taken: () => number;
  readonly takeAll: () => void;
}

/** Starts a receiver; `name` is the stream's. */
export async function openReceiver(name: string): Promise<Receiver> {
  let takes = false;
  let taken = 0;
  const server = createServer((request, response) => {
    request.resume();
    if (takes) taken += 1;
    response.statusCode = takes ? 204 : 400;
    response.end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    stream: streamTo(name, port),
    taken: () => taken,
    takeAll: () => {
      takes = true;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function streamTo(name: string, port: number): Stream {
  return {
    name,
    url: `http://127.0.0.1:${port}/in`,
    format: 'json',
    template: null,
    headers: {},
    headersEnv: {},
    signing: [],
    filter: null,
    batch: 100,
    timeoutMs: 5000,
    retryForMs: 86_400_000,
    ca: null,
    privateAddresses: true,
    from: 'beginning',
    priority: null,
  };
}
