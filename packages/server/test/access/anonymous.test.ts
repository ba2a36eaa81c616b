import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRegistryAccess } from '../../src/access/authorize.ts';
import type { AccessConfig } from '../../src/access/config.ts';
import type { HttpRequest } from '../../src/http/exchange.ts';
import type { RegistryNeed } from '../../src/http/principal.ts';
import { BASE, CATALOG, need, parseChallenge, REMOTE, UNAUTHENTICATED } from './registry.ts';
import { request, setUp } from './setting.ts';

describe('without credentials', () => {
  const loopback = request();
  const cases: readonly {
    readonly name: string;
    readonly config?: Partial<AccessConfig>;
    readonly request: HttpRequest;
    readonly need: RegistryNeed;
    readonly expect: boolean;
  }[] = [
    { name: 'a pull on loopback', request: loopback, need: need('pull'), expect: true },
    { name: 'the catalogue on loopback', request: loopback, need: CATALOG, expect: true },
    {
      name: 'a pull on ::1',
      request: request({ remoteAddress: '::1', listener: 'http://[::1]:5000', host: '[::1]:5000' }),
      need: need('pull'),
      expect: true,
    },
    {
      name: 'a pull as localhost',
      request: request({ host: 'localhost:5000' }),
      need: need('pull'),
      expect: true,
    },
    {
      name: 'the probe, so that clients learn how to log in',
      request: loopback,
      need: BASE,
      expect: false,
    },
    { name: 'a push', request: loopback, need: need('push'), expect: false },
    { name: 'a delete', request: loopback, need: need('delete'), expect: false },
    { name: 'what is unverified', request: loopback, need: need('sign'), expect: false },
    {
      name: 'a pull from elsewhere',
      request: request({ remoteAddress: '192.0.2.7' }),
      need: need('pull'),
      expect: false,
    },
    {
      name: 'a pull on a listener for all addresses',
      request: request({ listener: 'https://0.0.0.0:5443' }),
      need: need('pull'),
      expect: false,
    },
    {
      name: 'a pull by a page whose name was bent to lead here',
      request: request({ host: 'evil.example:5000' }),
      need: need('pull'),
      expect: false,
    },
    {
      name: 'a pull by a page under a look-alike of localhost',
      request: request({ host: 'localhost.evil.example' }),
      need: need('pull'),
      expect: false,
    },
    {
      name: 'a pull under 127.0.0.1 as part of a name',
      request: request({ host: '127.0.0.1.nip.io' }),
      need: need('pull'),
      expect: false,
    },
    {
      name: 'a pull that a proxy on this machine forwards',
      request: request({ headers: { 'x-forwarded-for': '198.51.100.7' } }),
      need: need('pull'),
      expect: false,
    },
    {
      name: 'a pull by Forwarded',
      request: request({ headers: { forwarded: 'for=127.0.0.1' } }),
      need: need('pull'),
      expect: false,
    },
    {
      name: 'a pull where it is off',
      config: { anonymousPull: false },
      request: loopback,
      need: need('pull'),
      expect: false,
    },
    {
      name: 'a pull from elsewhere where it is on',
      config: { anonymousPull: true },
      request: request(REMOTE),
      need: need('pull'),
      expect: true,
    },
    {
      name: 'a push from elsewhere where pulls are on',
      config: { anonymousPull: true },
      request: request(REMOTE),
      need: need('push'),
      expect: false,
    },
  ];
  for (const { name, config, request: asked, need: wanted, expect } of cases) {
    it(`${expect ? 'lets through' : 'challenges'} ${name}`, async () => {
      await using setting = await setUp(config);
      const registry = createRegistryAccess(setting.access);
      const answer = registry.authorize(asked, wanted);
      if (expect) assert.equal((await answer).kind, 'anonymous');
      else await assert.rejects(answer, UNAUTHENTICATED);
    });
  }
});

describe('the challenge', () => {
  const cases = [
    { need: BASE, expect: undefined },
    { need: CATALOG, expect: 'registry:catalog:*' },
    { need: need('pull', 'a/b'), expect: 'repository:a/b:pull' },
    { need: need('push', 'a/b'), expect: 'repository:a/b:pull,push' },
    { need: need('delete', 'a/b'), expect: 'repository:a/b:delete' },
    { need: need('sign', 'a/b'), expect: 'repository:a/b:pull,sign' },
  ] as const;
  for (const { need: wanted, expect } of cases) {
    it(`asks for ${expect ?? 'nothing'} by ${JSON.stringify(wanted)}`, async () => {
      await using setting = await setUp();
      const registry = createRegistryAccess(setting.access);
      const found = parseChallenge(registry.challenge(request(), wanted));
      assert.equal(found.get('scope'), expect);
      assert.equal(found.get('error'), undefined);
    });
  }

  const mounts = [
    { query: 'mount=sha256:0&from=c/d', expect: 'repository:a/b:pull,push repository:c/d:pull' },
    { query: 'mount=sha256:0', expect: 'repository:a/b:pull,push' },
    { query: 'from=c/d', expect: 'repository:a/b:pull,push' },
    { query: 'mount=sha256:0&from=c%22,x=%22', expect: 'repository:a/b:pull,push' },
    { query: `mount=sha256:0&from=${'c'.repeat(600)}`, expect: 'repository:a/b:pull,push' },
  ];
  for (const { query, expect } of mounts) {
    it(`of a push with ${query.slice(0, 40)} asks for ${expect}`, async () => {
      await using setting = await setUp();
      const registry = createRegistryAccess(setting.access);
      const asked = request({ method: 'POST', query });
      const found = parseChallenge(registry.challenge(asked, need('push', 'a/b')));
      assert.equal(found.get('scope'), expect);
    });
  }

  it('leads to the origin that the caller reached, or to the one that is configured', async () => {
    await using setting = await setUp();
    const registry = createRegistryAccess(setting.access);
    const realm = (asked: HttpRequest) =>
      parseChallenge(registry.challenge(asked, BASE)).get('realm');
    assert.equal(realm(request()), 'http://127.0.0.1:5000/auth/token');
    assert.equal(realm(request(REMOTE)), 'https://registry.example/auth/token');
    await using behind = await setUp({ origin: 'https://images.example' });
    const other = createRegistryAccess(behind.access);
    const found = parseChallenge(other.challenge(request(), BASE));
    assert.equal(found.get('realm'), 'https://images.example/auth/token');
  });
});
