import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OPERATOR } from '../../src/access/actor.ts';
import type { HttpServer } from '../../src/http/server.ts';
import { parseChallenge, startRegistry, urlOf } from './registry.ts';
import { addUser, basic, PASSWORD, type Setting, setUp } from './setting.ts';

const FORM = 'application/x-www-form-urlencoded; charset=utf-8';

interface TokenAnswer {
  readonly token: string;
  readonly access_token: string;
  readonly expires_in: number;
  readonly issued_at: string;
  readonly scope: string;
  readonly refresh_token?: string;
}

let setting: Setting;
let server: HttpServer;
let url: string;
const secrets = { pull: '', sign: '', viewer: '' };

before(async () => {
  setting = await setUp();
  const { access } = setting;
  server = await startRegistry(setting);
  url = urlOf(server);
  const mia = await addUser(setting, 'mia', 'member');
  await addUser(setting, 'vera', 'viewer');
  await addUser(setting, 'anna', 'auditor');
  const scope = (repository: string, ...actions: ('pull' | 'push' | 'sign')[]) => ({
    repository,
    actions,
  });
  const make = async (...repositories: ReturnType<typeof scope>[]) =>
    (await access.createToken(OPERATOR, { name: 'ci', user: mia.id, repositories })).secret;
  secrets.pull = await make(scope('team/*', 'pull'));
  secrets.sign = await make(scope('team/*', 'pull', 'push', 'sign'));
});

after(async () => {
  await server.close();
  await setting[Symbol.asyncDispose]();
});

async function get(query: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/auth/token?${query}`, { headers });
}

async function post(form: Record<string, string>, type = FORM): Promise<Response> {
  const body = new URLSearchParams(form).toString();
  return fetch(`${url}/auth/token`, { method: 'POST', headers: { 'content-type': type }, body });
}

async function granted(response: Response): Promise<TokenAnswer> {
  assert.equal(response.status, 200, await response.clone().text());
  const answer = (await response.json()) as TokenAnswer;
  assert.equal(answer.token, answer.access_token);
  assert.equal(answer.refresh_token, undefined);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  return answer;
}

describe('requests as clients send them', () => {
  const asMia = () => ({ authorization: basic('mia', PASSWORD) });
  const cases: readonly {
    readonly name: string;
    readonly query: string;
    readonly headers?: () => Record<string, string>;
    readonly expect: string;
  }[] = [
    {
      name: 'docker login',
      query: 'account=mia&client_id=docker&offline_token=true&service=bulla-registry',
      headers: asMia,
      expect: '',
    },
    {
      name: 'docker pull',
      query:
        'account=mia&client_id=docker&offline_token=true&service=bulla-registry&scope=repository%3Aapp%3Apull',
      headers: asMia,
      expect: 'repository:app:pull',
    },
    {
      name: 'docker push',
      query: 'account=mia&scope=repository%3Aapp%3Apush%2Cpull&service=bulla-registry',
      headers: asMia,
      expect: 'repository:app:push,pull',
    },
    {
      name: 'docker push with a mount from another repository',
      query:
        'scope=repository%3Aa%2Fapp%3Apull%2Cpush&scope=repository%3Ab%2Fbase%3Apull&service=bulla-registry',
      headers: asMia,
      expect: 'repository:a/app:pull,push repository:b/base:pull',
    },
    {
      name: 'docker pull without a login',
      query: 'scope=repository%3Alibrary%2Falpine%3Apull&service=bulla-registry',
      expect: 'repository:library/alpine:pull',
    },
    {
      name: 'containerd by GET, several scopes',
      query:
        'scope=repository%3Aapp%3Apull&scope=repository%3Aapp%3Apull%2Cpush&service=bulla-registry',
      headers: asMia,
      expect: 'repository:app:pull,push',
    },
    {
      name: 'skopeo delete',
      query: 'account=mia&scope=repository%3Aapp%3A%2A&service=bulla-registry',
      headers: asMia,
      expect: 'repository:app:pull,push',
    },
    {
      name: 'crane catalog',
      query: 'scope=registry%3Acatalog%3A%2A&service=bulla-registry',
      headers: asMia,
      expect: 'registry:catalog:*',
    },
    {
      name: 'crane catalog with an API token that may pull one repository',
      query: 'scope=registry%3Acatalog%3A%2A&service=bulla-registry',
      headers: () => ({ authorization: basic('x', secrets.pull) }),
      expect: 'registry:catalog:*',
    },
    {
      name: 'an API token as the password of whatever name',
      query: 'scope=repository%3Ateam%2Fapp%3Apull%2Cpush&service=bulla-registry',
      headers: () => ({ authorization: basic('whatever', secrets.pull) }),
      expect: 'repository:team/app:pull',
    },
    {
      name: 'an API token that signs, though no client asks for sign',
      query: 'scope=repository%3Ateam%2Fapp%3Apull%2Cpush&service=bulla-registry',
      headers: () => ({ authorization: basic('x', secrets.sign) }),
      expect: 'repository:team/app:pull,push,sign',
    },
    {
      name: 'an API token, for a repository that it does not have',
      query: 'scope=repository%3Aother%3Apull&service=bulla-registry',
      headers: () => ({ authorization: basic('x', secrets.sign) }),
      expect: '',
    },
    {
      name: 'somebody who asks for sign without a token that has it',
      query: 'scope=repository%3Aapp%3Apull%2Csign&service=bulla-registry',
      headers: asMia,
      expect: 'repository:app:pull',
    },
    {
      name: 'nobody who asks to push',
      query: 'scope=repository%3Aapp%3Apull%2Cpush%2Cdelete%2Csign&service=bulla-registry',
      expect: 'repository:app:pull',
    },
    {
      name: 'a viewer who asks to push',
      query: 'scope=repository%3Aapp%3Apull%2Cpush&service=bulla-registry',
      headers: () => ({ authorization: basic('vera', PASSWORD) }),
      expect: 'repository:app:pull',
    },
    {
      name: 'an auditor',
      query: 'scope=repository%3Aapp%3Apull&scope=registry%3Acatalog%3A%2A',
      headers: () => ({ authorization: basic('anna', PASSWORD) }),
      expect: '',
    },
  ];
  for (const { name, query, headers, expect } of cases) {
    it(`answer ${name} with ${expect === '' ? 'nothing' : expect}`, async () => {
      const answer = await granted(await get(query, headers?.()));
      assert.equal(answer.scope, expect);
      assert.equal(answer.expires_in, 300);
      assert.equal(answer.issued_at, setting.clock().toISOString());
    });
  }

  it('answer containerd by POST, with a password and with an API token as refresh token', async () => {
    const scope = 'repository:team/app:pull,push repository:base:pull';
    const form = { scope, service: 'bulla-registry', client_id: 'containerd-client' };
    const byPassword = await granted(
      await post({ ...form, grant_type: 'password', username: 'mia', password: PASSWORD }),
    );
    assert.equal(byPassword.scope, scope);
    const byToken = await granted(
      await post({
        ...form,
        grant_type: 'refresh_token',
        refresh_token: secrets.pull,
        access_type: 'offline',
      }),
    );
    assert.equal(byToken.scope, 'repository:team/app:pull');
  });
});

describe('what is refused', () => {
  const cases: readonly {
    readonly name: string;
    readonly send: () => Promise<Response>;
    readonly status: number;
    readonly code: string;
    readonly error: string;
  }[] = [
    {
      name: 'a wrong password, also where nobody may pull',
      send: () => get('scope=repository:app:pull', { authorization: basic('mia', 'wrong') }),
      status: 401,
      code: 'access.credentials-invalid',
      error: 'invalid_grant',
    },
    {
      name: 'an API token that is none',
      send: () => get('', { authorization: basic('mia', `bulla_${'A'.repeat(49)}`) }),
      status: 401,
      code: 'access.credentials-invalid',
      error: 'invalid_grant',
    },
    {
      name: 'a Bearer',
      send: () => get('', { authorization: `Bearer ${secrets.pull}` }),
      status: 401,
      code: 'access.unauthenticated',
      error: 'invalid_grant',
    },
    {
      name: 'an Authorization that cannot be read',
      send: () => get('', { authorization: 'Basic ###' }),
      status: 401,
      code: 'access.unauthenticated',
      error: 'invalid_grant',
    },
    {
      name: 'another service',
      send: () => get('service=registry.example'),
      status: 400,
      code: 'access.token-request-invalid',
      error: 'invalid_request',
    },
    {
      name: 'two services',
      send: () => get('service=bulla-registry&service=other'),
      status: 400,
      code: 'access.token-request-invalid',
      error: 'invalid_request',
    },
    {
      name: 'a malformed scope',
      send: () => get('scope=repository:APP:pull'),
      status: 400,
      code: 'access.scope-malformed',
      error: 'invalid_scope',
    },
    {
      name: 'a refresh token that is no API token',
      send: () => post({ grant_type: 'refresh_token', refresh_token: 'abc' }),
      status: 400,
      code: 'access.grant-unsupported',
      error: 'unsupported_grant_type',
    },
    {
      name: 'another grant',
      send: () => post({ grant_type: 'authorization_code', code: 'abc' }),
      status: 400,
      code: 'access.grant-unsupported',
      error: 'unsupported_grant_type',
    },
    {
      name: 'no grant',
      send: () => post({}),
      status: 400,
      code: 'access.grant-unsupported',
      error: 'unsupported_grant_type',
    },
    {
      name: 'a password grant without a password',
      send: () => post({ grant_type: 'password', username: 'mia' }),
      status: 400,
      code: 'access.token-request-invalid',
      error: 'invalid_request',
    },
    {
      name: 'a form that is JSON',
      send: () => post({ grant_type: 'password' }, 'application/json'),
      status: 400,
      code: 'access.token-request-invalid',
      error: 'invalid_request',
    },
    {
      name: 'a form of 40 KiB',
      send: () => post({ grant_type: 'password', username: 'x'.repeat(40_000) }),
      status: 413,
      code: 'http.body-too-large',
      error: 'invalid_request',
    },
    {
      name: 'another path',
      send: () => fetch(`${url}/auth/tokens`),
      status: 404,
      code: 'http.not-found',
      error: 'invalid_request',
    },
    {
      name: 'another method',
      send: () => fetch(`${url}/auth/token`, { method: 'DELETE' }),
      status: 405,
      code: 'http.method-unsupported',
      error: 'invalid_request',
    },
  ];
  for (const { name, send, status, code, error } of cases) {
    it(`is ${name}`, async () => {
      const response = await send();
      assert.equal(response.status, status);
      const body = (await response.json()) as {
        readonly errors: readonly { readonly detail: { readonly code: string } }[];
        readonly error: string;
      };
      assert.equal(body.errors[0]?.detail.code, code);
      assert.equal(body.error, error);
    });
  }

  it('is a password after too many that were wrong, with the time to wait', async () => {
    await addUser(setting, 'slow', 'viewer');
    const send = (password: string) => get('', { authorization: basic('slow', password) });
    for (let count = 0; count < 5; count++) assert.equal((await send('wrong')).status, 401);
    const response = await send(PASSWORD);
    assert.equal(response.status, 429);
    assert.equal(response.headers.get('retry-after'), '900');
  });
});

describe('docker’s way from the challenge to the answer', () => {
  it('ends at an answer, with a password, with a token, and as nobody', async () => {
    const ways = [
      { headers: { authorization: basic('vera', PASSWORD) }, expect: 'user vera' },
      { headers: { authorization: basic('x', secrets.pull) }, expect: 'token token ci of mia' },
      { headers: {}, expect: 'anonymous anonymous' },
    ];
    for (const { headers, expect } of ways) {
      const ping = await fetch(`${url}/v2/`);
      assert.equal(ping.status, 401);
      const challenge = parseChallenge(ping.headers.get('www-authenticate'));
      assert.equal(challenge.get('scheme'), 'Bearer');
      assert.equal(challenge.get('realm'), `${url}/auth/token`);
      const query = new URLSearchParams({
        service: challenge.get('service') ?? '',
        scope: 'repository:team/app:pull',
      });
      const { token } = await granted(
        await fetch(`${challenge.get('realm')}?${query}`, { headers }),
      );
      const bearer = { authorization: `Bearer ${token}` };
      assert.equal((await fetch(`${url}/v2/`, { headers: bearer })).status, 200);
      const pull = await fetch(`${url}/v2/team/app/manifests/v1`, { headers: bearer });
      assert.equal(await pull.text(), expect);
    }
  });

  it('leads from a token that is too narrow to the one that a push needs', async () => {
    const headers = { authorization: basic('mia', PASSWORD) };
    const narrow = await granted(await get('scope=repository:app:pull', headers));
    const put = (token: string) =>
      fetch(`${url}/v2/app/manifests/v1`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}` },
      });
    const refused = await put(narrow.token);
    assert.equal(refused.status, 401);
    const challenge = parseChallenge(refused.headers.get('www-authenticate'));
    assert.equal(challenge.get('error'), 'insufficient_scope');
    assert.equal(challenge.get('scope'), 'repository:app:pull,push');
    const wide = await granted(
      await get(new URLSearchParams({ scope: challenge.get('scope') ?? '' }).toString(), headers),
    );
    assert.equal((await put(wide.token)).status, 200);
  });
});
