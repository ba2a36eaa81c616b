import type { HttpRequest } from '../../src/http/exchange.ts';

/** What a request of a test says; what it leaves out is what a plain GET has. */
export interface RequestPieces {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly secure?: boolean;
  readonly host?: string;
  readonly remoteAddress?: string;
}

/** A request as the server makes them, for what is asked without a socket. */
export function requestOf(pieces: RequestPieces = {}): HttpRequest {
  const { method = 'GET', path = '', headers = {}, body, secure = true } = pieces;
  const [below = '', query = ''] = path.split('?', 2);
  return {
    id: 'r1',
    method,
    segments: below === '' ? [] : below.slice(1).split('/'),
    query: new URLSearchParams(query),
    header: (name) => headers[name],
    contentLength: body === undefined ? null : Buffer.byteLength(body),
    hasBody: body !== undefined,
    async *body() {
      if (body !== undefined) yield typeof body === 'string' ? Buffer.from(body) : body;
    },
    remoteAddress: pieces.remoteAddress ?? '127.0.0.1',
    secure,
    host: pieces.host ?? 'bulla.example',
    listener: 'https://127.0.0.1:5443',
    clientCertificate: null,
  };
}
