import { Readable } from 'node:stream';
import type { ServerConfig } from '@bulla/server/config/config';
import type { HttpReply } from '@bulla/server/http/exchange';
import { openOffline } from '@bulla/server/wiring/offline';
import { parseJson } from '@bulla/trust/bytes/json';
import { asFault, TrustFault } from '@bulla/trust/fault/fault';
import type { CliContext } from '../context.ts';
import type { Api, ApiCall } from './api.ts';

/**
 * The product API without a server, on the store that a configuration names. Throws `storage.locked`
 * beside a running server, `server.data-missing`, `storage.*`.
 */
export async function openOfflineApi(config: ServerConfig, context: CliContext): Promise<Api> {
  const { clock, now } = context;
  const offline = await openOffline(config, { clock, now }).catch((error: unknown) => {
    throw asLocked(error);
  });
  const answer = ({ method, path, query = {}, body = undefined }: ApiCall) =>
    offline.call({ method, segments: path, query, body: body ?? null });
  return {
    kind: 'offline',
    origin: null,
    async json(call) {
      const parts: Uint8Array[] = [];
      for await (const part of bodyOf(await answer(call))) parts.push(part);
      return parts.length === 0 ? null : parseJson(Buffer.concat(parts), 'the answer', LIMITS);
    },
    async *chunks(call) {
      yield* bodyOf(await answer(call));
    },
    prune: (before) => offline.prune(before),
    [Symbol.asyncDispose]: () => offline[Symbol.asyncDispose](),
  };
}

const LIMITS = { maxBytes: 32 << 20 };

async function* bodyOf({ body }: HttpReply): AsyncGenerator<Uint8Array> {
  if (body === undefined) return;
  if (!(body instanceof Readable)) {
    yield Buffer.from(body);
    return;
  }
  for await (const part of body) {
    const chunk: unknown = part;
    yield typeof chunk === 'string' || chunk instanceof Uint8Array
      ? Buffer.from(chunk)
      : Buffer.alloc(0);
  }
}

/** A folder belongs to one process at a time: who has it can be asked instead. */
function asLocked(error: unknown): TrustFault {
  const fault = asFault(error);
  if (fault.code !== 'storage.locked') return fault;
  const remedy =
    'A server is running on it: give --server URL and a token (BULLA_TOKEN), or stop the server.';
  return new TrustFault(fault.code, fault.message, remedy, { cause: fault });
}
