import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { CODES } from '@bulla/trust/fault/codes';
import { computeDigest } from '@bulla/trust/oci/digest';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import { image } from '../sample.ts';
import { answer, type Script, scripted } from './scripted.ts';

const { manifest } = image('layer');
const TYPE = { 'content-type': MEDIA_TYPES.ociManifest };
const STATED = { ...TYPE, 'docker-content-digest': manifest.digest };
const HTML = { 'content-type': 'text/html' };
const good: Script = (_, response) => answer(response, 200, STATED, manifest.bytes);

interface Hostile {
  readonly name: string;
  readonly script: Script;
  /** A fault's code, or what is got. */
  readonly expect: string | null;
  readonly ask?: string;
  readonly timeoutMs?: number;
  /** Requests that may reach the registry. */
  readonly requests?: number;
}

const MANIFESTS: readonly Hostile[] = [
  { name: 'an honest registry', script: good, expect: manifest.digest, requests: 1 },
  {
    name: 'an honest registry without a digest header',
    script: (_, response) => answer(response, 200, TYPE, manifest.bytes),
    expect: manifest.digest,
  },
  {
    name: '404 with an error of the specification',
    script: (_, r) => answer(r, 404, {}, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}'),
    expect: null,
  },
  {
    name: '404 with a web page',
    script: (_, r) => answer(r, 404, HTML, '<html>no</html>'),
    expect: null,
  },
  { name: '404 without a body', script: (_, r) => answer(r, 404), expect: null },
  {
    name: 'a web page with 200',
    script: (_, r) => answer(r, 200, HTML, '<html>'),
    expect: 'registry.malformed-answer',
  },
  {
    name: 'garbage with 200',
    script: (_, r) => answer(r, 200, TYPE, 'garbage'),
    expect: 'registry.malformed-answer',
  },
  {
    name: 'a stated digest that is not the content’s',
    script: (_, r) =>
      answer(
        r,
        200,
        { ...TYPE, 'docker-content-digest': computeDigest(utf8('x')) },
        manifest.bytes,
      ),
    expect: 'registry.digest-mismatch',
  },
  {
    name: 'other content for a digest',
    ask: manifest.digest,
    script: (_, r) => answer(r, 200, STATED, '{}'),
    expect: 'registry.digest-mismatch',
  },
  {
    name: 'no bytes at all',
    script: () => {},
    timeoutMs: 150,
    expect: 'registry.timeout',
    requests: 1,
  },
  {
    name: 'a head and then silence',
    script: (_, response) => {
      response.writeHead(200, TYPE);
      response.write('{');
    },
    timeoutMs: 150,
    expect: 'registry.timeout',
    requests: 1,
  },
  {
    name: 'a drop now and then, without end',
    script: async (_, response) => {
      response.on('error', () => {});
      response.writeHead(200, TYPE);
      while (!response.destroyed) {
        response.write(' ');
        await new Promise((resolve) => setTimeout(resolve, 2_000));
      }
    },
    timeoutMs: 150,
    expect: 'registry.timeout',
  },
  {
    name: 'an endless body',
    script: (_, response) => {
      response.on('error', () => {});
      response.writeHead(200, TYPE);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(64 << 10, 0x20)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    },
    expect: 'registry.limit',
  },
  {
    name: 'a Content-Length that is too long',
    script: (_, response) => {
      response.writeHead(200, { ...TYPE, 'content-length': '5000' });
      response.write(manifest.bytes, () => response.destroy());
    },
    expect: 'registry.unreachable',
    requests: 4,
  },
  {
    name: 'a Content-Length that is too short',
    script: (_, response) => {
      const head = `HTTP/1.1 200 OK\r\ncontent-type: ${MEDIA_TYPES.ociManifest}\r\ndocker-content-digest: ${manifest.digest}\r\ncontent-length: 20\r\n\r\n`;
      response.socket?.end(Buffer.concat([Buffer.from(head), Buffer.from(manifest.bytes)]));
    },
    expect: 'registry.digest-mismatch',
  },
  {
    name: 'what is no HTTP',
    script: (_, r) => void r.socket?.end('SSH-2.0-OpenSSH_9.2\r\n'),
    expect: 'registry.malformed-answer',
  },
  {
    name: '500 each time',
    script: (_, r) => answer(r, 500),
    expect: 'registry.server-error',
    requests: 4,
  },
  {
    name: '500 once',
    script: (one, r, at) => (at === 0 ? answer(r, 500) : good(one, r, at)),
    expect: manifest.digest,
    requests: 2,
  },
  {
    name: '429 once with Retry-After',
    script: (one, r, at) => (at === 0 ? answer(r, 429, { 'retry-after': '0' }) : good(one, r, at)),
    expect: manifest.digest,
    requests: 2,
  },
  {
    name: '503 with a date that is past',
    script: (one, r, at) =>
      at === 0
        ? answer(r, 503, { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' })
        : good(one, r, at),
    expect: manifest.digest,
    requests: 2,
  },
  {
    name: '429 that wants an hour',
    script: (_, r) => answer(r, 429, { 'retry-after': '3600' }),
    expect: 'registry.rate-limited',
    requests: 1,
  },
  {
    name: '429 each time',
    script: (_, r) => answer(r, 429, { 'retry-after': '0' }),
    expect: 'registry.rate-limited',
    requests: 4,
  },
  {
    name: '503 each time',
    script: (_, r) => answer(r, 503),
    expect: 'registry.server-error',
    requests: 4,
  },
  {
    name: 'a reset, then an answer',
    script: (one, r, at) => (at === 0 ? void r.socket?.resetAndDestroy() : good(one, r, at)),
    expect: manifest.digest,
    requests: 2,
  },
  {
    name: 'a reset each time',
    script: (_, r) => void r.socket?.resetAndDestroy(),
    expect: 'registry.unreachable',
    requests: 4,
  },
  {
    name: '401 without a challenge',
    script: (_, r) => answer(r, 401),
    expect: 'registry.unauthorized',
    requests: 1,
  },
  { name: '403', script: (_, r) => answer(r, 403), expect: 'registry.denied', requests: 1 },
  { name: '400', script: (_, r) => answer(r, 400), expect: 'registry.refused', requests: 1 },
  {
    name: '204',
    script: (_, r) => answer(r, 204),
    expect: 'registry.malformed-answer',
    requests: 1,
  },
  {
    name: 'a redirect to itself',
    script: (one, r) => answer(r, 302, { location: one.url }),
    expect: 'registry.redirect',
    requests: 4,
  },
  {
    name: 'a redirect without a target',
    script: (_, r) => answer(r, 302),
    expect: 'registry.redirect',
    requests: 1,
  },
  {
    name: 'a redirect to a file',
    script: (_, r) => answer(r, 302, { location: 'file:///etc/passwd' }),
    expect: 'registry.redirect',
    requests: 1,
  },
  {
    name: 'three redirects',
    script: (one, r, at) => (at < 3 ? answer(r, 307, { location: `/x${at}` }) : good(one, r, at)),
    expect: manifest.digest,
    requests: 4,
  },
  {
    name: 'four redirects',
    script: (one, r, at) => (at < 4 ? answer(r, 307, { location: `/x${at}` }) : good(one, r, at)),
    expect: 'registry.redirect',
    requests: 4,
  },
];

describe('a manifest from', () => {
  for (const { name, script, expect, ask = 'v1', timeoutMs = 4_000, requests } of MANIFESTS) {
    it(`${name}: ${expect ?? 'not there'}`, async () => {
      await using server = await scripted(script);
      const got = server.store({ timeoutMs }).manifest(ask);
      if (expect?.startsWith('registry.')) await assert.rejects(got, { code: expect });
      else assert.equal((await got)?.digest ?? null, expect);
      if (requests !== undefined) assert.equal(server.seen.length, requests);
    });
  }
});

describe('every failure to fetch', () => {
  it('is inconclusive, and what the content itself is guilty of refuses', () => {
    const outages = [
      'unreachable',
      'tls',
      'timeout',
      'server-error',
      'rate-limited',
      'unauthorized',
      'denied',
      'malformed-answer',
      'redirect',
    ] as const;
    for (const code of outages) assert.equal(CODES[`registry.${code}`].exit, 3, code);
    for (const code of ['digest-mismatch', 'limit'] as const)
      assert.equal(CODES[`registry.${code}`].exit, 1);
  });
});

describe('resolving', () => {
  it('is one HEAD', async () => {
    await using server = await scripted((_, r) =>
      answer(r, 200, { ...STATED, 'content-length': String(manifest.size) }),
    );
    assert.deepEqual(await server.store().resolve('v1'), {
      mediaType: MEDIA_TYPES.ociManifest,
      digest: manifest.digest,
      size: manifest.size,
    });
    assert.deepEqual(server.lines(), ['HEAD /v2/app/manifests/v1']);
  });
  it('fetches the manifest when the head says too little', async () => {
    await using server = await scripted((one, r) =>
      one.method === 'HEAD' ? answer(r, 200, HTML) : answer(r, 200, TYPE, manifest.bytes),
    );
    assert.equal((await server.store().resolve('v1'))?.digest, manifest.digest);
  });
  it('refuses a head that states another digest than the one asked for', async () => {
    const other = computeDigest(utf8('x'));
    await using server = await scripted((_, r) =>
      answer(r, 200, { ...TYPE, 'docker-content-digest': other, 'content-length': '3' }),
    );
    await assert.rejects(server.store().resolve(manifest.digest), {
      code: 'registry.digest-mismatch',
    });
  });
  for (const name of ['../../admin', 'a/b', 'v1?x', '', 'a b', '-x', 'a'.repeat(129)]) {
    it(`refuses ${JSON.stringify(name.slice(0, 20))} unasked`, async () => {
      await using server = await scripted(good);
      await assert.rejects(server.store().resolve(name), { code: 'reference.malformed' });
      assert.equal(server.seen.length, 0);
    });
  }
});

describe('an error whose reason is no text', () => {
  for (const body of [
    '{"errors":[{"code":{"toString":1},"message":{"valueOf":2}}]}',
    '{"errors":[[]]}',
    '{"errors":{"0":{}}}',
    '{"errors":[null]}',
  ]) {
    it(`is the registry’s fault: ${body}`, async () => {
      await using server = await scripted((_, r) => answer(r, 400, {}, body));
      await assert.rejects(server.store().manifest('v1'), { code: 'registry.refused' });
    });
  }
});
