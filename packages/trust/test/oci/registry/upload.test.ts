import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { image, sample } from '../sample.ts';
import { answer, type Script, scripted } from './scripted.ts';

const CHUNK = 10_000;
const bytes = randomBytes(25_000);
const blob = sample(bytes, 'application/octet-stream');

async function* stream(of: Uint8Array = bytes) {
  for (let at = 0; at < of.length; at += 3_000) yield of.subarray(at, at + 3_000);
}

interface Upload {
  received: Buffer;
  committed?: Buffer;
  cancelled: boolean;
}

/** A registry that takes one upload; `trouble` may answer a request in its place. */
function taking(upload: Upload, trouble: Script = () => {}): Script {
  return (request, response, at) => {
    void trouble(request, response, at);
    if (response.headersSent || response.destroyed || response.socket?.destroyed) return;
    const location = { location: '/v2/app/blobs/uploads/1?_state=a%2Bb' };
    const range = { range: `0-${Math.max(0, upload.received.length - 1)}` };
    switch (request.method) {
      case 'HEAD':
        return answer(response, upload.committed === undefined ? 404 : 200);
      case 'POST':
        upload.received = Buffer.alloc(0);
        return answer(response, 202, location);
      case 'PATCH': {
        const start = Number(/^(\d+)-/.exec(request.headers['content-range'] ?? '')?.[1] ?? 0);
        if (start !== upload.received.length)
          return answer(response, 416, { ...location, ...range });
        upload.received = Buffer.concat([upload.received, request.body]);
        return answer(response, 202, { ...location, ...range });
      }
      case 'GET':
        return answer(response, 204, { ...location, ...range });
      case 'PUT':
        upload.committed = Buffer.concat([upload.received, request.body]);
        return answer(response, 201);
      default:
        upload.cancelled = true;
        return answer(response, 204);
    }
  };
}

const fresh = (): Upload => ({ received: Buffer.alloc(0), cancelled: false });

describe('a chunked upload', () => {
  const cases: readonly { name: string; trouble?: (upload: Upload) => Script }[] = [
    { name: 'goes through' },
    {
      name: 'goes on after a connection that broke before the chunk was kept',
      trouble: () => (request, response, at) => {
        if (request.method === 'PATCH' && at === 2) response.socket?.resetAndDestroy();
      },
    },
    {
      name: 'goes on after a connection that broke when the chunk had been kept',
      trouble: (upload) => (request, response, at) => {
        if (request.method !== 'PATCH' || at !== 2) return;
        upload.received = Buffer.concat([upload.received, request.body]);
        response.socket?.resetAndDestroy();
      },
    },
    {
      name: 'goes on after a part of the chunk was kept',
      trouble: (upload) => (request, response, at) => {
        if (request.method !== 'PATCH' || at !== 2) return;
        upload.received = Buffer.concat([upload.received, request.body.subarray(0, 4_321)]);
        answer(response, 502);
      },
    },
    {
      name: 'goes on after 416',
      trouble: () => (request, response, at) => {
        if (request.method === 'PATCH' && at === 2) answer(response, 416);
      },
    },
    {
      name: 'waits when it is told to',
      trouble: () => (request, response, at) => {
        if (request.method === 'PATCH' && at === 2) answer(response, 429, { 'retry-after': '0' });
      },
    },
  ];
  for (const { name, trouble } of cases) {
    it(name, async () => {
      const upload = fresh();
      await using server = await scripted(taking(upload, trouble?.(upload)));
      await server.store({ chunkBytes: CHUNK }).putBlob(blob, stream());
      assert.deepEqual(upload.committed, bytes);
      const put = server.seen.find(({ method }) => method === 'PUT');
      // The registry's own query stays as it was given.
      assert.ok(put?.url.startsWith('/v2/app/blobs/uploads/1?_state=a%2Bb&digest=sha256%3A'));
    });
  }

  it('that breaks each time ends with a fault and is cancelled', async () => {
    const upload = fresh();
    await using server = await scripted(
      taking(upload, (request, response) => {
        if (request.method === 'PATCH') response.socket?.resetAndDestroy();
      }),
    );
    await assert.rejects(server.store({ chunkBytes: CHUNK }).putBlob(blob, stream()), {
      code: 'registry.unreachable',
    });
    assert.equal(upload.cancelled, true);
    assert.equal(upload.committed, undefined);
  });

  it('whose registry claims to have more than was sent is given up', async () => {
    const upload = fresh();
    await using server = await scripted(
      taking(upload, (request, response) => {
        if (request.method === 'PATCH') answer(response, 416);
        if (request.method === 'GET') answer(response, 204, { range: '0-99999' });
      }),
    );
    await assert.rejects(server.store({ chunkBytes: CHUNK }).putBlob(blob, stream()), {
      code: 'registry.malformed-answer',
    });
  });

  it('of other content is never committed', async () => {
    for (const other of [randomBytes(25_000), bytes.subarray(1), Buffer.concat([bytes, bytes])]) {
      const upload = fresh();
      await using server = await scripted(taking(upload));
      await assert.rejects(server.store({ chunkBytes: CHUNK }).putBlob(blob, stream(other)), {
        code: 'registry.digest-mismatch',
      });
      assert.equal(upload.committed, undefined);
      assert.equal(upload.cancelled, true);
    }
  });

  it('in chunks that the registry finds too small is refused', async () => {
    await using server = await scripted((request, response) =>
      answer(response, 202, {
        location: '/x',
        ...(request.method === 'POST' ? { 'oci-chunk-min-length': '20000' } : {}),
      }),
    );
    await assert.rejects(server.store({ chunkBytes: CHUNK }).putBlob(blob, stream()), {
      code: 'registry.refused',
    });
  });
});

describe('a monolithic upload', () => {
  it('is opened anew after a connection that broke', async () => {
    const upload = fresh();
    await using server = await scripted(
      taking(upload, (request, response, at) => {
        if (request.method === 'PUT' && at < 2) response.socket?.resetAndDestroy();
      }),
    );
    await server.store().putBlob(blob, bytes);
    assert.deepEqual(upload.committed, bytes);
    assert.equal(server.seen.filter(({ method }) => method === 'POST').length, 2);
  });

  it('whose answer was lost is not sent again', async () => {
    const upload = fresh();
    await using server = await scripted(
      taking(upload, (request, response) => {
        if (request.method !== 'PUT') return;
        upload.committed = request.body;
        response.socket?.resetAndDestroy();
      }),
    );
    await server.store().putBlob(blob, bytes);
    assert.equal(server.seen.filter(({ method }) => method === 'PUT').length, 1);
  });

  it('tells its progress', async () => {
    const upload = fresh();
    let sent = 0;
    await using server = await scripted(taking(upload));
    await server.store({ onProgress: (event) => (sent += event.bytes) }).putBlob(blob, bytes);
    assert.equal(sent, bytes.length);
  });

  it('goes to another origin without credentials', async () => {
    const upload = fresh();
    await using storage = await scripted(taking(upload));
    await using server = await scripted((_, response) =>
      answer(response, 202, { location: `${storage.origin}/put?sig=1` }),
    );
    await server.store({ token: 'secret' }).putBlob(blob, bytes);
    assert.equal(server.seen[0]?.headers.authorization, 'Bearer secret');
    assert.equal(storage.seen[0]?.headers.authorization, undefined);
    assert.deepEqual(upload.committed, bytes);
  });

  for (const location of ['', 'file:///x', 'ftp://a.example/']) {
    it(`to ${JSON.stringify(location)} is none`, async () => {
      await using server = await scripted((_, response) =>
        answer(response, 202, location === '' ? {} : { location }),
      );
      await assert.rejects(server.store().putBlob(blob, bytes), {
        code: 'registry.malformed-answer',
      });
    });
  }

  it('of other content is not sent', async () => {
    await using server = await scripted(taking(fresh()));
    await assert.rejects(server.store().putBlob(blob, randomBytes(25_000)), {
      code: 'registry.digest-mismatch',
    });
    assert.equal(server.seen.length, 0);
  });
});

describe('a mount', () => {
  const cases: readonly { name: string; script: Script; expect: boolean; requests: number }[] = [
    { name: 'that is granted', script: (_, r) => answer(r, 201), expect: true, requests: 1 },
    {
      name: 'for which an upload is opened cancels it',
      script: (_, r) => answer(r, 202, { location: '/x' }),
      expect: false,
      requests: 2,
    },
    { name: 'that is not allowed', script: (_, r) => answer(r, 403), expect: false, requests: 1 },
  ];
  for (const { name, script, expect, requests } of cases) {
    it(name, async () => {
      await using server = await scripted(script);
      const { openRegistryStore } = await import('@bulla/trust/oci/registry/registry-store');
      const { options } = await import('./scripted.ts');
      const shared = options();
      const [to, from] = ['to', 'from'].map((repository) =>
        openRegistryStore({ kind: 'registry', registry: server.host, repository }, shared),
      );
      assert.ok(to && from);
      assert.equal(await to.mountBlob(blob.digest, from), expect);
      assert.equal(server.seen.length, requests);
      assert.match(
        server.lines()[0] ?? '',
        /^POST \/v2\/to\/blobs\/uploads\/\?mount=sha256%3A[0-9a-f]{64}&from=from$/,
      );
    });
  }

  it('from a store of another kind is not asked for', async () => {
    await using server = await scripted((_, r) => answer(r, 201));
    await using other = await scripted((_, r) => answer(r, 201));
    assert.equal(await server.store().mountBlob(blob.digest, other.store()), false);
    assert.equal(server.seen.length + other.seen.length, 0);
  });
});

describe('a registry that mistakes a race for a wrong digest', () => {
  const RACED = '{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}';
  for (const times of [1, 3]) {
    it(`${times} times is asked again for a blob`, async () => {
      const upload = fresh();
      let left = times;
      const script = taking(upload, (request, response) => {
        if (request.method === 'PUT' && left-- > 0) answer(response, 400, {}, RACED);
      });
      await using server = await scripted(script);
      await server.store().putBlob(blob, bytes);
      assert.deepEqual(upload.committed, Buffer.from(bytes));
    });
  }
  it('for ever is refused', async () => {
    await using server = await scripted(
      taking(fresh(), (request, response) => {
        if (request.method === 'PUT') answer(response, 400, {}, RACED);
      }),
    );
    await assert.rejects(server.store().putBlob(blob, bytes), { code: 'registry.refused' });
    assert.equal(server.seen.filter(({ method }) => method === 'PUT').length, 4);
  });
});

describe('a tag that is written on a condition', () => {
  const old = image('old').manifest;
  const next = image('new').manifest;
  const put = async (etag: string) => {
    await using server = await scripted((request, response) => {
      if (request.method === 'GET') {
        answer(response, 200, { 'content-type': old.mediaType, etag }, old.bytes);
      } else answer(response, request.headers['if-match'] === undefined ? 201 : 412);
    });
    const written = server.store().putManifest(next, { tag: 'v1', replaces: old.digest });
    return await written.catch((error: unknown) =>
      error instanceof TrustFault ? error.code : error,
    );
  };
  it('names a strong validator, and says so when the tag moved at the last moment', async () => {
    assert.equal(await put('"1"'), 'registry.tag-moved');
  });
  it('does not name a weak one, which never matches', async () => {
    assert.equal(await put('W/"1"'), next.digest);
  });
});
