import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import type { RegistryOptions } from '@bulla/trust/oci/registry/options';
import { pingRegistry } from '@bulla/trust/oci/registry/registry-client';
import { openRegistryStore } from '@bulla/trust/oci/registry/registry-store';
import { image } from '../sample.ts';
import { answer, options, type Script, type Scripted, scripted } from './scripted.ts';

const { manifest } = image('layer');
const TYPE = { 'content-type': MEDIA_TYPES.ociManifest };
const USER = { username: 'user', password: 'pa:ss' };
const BASIC = `Basic ${Buffer.from('user:pa:ss').toString('base64')}`;

interface Service {
  readonly realm: (self: () => Scripted) => string;
  readonly token?: Script;
  readonly accepts?: (authorization: string | undefined) => boolean;
}

/** A registry with a token service at `/token`, unless the realm says otherwise. */
function bearer(service: Service, self: () => Scripted): Script {
  let issued = 0;
  return (one, response, at) => {
    if (one.url.startsWith('/token')) {
      if (service.token !== undefined) return service.token(one, response, at);
      issued++;
      return answer(response, 200, {}, JSON.stringify({ token: `t${issued}`, expires_in: 300 }));
    }
    const accepts = service.accepts ?? ((value) => value === `Bearer t${issued}`);
    if (issued + (service.accepts ? 1 : 0) > 0 && accepts(one.headers.authorization)) {
      return answer(response, 200, TYPE, manifest.bytes);
    }
    const challenge = `Bearer realm="${service.realm(self)}",service="reg",scope="repository:app:pull"`;
    return answer(response, 401, { 'www-authenticate': challenge }, '{}');
  };
}

async function withBearer(
  service: Partial<Service>,
  run: (server: Scripted) => Promise<void>,
): Promise<void> {
  let server: Scripted | undefined;
  const self = (): Scripted => {
    assert.ok(server);
    return server;
  };
  const own = (of: () => Scripted): string => `${of().origin}/token`;
  server = await scripted(bearer({ realm: own, ...service }, self));
  await using held = server;
  await run(held);
}

const tokens = (server: Scripted) => server.seen.filter(({ url }) => url.startsWith('/token'));

describe('basic authentication', () => {
  const script: Script = (one, response) =>
    one.headers.authorization === BASIC
      ? answer(response, 200, TYPE, manifest.bytes)
      : answer(response, 401, { 'www-authenticate': 'Basic realm="x"' });

  it('is sent when it is asked for, not before', async () => {
    await using server = await scripted(script);
    const store = server.store(USER);
    assert.ok(await store.manifest('v1'));
    assert.ok(await store.manifest('v1'));
    assert.deepEqual(
      server.seen.map(({ headers }) => headers.authorization),
      [undefined, BASIC, BASIC],
    );
  });
  for (const [name, given] of [
    ['without credentials', {}],
    ['with wrong ones', { ...USER, password: 'x' }],
  ] as const) {
    it(`${name} the registry is inconclusive`, async () => {
      await using server = await scripted(script);
      await assert.rejects(server.store(given).manifest('v1'), { code: 'registry.unauthorized' });
    });
  }
});

describe('token authentication', () => {
  it('anonymously, one token for a scope', () =>
    withBearer({}, async (server) => {
      const store = server.store();
      for (let at = 0; at < 3; at++) assert.ok(await store.manifest('v1'));
      const [token] = tokens(server);
      assert.equal(tokens(server).length, 1);
      assert.equal(token?.url, '/token?service=reg&scope=repository%3Aapp%3Apull');
      assert.equal(token?.headers.authorization, undefined);
    }));

  it('with a password, which the token service sees and the registry does not', () =>
    withBearer({}, async (server) => {
      assert.ok(await server.store(USER).manifest('v1'));
      assert.equal(tokens(server)[0]?.headers.authorization, BASIC);
      const others = server.seen.filter(({ url }) => !url.startsWith('/token'));
      assert.ok(others.every(({ headers }) => headers.authorization !== BASIC));
    }));

  it('requests at the same time share a token', () =>
    withBearer({}, async (server) => {
      const store = server.store();
      await Promise.all(Array.from({ length: 8 }, () => store.manifest('v1')));
      assert.equal(tokens(server).length, 1);
    }));

  it('a token is fetched again when it has expired', () =>
    withBearer({}, async (server) => {
      let now = 0;
      const store = server.store({ now: () => now });
      await store.manifest('v1');
      now = 200_000;
      await store.manifest('v1');
      assert.equal(tokens(server).length, 1);
      now = 296_000;
      await store.manifest('v1');
      assert.equal(tokens(server).length, 2);
    }));

  it('a refused new token is the end', () =>
    withBearer({ accepts: () => false }, async (server) => {
      await assert.rejects(server.store().manifest('v1'), { code: 'registry.unauthorized' });
      assert.equal(tokens(server).length, 1);
    }));

  it('an identity token is exchanged by POST', async () => {
    const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const { join } = await import('node:path');
    const folder = await mkdtemp(join(tmpdir(), 'bulla-auth-'));
    try {
      const token: Script = (one, response) => {
        const form = new URLSearchParams(one.body.toString());
        assert.equal(one.method, 'POST');
        assert.deepEqual(Object.fromEntries(form), {
          grant_type: 'refresh_token',
          client_id: 'bulla',
          refresh_token: 'refresh',
          service: 'reg',
          scope: 'repository:app:pull',
        });
        answer(response, 200, {}, '{"access_token":"fresh"}');
      };
      const accepts = (value: string | undefined): boolean => value === 'Bearer fresh';
      await withBearer({ token, accepts }, async (server) => {
        const auths = { [server.host]: { identitytoken: 'refresh' } };
        await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }));
        assert.ok(await server.store({ env: { DOCKER_CONFIG: folder } }).manifest('v1'));
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  describe('where anybody may ask but not see, as in a gateway with anonymous pulls', () => {
    const DENIED =
      '{"errors":[{"code":"DENIED","message":"refused by policy prod (decision 01M)"}]}';
    const gateway: Script = (one, response) => {
      const { url, headers } = one;
      const challenge = `Bearer realm="http://${headers.host}/token",service="reg"`;
      if (url === '/v2/') return answer(response, 401, { 'www-authenticate': challenge });
      if (url.startsWith('/token')) return answer(response, 200, {}, '{"token":"signer"}');
      return headers.authorization === 'Bearer signer'
        ? answer(response, 200, TYPE, manifest.bytes)
        : answer(response, 403, {}, one.method === 'HEAD' ? '' : DENIED);
    };
    it('who has credentials says so after the refusal', async () => {
      await using server = await scripted(gateway);
      const store = server.store(USER);
      assert.ok(await store.manifest('v1'));
      assert.ok(await store.manifest('v1'));
      assert.deepEqual(server.lines(), [
        'GET /v2/app/manifests/v1',
        'GET /v2/',
        'GET /token?service=reg&scope=repository%3Aapp%3Apull',
        'GET /v2/app/manifests/v1',
        'GET /v2/app/manifests/v1',
      ]);
      assert.equal(tokens(server)[0]?.headers.authorization, BASIC);
    });
    it('who has none is refused for the reason that the registry gives, by HEAD as well', async () => {
      await using server = await scripted(gateway);
      await assert.rejects(server.store().resolve('v1'), {
        code: 'registry.denied',
        message: /refused by policy prod \(decision 01M\)/,
      });
      assert.ok(server.lines().every((line) => line.endsWith('/v2/app/manifests/v1')));
    });
  });

  it('a bearer token of the options is sent as it is, first', () =>
    withBearer({ accepts: (value) => value === 'Bearer mine' }, async (server) => {
      assert.ok(await server.store({ token: 'mine' }).manifest('v1'));
      assert.equal(server.seen.length, 1);
    }));

  const broken: readonly { name: string; token: Script; code: string }[] = [
    {
      name: 'a web page',
      token: (_, r) => answer(r, 200, {}, '<html>'),
      code: 'registry.malformed-answer',
    },
    {
      name: 'no token',
      token: (_, r) => answer(r, 200, {}, '{}'),
      code: 'registry.malformed-answer',
    },
    {
      name: 'a token with a line break',
      token: (_, r) => answer(r, 200, {}, '{"token":"a\\r\\nx: y"}'),
      code: 'registry.malformed-answer',
    },
    {
      name: 'an endless answer',
      token: (_, r) => answer(r, 200, {}, Buffer.alloc(2 << 20)),
      code: 'registry.limit',
    },
    { name: '401', token: (_, r) => answer(r, 401), code: 'registry.unauthorized' },
    { name: '403', token: (_, r) => answer(r, 403), code: 'registry.denied' },
    { name: '500', token: (_, r) => answer(r, 500), code: 'registry.server-error' },
    {
      name: '429',
      token: (_, r) => answer(r, 429, { 'retry-after': '9999' }),
      code: 'registry.rate-limited',
    },
    { name: 'silence', token: () => {}, code: 'registry.timeout' },
  ];
  for (const { name, token, code } of broken) {
    it(`${name} instead of a token: ${code}`, () =>
      withBearer({ token }, async (server) => {
        await assert.rejects(server.store({ timeoutMs: 300 }).manifest('v1'), { code });
      }));
  }
  for (const realm of ['', 'file:///etc/passwd', 'token', 'http://u:p@127.0.0.1/token']) {
    it(`the realm ${JSON.stringify(realm)} is none`, () =>
      withBearer({ realm: () => realm }, async (server) => {
        await assert.rejects(server.store(USER).manifest('v1'), {
          code: 'registry.malformed-answer',
        });
      }));
  }
});

describe('a token service on another host (semantics 19)', () => {
  // The same loopback server under another name: to the client a different host.
  const elsewhere = (self: () => Scripted): string =>
    `${self().origin.replace('127.0.0.1', 'localhost')}/token`;

  it('is asked, but never gets the credentials', () =>
    withBearer({ realm: elsewhere }, async (server) => {
      assert.ok(await server.store(USER).manifest('v1'));
      assert.deepEqual(
        tokens(server).map(({ headers }) => headers.authorization),
        [undefined],
      );
    }));

  it('that wants credentials is a fault that says why they were withheld', () =>
    withBearer(
      { realm: elsewhere, token: (_, response) => answer(response, 401) },
      async (server) => {
        await assert.rejects(server.store(USER).manifest('v1'), (error) => {
          assert.ok(error instanceof Error && 'code' in error);
          assert.equal(error.code, 'registry.unauthorized');
          assert.match(error.message, /withheld/);
          return !error.message.includes('pa:ss');
        });
      },
    ));

  it('gets them by configuration only over TLS', () =>
    withBearer({ realm: elsewhere }, async (server) => {
      const given: Partial<RegistryOptions> = {
        ...USER,
        tokenHosts: { [server.host]: ['localhost'] },
      };
      assert.ok(await server.store(given).manifest('v1'));
      assert.deepEqual(
        tokens(server).map(({ headers }) => headers.authorization),
        [undefined],
      );
    }));
});

describe('scopes', () => {
  it('a token for writing serves for reading as well', async () => {
    let self: Scripted | undefined;
    await using server = await scripted((one, response) => {
      if (one.url.startsWith('/token')) return answer(response, 200, {}, '{"token":"t"}');
      if (one.headers.authorization === undefined) {
        const challenge = `Bearer realm="${self?.origin}/token",service="reg"`;
        return answer(response, 401, { 'www-authenticate': challenge });
      }
      if (one.method === 'PUT') return answer(response, 201);
      return answer(response, 200, TYPE, manifest.bytes);
    });
    self = server;
    const store = server.store();
    await store.putManifest(manifest, { tag: 'v1' });
    await store.manifest('v1');
    assert.deepEqual(
      tokens(server).map(({ url }) => url),
      ['/token?service=reg&scope=repository%3Aapp%3Apull%2Cpush'],
    );
  });
});

describe('ping', () => {
  it('says whether credentials are accepted', async () => {
    await using server = await scripted((one, response) =>
      one.headers.authorization === BASIC
        ? answer(response, 200, {}, '{}')
        : answer(response, 401, { 'www-authenticate': 'Basic realm="x"' }),
    );
    await pingRegistry(server.host, options(USER));
    await assert.rejects(pingRegistry(server.host, options()), { code: 'registry.unauthorized' });
    assert.ok(
      openRegistryStore({ kind: 'registry', registry: server.host, repository: 'a' }, options()),
    );
  });
});
