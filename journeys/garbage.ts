import { seeded } from '../packages/server/test/seeded.ts';

const SEED = 20261121;

/** Bytes that are none of anything, and the same for the same seed. */
export function noise(length: number, seed: number): Buffer {
  const random = seeded(seed);
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

/** What is sent to a port that speaks HTTP: a status that it gets; null where the connection just ends. */
export interface Garbage {
  readonly name: string;
  readonly bytes: () => string | Uint8Array;
  readonly expect: number | null;
}

const end = 'Connection: close\r\n\r\n';

/**
 * What is no request, or one whose end two readers would see in two places, with a `Host` header's line;
 * `get` and `post` are paths that take these methods.
 */
export function garbageFor(host: () => string, get: string, post: string): readonly Garbage[] {
  // What a server that loses the end of a request would take for the next one.
  const smuggled = () => `GET /healthz HTTP/1.1\r\n${host()}${end}`;
  return [
    ...[1, 64, 4096, 200_000].map((length) => ({
      name: `${length} random bytes`,
      bytes: () => noise(length, SEED + length),
      expect: 400,
    })),
    { name: 'nothing', bytes: () => '', expect: null },
    { name: 'zeros', bytes: () => Buffer.alloc(10_000), expect: 400 },
    {
      name: 'a TLS greeting',
      bytes: () => Buffer.from('16030100c8010000c40303', 'hex'),
      expect: 400,
    },
    { name: 'a greeting of HTTP/2', bytes: () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', expect: 400 },
    // RFC 9112 §3.2: none or several are 400.
    { name: 'a request without a host', bytes: () => `GET ${get} HTTP/1.1\r\n${end}`, expect: 400 },
    {
      name: 'two hosts',
      bytes: () => `GET ${get} HTTP/1.1\r\n${host()}Host: evil.example\r\n${end}`,
      expect: 400,
    },
    {
      name: 'an endless line',
      bytes: () => `GET /${'a'.repeat(200_000)} HTTP/1.1\r\n${host()}${end}`,
      expect: 431,
    },
    {
      name: 'endless headers',
      bytes: () => `GET ${get} HTTP/1.1\r\n${host()}${'X-A: b\r\n'.repeat(50_000)}${end}`,
      expect: 431,
    },
    {
      name: 'a header with a NUL',
      bytes: () => `GET ${get} HTTP/1.1\r\n${host()}X-A: \0\r\n${end}`,
      expect: 400,
    },
    {
      name: 'a header in two lines',
      bytes: () => `GET ${get} HTTP/1.1\r\n${host()}X-A: b\r\n c\r\nX-B : d\r\n${end}`,
      expect: 400,
    },
    // RFC 9112 §6.3: whose end two readers may see in two places. What follows is no second request.
    {
      name: 'two lengths',
      bytes: () =>
        `POST ${post} HTTP/1.1\r\n${host()}Content-Length: 1\r\nContent-Length: 30\r\n\r\na${smuggled()}`,
      expect: 400,
    },
    {
      name: 'a length and chunks',
      bytes: () =>
        `POST ${post} HTTP/1.1\r\n${host()}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled()}`,
      expect: 400,
    },
    {
      name: 'chunks under another name',
      bytes: () =>
        `POST ${post} HTTP/1.1\r\n${host()}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled()}`,
      expect: 400,
    },
    {
      name: 'chunks that are none',
      bytes: () =>
        `POST ${post} HTTP/1.1\r\n${host()}Transfer-Encoding: chunked\r\n\r\nzz\r\n${smuggled()}`,
      expect: 400,
    },
    {
      name: 'a negative length',
      bytes: () => `POST ${post} HTTP/1.1\r\n${host()}Content-Length: -5\r\n\r\n${smuggled()}`,
      expect: 400,
    },
    // RFC 9110 §9.1: methods that this server does not implement.
    {
      name: 'a tunnel',
      bytes: () => `CONNECT evil.example:443 HTTP/1.1\r\n${host()}${end}`,
      expect: 501,
    },
    {
      name: 'an unknown method',
      bytes: () => `BREW ${get} HTTP/1.1\r\n${host()}${end}`,
      expect: 501,
    },
    { name: 'an old version', bytes: () => `GET ${get}\r\n`, expect: 400 },
  ];
}
