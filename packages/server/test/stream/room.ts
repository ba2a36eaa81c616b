import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { createLog } from '../../src/http/log.ts';
import { createMetrics, type Metrics } from '../../src/http/metrics.ts';
import type { Registers } from '../../src/storage/registers.ts';
import { openSqlite } from '../../src/storage/sqlite/open.ts';
import type { RowStore } from '../../src/storage/store.ts';
import { STREAM_PACE, type StreamConfig, type StreamPace } from '../../src/stream/config.ts';
import { NO_FILTER } from '../../src/stream/filter.ts';
import { openStreams, type StreamParts, type StreamService } from '../../src/stream/service.ts';
import { recordSource } from '../../src/wiring/streams.ts';
import { openRoom, type RoomUnderTest } from '../record/room.ts';

/** A request as a receiver got it. */
export interface Got {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The id of Standard Webhooks. */
  readonly id: string;
}

/** How a receiver answers: a status, or by hand. */
export type Answer =
  | number
  | ((response: ServerResponse, got: Got, request: IncomingMessage) => void | Promise<void>);

/** A real receiver on loopback. */
export interface Receiver extends AsyncDisposable {
  readonly url: URL;
  readonly got: readonly Got[];
  /** The bodies of what it took, as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what is received is asserted on
  json(): readonly any[];
}

/** A receiver that answers each request by `answer`, called with the number of those before. */
export async function openReceiver(
  answer: (count: number, got: Got) => Answer = () => 204,
  tls?: { readonly key: string; readonly cert: string },
): Promise<Receiver> {
  const got: Got[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { headers, url = '' } = request;
    const one = { url, headers, body, id: String(headers['webhook-id']) };
    got.push(one);
    const how = answer(got.length - 1, one);
    if (typeof how === 'number') response.writeHead(how).end();
    else await how(response, one, request);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    handle(request, response).catch(() => response.destroy());
  };
  const server: Server =
    tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return {
    url: new URL(`http${tls === undefined ? '' : 's'}://127.0.0.1:${port}/in?key=hidden`),
    got,
    json: () => got.map(({ body }) => JSON.parse(body)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A stream to a receiver; what is not given is JSON, one event a request, from the end. */
export function streamTo(url: URL, changes: Partial<StreamConfig> = {}): StreamConfig {
  return {
    name: 'siem',
    url,
    format: 'json',
    template: null,
    headers: {},
    signingKeys: [],
    filter: NO_FILTER,
    batch: 1,
    timeoutMs: 2000,
    retryForMs: 3600_000,
    caFile: null,
    privateAddresses: true,
    from: 'end',
    priority: null,
    ...changes,
  };
}

/** Waits that a test can sit through. */
export const QUICK: StreamPace = {
  ...STREAM_PACE,
  everyMs: 5,
  firstWaitMs: 2,
  longestWaitMs: 20,
  longestAskedMs: 1000,
  saveEveryMs: 0,
};

/** A record with its streams; a clock that is the record's. */
export interface StreamRoom extends AsyncDisposable {
  readonly room: RoomUnderTest;
  readonly rows: RowStore;
  readonly metrics: Metrics;
  /** Starts streams; a second call is another process on the same store. */
  start(streams: readonly StreamConfig[], changes?: Partial<StreamParts>): Promise<StreamService>;
}

/** A record on a new SQLite database, on the one at a path, or on an opened store of rows. */
export async function openStreamRoom(place: string | RowStore = ':memory:'): Promise<StreamRoom> {
  const rows = typeof place === 'string' ? await openSqlite(place) : place;
  const room = await openRoom({ rows });
  const metrics = createMetrics();
  const running: StreamService[] = [];
  return {
    room,
    rows,
    metrics,
    async start(streams, changes = {}) {
      const { registers }: { readonly registers: Registers } = rows;
      const service = await openStreams({
        streams,
        pace: QUICK,
        source: recordSource(room.tables),
        tables: room.tables,
        registers,
        note: (act) => room.record.note(act),
        facts: { origin: room.record.keys.origin, version: '1.2.3' },
        metrics: changes.metrics ?? (running.length === 0 ? metrics : createMetrics()),
        log: createLog('silent'),
        clock: () => new Date(room.time.ms),
        now: () => performance.now(),
        random: () => 0.5,
        ...changes,
      });
      running.push(service);
      return service;
    },
    async [Symbol.asyncDispose]() {
      for (const service of running) await service[Symbol.asyncDispose]();
      await room[Symbol.asyncDispose]();
    },
  };
}

const UNTIL_MS = 15_000;

/** Waits until it holds; fails loudly when it never does. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + UNTIL_MS;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`);
    await sleep(5);
  }
}
