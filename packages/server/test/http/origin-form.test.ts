import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Door } from '../../src/http/exchange.ts';
import { HTTP_LIMITS } from '../../src/http/limits.ts';
import { plainRefusal } from '../../src/http/reply.ts';
import { listen } from '../../src/http/server.ts';

const DOOR: Door = {
  prefix: '/host',
  handle: async ({ host, segments }) => ({ status: 200, body: `${host} ${segments.join('/')}` }),
  refuse: plainRefusal,
};

const NAMED = 'host: bulla.example\r\nconnection: close\r\n\r\n';
const FOREIGN = 'host: evil.example\r\nconnection: close\r\n\r\n';

const CASES: readonly {
  readonly name: string;
  readonly request: string;
  readonly expect: (port: number) => RegExp;
}[] = [
  {
    name: 'the target’s host counts, and not the header’s',
    request: `GET http://bulla.example:80/host/a?b HTTP/1.1\r\n${FOREIGN}`,
    expect: () => /^HTTP\/1\.1 200 [\s\S]*\r\n\r\nbulla\.example:80 a$/,
  },
  {
    name: 'a target of another server is misdirected, whatever the header says',
    request: `GET http://evil.example/host/a HTTP/1.1\r\n${NAMED}`,
    expect: () => /^HTTP\/1\.1 421 [\s\S]*http\.host-unknown/,
  },
  {
    name: 'HTTP/1.0 that names another server is misdirected',
    request: `GET /host/a HTTP/1.0\r\n${FOREIGN}`,
    expect: () => /^HTTP\/1\.1 421 /,
  },
  {
    name: 'HTTP/1.0 without a host is for the address that it came to',
    request: 'GET /host/a HTTP/1.0\r\n\r\n',
    expect: (port) => new RegExp(`127\\.0\\.0\\.1:${port} a$`),
  },
];

for (const { name, request, expect } of CASES) {
  test(name, async () => {
    const options = { hosts: new Set(['bulla.example']) };
    await using server = await listen([DOOR], {}, HTTP_LIMITS, options);
    const socket = connect(server.port, server.host);
    socket.write(request);
    assert.match(await text(socket), expect(server.port));
  });
}
