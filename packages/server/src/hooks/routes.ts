import { parseJson } from '@bulla/trust/bytes/json';
import { type Cursor, cursor } from '@bulla/trust/bytes/shape';
import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import { readBody } from '../http/body.ts';
import type { Door, HttpReply, HttpRequest } from '../http/exchange.ts';
import type { Log } from '../http/log.ts';
import { plainRefusal } from '../http/reply.ts';
import { readDistribution } from './distribution.ts';
import { readHarbor } from './harbor.ts';
import { MALFORMED, type Told } from './push.ts';
import { type SenderKind, senderOf } from './sender.ts';
import type { HooksService } from './service.ts';
import { readZot } from './zot.ts';

/** zot's events hold the manifest, which has at most 4 MiB, as a JSON string. */
const MAX_BYTES = 10 << 20;

type ReadEvent = (at: Cursor, request: HttpRequest) => Told;

const READERS: ReadonlyMap<string, readonly [SenderKind, ReadEvent]> = new Map<
  string,
  readonly [SenderKind, ReadEvent]
>([
  ['distribution', ['distribution', readDistribution]],
  ['harbor', ['harbor', readHarbor]],
  ['zot', ['zot', (at, request) => readZot(at, request.header('ce-type'))]],
]);

/**
 * `POST /hooks/{distribution,harbor,zot}`. The sender is known by its token before a byte of the body
 * is read, and has its 202 before anything is done: a registry must not wait for verification. What
 * an authenticated sender tells in another form gets 202 as well, and is counted and logged: a
 * distribution registry sends a refused event again, for ever, and everything else behind it.
 */
export function hooksDoor(hooks: HooksService, log: Log): Door {
  return {
    prefix: '/hooks',
    headers: { 'cache-control': 'no-store' },
    async handle(request): Promise<HttpReply> {
      const [name = '', ...rest] = request.segments;
      const reader = READERS.get(name);
      if (reader === undefined || rest.length > 0) {
        throw new TrustFault('http.not-found', 'expected /hooks/distribution, /harbor or /zot');
      }
      if (request.method !== 'POST') {
        throw new TrustFault('http.method-unsupported', 'expected POST');
      }
      const [kind, read] = reader;
      const sender = authenticated(hooks, kind, request);
      const body = await readBody(request, MAX_BYTES);
      try {
        const value = parseJson(body, 'the event', { maxBytes: MAX_BYTES });
        const told = read(cursor(value, '', MALFORMED), request);
        const { id, remoteAddress } = request;
        const userAgent = request.header('user-agent') ?? '';
        hooks.take(sender, told, { id, remoteAddress, userAgent });
      } catch (error) {
        const fault = asFault(error);
        if (fault.code !== MALFORMED && !fault.code.startsWith('json.')) throw fault;
        hooks.count(kind, 'malformed');
        log.warn('a push event cannot be read', { sender: sender.registry, kind, fault });
      }
      return { status: 202 };
    },
    refuse: plainRefusal,
  };
}

function authenticated({ senders, count }: HooksService, kind: SenderKind, request: HttpRequest) {
  try {
    return senderOf(senders, kind, request.header('authorization'));
  } catch (error) {
    count(kind, 'unauthenticated');
    throw error;
  }
}
