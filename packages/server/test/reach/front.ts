import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What stands before a registry in a test: it writes down, holds back, asks for names, misleads. */
export interface Front extends AsyncDisposable {
  readonly host: string;
  /** `GET /v2/…` of each request, in the order in which they came. */
  readonly asked: string[];
  /** The `authorization` header of each, '' for none. */
  readonly authorizations: string[];
  /** The Basic credentials that are asked for, `NAME:PASSWORD`; null for none. */
  wants: string | null;
  /**
   * Sizes of rounds: nothing of a round is answered before all of it is there, so that a client which
   * waits for an answer to send what belongs to the same round never gets one. Null: none are held.
   */
  rounds: number[] | null;
  /** Nothing is passed on before this; null: at once. */
  until: Promise<void> | null;
  /** Answers instead of the registry when it returns true. */
  misleads: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
}

/** Starts a front before `target` (`HOST:PORT`) on loopback. */
export async function startFront(target: string): Promise<Front> {
  const agent = new Agent({ keepAlive: true });
  let held: (() => void)[] = [];
  const pass = (incoming: IncomingMessage, response: ServerResponse): void => {
    const { authorization: _, host: __, ...headers } = incoming.headers;
    const onward = request(
      `http://${target}${incoming.url}`,
      { method: incoming.method ?? 'GET', headers, agent },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  };
  const handle = (incoming: IncomingMessage, response: ServerResponse): void => {
    if (front.misleads?.(incoming, response) === true) return;
    if (front.wants !== null && incoming.headers.authorization !== basic(front.wants)) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="front"' }).end();
      return;
    }
    if (front.rounds === null) {
      void (front.until ?? Promise.resolve()).then(() => pass(incoming, response));
      return;
    }
    held.push(() => pass(incoming, response));
    if (held.length < (front.rounds[0] ?? Number.POSITIVE_INFINITY)) return;
    front.rounds.shift();
    const round = held;
    held = [];
    for (const go of round) go();
  };
  const server = createServer((incoming, response) => {
    front.asked.push(`${incoming.method} ${incoming.url}`);
    front.authorizations.push(incoming.headers.authorization ?? '');
    handle(incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const front: Front = {
    host: `127.0.0.1:${port}`,
    asked: [],
    authorizations: [],
    wants: null,
    rounds: null,
    until: null,
    misleads: null,
    async [Symbol.asyncDispose]() {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return front;
}

export function basic(credentials: string): string {
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}
