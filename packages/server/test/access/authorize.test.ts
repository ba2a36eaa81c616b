import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPERATOR } from '../../src/access/actor.ts';
import { createRegistryAccess } from '../../src/access/authorize.ts';
import { SESSION_COOKIE } from '../../src/access/cookie.ts';
import { parseScopeParameters } from '../../src/access/registry-scope.ts';
import { ANONYMOUS } from '../../src/access/standing.ts';
import type { RegistryAction } from '../../src/http/principal.ts';
import {
  BASE,
  bearer,
  CATALOG,
  DENIED,
  need,
  parseChallenge,
  REMOTE,
  UNAUTHENTICATED,
} from './registry.ts';
import { addUser, basic, PASSWORD, request, type Setting, setUp } from './setting.ts';

const MINUTE = 60_000;

async function issue({ access }: Setting, name: string, scope: string): Promise<string> {
  const subject = await access.ofPassword({ name, password: PASSWORD, address: '127.0.0.1' });
  return (await access.issueRegistryToken(subject, parseScopeParameters([scope]))).token;
}

async function issueAs({ access }: Setting, secret: string, scope: string): Promise<string> {
  const { whole, expires } = await access.ofToken(secret);
  const subject = { principal: whole, expires };
  return (await access.issueRegistryToken(subject, parseScopeParameters([scope]))).token;
}

describe('a registry token', () => {
  it('does what it was granted, and is challenged for what its user could have had', async () => {
    await using setting = await setUp();
    const registry = createRegistryAccess(setting.access);
    await addUser(setting, 'mia', 'member');
    const token = await issue(setting, 'mia', 'repository:app:pull');
    const principal = await registry.authorize(bearer(token), need('pull'));
    assert.equal(principal.name, 'mia');
    assert.ok(registry.may(principal, 'app', 'pull'));
    assert.ok(!registry.may(principal, 'app', 'push'));
    assert.ok(!registry.may(principal, 'app/web', 'pull'));
    await registry.authorize(bearer(token), BASE);
    for (const wanted of [need('push'), need('pull', 'other'), CATALOG]) {
      const asked = bearer(token);
      await assert.rejects(registry.authorize(asked, wanted), UNAUTHENTICATED);
      const found = parseChallenge(registry.challenge(asked, wanted));
      assert.equal(found.get('error'), 'insufficient_scope');
    }
    await assert.rejects(registry.authorize(bearer(token), need('delete')), DENIED);
  });

  it('for the catalogue lists what its user may pull', async () => {
    await using setting = await setUp();
    const registry = createRegistryAccess(setting.access);
    const mia = await addUser(setting, 'mia', 'member');
    const { secret } = await setting.access.createToken(OPERATOR, {
      name: 'ci',
      user: mia.id,
      repositories: [{ repository: 'team/*', actions: ['pull', 'push'] }],
    });
    const token = await issueAs(setting, secret, 'registry:catalog:*');
    const principal = await registry.authorize(bearer(token), CATALOG);
    assert.ok(registry.may(principal, 'team/app', 'pull'));
    assert.ok(!registry.may(principal, 'team/app', 'push'));
    assert.ok(!registry.may(principal, 'other', 'pull'));
    await assert.rejects(
      registry.authorize(bearer(token), need('pull', 'team/app')),
      UNAUTHENTICATED,
    );
  });

  it('says nothing of a repository to who has no right to it: unknown and forbidden look alike', async () => {
    await using setting = await setUp({ anonymousPull: false });
    const registry = createRegistryAccess(setting.access);
    const mia = await addUser(setting, 'mia', 'member');
    const { secret } = await setting.access.createToken(OPERATOR, {
      name: 'ci',
      user: mia.id,
      repositories: [{ repository: 'team/*', actions: ['pull'] }],
    });
    const faults = await Promise.allSettled(
      ['secret/there', 'secret/none'].map((name) =>
        registry.authorize(
          request({ headers: { authorization: basic('x', secret) } }),
          need('pull', name),
        ),
      ),
    );
    const said = faults.map((one, index) =>
      one.status === 'rejected'
        ? one.reason.message.replace(['secret/there', 'secret/none'][index], 'NAME')
        : 'let in',
    );
    assert.equal(said[0], said[1]);
    assert.notEqual(said[0], 'let in');
  });

  it('ends with its five minutes', async () => {
    await using setting = await setUp();
    const registry = createRegistryAccess(setting.access);
    await addUser(setting, 'mia', 'member');
    const token = await issue(setting, 'mia', 'repository:app:pull');
    setting.pass(5 * MINUTE - 1);
    await registry.authorize(bearer(token), need('pull'));
    setting.pass(1);
    const asked = bearer(token);
    await assert.rejects(registry.authorize(asked, need('pull')), UNAUTHENTICATED);
    const found = parseChallenge(registry.challenge(asked, need('pull')));
    assert.equal(found.get('error'), 'invalid_token');
  });

  it('ends with the API token that it was issued to, whichever is first', async () => {
    await using setting = await setUp();
    const registry = createRegistryAccess(setting.access);
    const mia = await addUser(setting, 'mia', 'member');
    const { secret } = await setting.access.createToken(OPERATOR, {
      name: 'ci',
      user: mia.id,
      repositories: [{ repository: 'app', actions: ['pull'] }],
      expires: new Date(setting.clock().getTime() + MINUTE),
    });
    const token = await issueAs(setting, secret, 'repository:app:pull');
    await registry.authorize(bearer(token), need('pull'));
    setting.pass(MINUTE);
    await assert.rejects(registry.authorize(bearer(token), need('pull')), UNAUTHENTICATED);
  });

  const ends: readonly {
    readonly name: string;
    readonly act: (setting: Setting, user: string, token: string) => Promise<unknown>;
    readonly token: boolean;
    readonly code: { readonly code: string };
  }[] = [
    {
      name: 'its API token is revoked',
      act: ({ access }, _user, token) => access.revokeToken(OPERATOR, token),
      token: true,
      code: UNAUTHENTICATED,
    },
    {
      name: 'the user of its API token is disabled',
      act: ({ access }, user) => access.setDisabled(OPERATOR, user, true),
      token: true,
      code: UNAUTHENTICATED,
    },
    {
      name: 'its user is disabled',
      act: ({ access }, user) => access.setDisabled(OPERATOR, user, true),
      token: false,
      code: UNAUTHENTICATED,
    },
    {
      name: 'its user gets a role without the right',
      act: ({ access }, user) => access.setRole(OPERATOR, user, 'viewer'),
      token: false,
      code: DENIED,
    },
    {
      name: 'the user of its API token gets such a role',
      act: ({ access }, user) => access.setRole(OPERATOR, user, 'viewer'),
      token: true,
      code: DENIED,
    },
    {
      name: 'its user gets another password',
      async act({ access, pass }, user) {
        pass(1);
        const link = await access.makeLink(OPERATOR, user);
        await access.useLink({ link: link.secret, password: 'another tapir walnut' });
      },
      token: false,
      code: UNAUTHENTICATED,
    },
  ];
  for (const { name, act, token: byToken, code } of ends) {
    it(`ends at once when ${name}, and within a second on another replica`, async () => {
      await using setting = await setUp();
      const registry = createRegistryAccess(setting.access);
      const replica = createRegistryAccess(setting.replica());
      const mia = await addUser(setting, 'mia', 'member');
      const { token: api, secret } = await setting.access.createToken(OPERATOR, {
        name: 'ci',
        user: mia.id,
        repositories: [{ repository: 'app', actions: ['pull', 'push'] }],
      });
      const scope = 'repository:app:pull,push';
      const token = await (byToken
        ? issueAs(setting, secret, scope)
        : issue(setting, 'mia', scope));
      for (const one of [registry, replica]) await one.authorize(bearer(token), need('push'));
      await act(setting, mia.id, api.id);
      await assert.rejects(registry.authorize(bearer(token), need('push')), code);
      setting.pass(1000);
      await assert.rejects(replica.authorize(bearer(token), need('push')), code);
    });
  }

  it('goes on when somebody else loses a right', async () => {
    await using setting = await setUp();
    const registry = createRegistryAccess(setting.access);
    await addUser(setting, 'mia', 'member');
    const other = await addUser(setting, 'max', 'member');
    const token = await issue(setting, 'mia', 'repository:app:push');
    await registry.authorize(bearer(token), need('push'));
    await setting.access.setDisabled(OPERATOR, other.id, true);
    await registry.authorize(bearer(token), need('push'));
  });
});

describe('sign (semantics 15)', () => {
  it('is had by a token with that scope for that repository, and by nobody else', async () => {
    await using setting = await setUp();
    const registry = createRegistryAccess(setting.access);
    const olga = await addUser(setting, 'olga', 'owner');
    const make = async (repository: string, ...actions: RegistryAction[]) =>
      (
        await setting.access.createToken(OPERATOR, {
          name: 'ci',
          user: olga.id,
          repositories: [{ repository, actions }],
        })
      ).secret;
    const push = await make('**', 'pull', 'push', 'delete');
    const sign = await make('app', 'pull', 'push', 'sign');
    const asked = 'repository:app:pull,push,sign repository:other:pull,push,sign';
    const cases = [
      { name: 'the owner', token: await issue(setting, 'olga', asked), app: false },
      { name: 'a token that pushes', token: await issueAs(setting, push, asked), app: false },
      { name: 'a token that signs app', token: await issueAs(setting, sign, asked), app: true },
    ];
    for (const { name, token, app } of cases) {
      const principal = await registry.authorize(bearer(token), need('pull'));
      assert.equal(registry.may(principal, 'app', 'sign'), app, name);
      assert.equal(registry.may(principal, 'other', 'sign'), false, name);
    }
    const principal = await registry.authorize(request(), need('pull'));
    assert.equal(registry.may(principal, 'app', 'sign'), false);
  });
});

describe('credentials of another kind (semantics 20)', () => {
  it('are an API token in Basic, beside whatever name', async () => {
    await using setting = await setUp();
    const registry = createRegistryAccess(setting.access);
    const mia = await addUser(setting, 'mia', 'member');
    const { secret } = await setting.access.createToken(OPERATOR, {
      name: 'ci',
      user: mia.id,
      repositories: [{ repository: 'app', actions: ['pull'] }],
    });
    const asked = request({ headers: { authorization: basic('', secret) } });
    assert.equal((await registry.authorize(asked, need('pull'))).name, 'token ci of mia');
    await registry.authorize(asked, BASE);
    await assert.rejects(registry.authorize(asked, need('push')), DENIED);
    const listing = await registry.authorize(asked, CATALOG);
    assert.ok(registry.may(listing, 'app', 'pull'));
    assert.ok(!registry.may(listing, 'other', 'pull'));
  });

  it('that may pull nothing list nothing', async () => {
    await using setting = await setUp();
    const registry = createRegistryAccess(setting.access);
    const mia = await addUser(setting, 'mia', 'member');
    const { secret } = await setting.access.createToken(OPERATOR, {
      name: 'publisher',
      user: mia.id,
      permissions: ['repositories.read'],
      repositories: [{ repository: 'app', actions: ['push'] }],
    });
    const asked = request({ headers: { authorization: basic('x', secret) } });
    await assert.rejects(registry.authorize(asked, CATALOG), DENIED);
    const granted = await issueAs(setting, secret, 'registry:catalog:*');
    await assert.rejects(registry.authorize(bearer(granted), CATALOG), DENIED);
  });

  it('list nothing where none come and nobody pulls without', async () => {
    await using setting = await setUp({ anonymousPull: false });
    const registry = createRegistryAccess(setting.access);
    await assert.rejects(registry.authorize(request(), CATALOG), UNAUTHENTICATED);
  });

  it('are not taken: a cookie, a password, an API token as Bearer, a registry token in Basic', async () => {
    await using setting = await setUp({ anonymousPull: false });
    const registry = createRegistryAccess(setting.access);
    const mia = await addUser(setting, 'mia', 'member');
    const { secret } = await setting.access.createToken(OPERATOR, {
      name: 'ci',
      user: mia.id,
      repositories: [{ repository: '**', actions: ['pull'] }],
    });
    const token = await issue(setting, 'mia', 'repository:app:pull');
    const headers = [
      { cookie: `${SESSION_COOKIE}=${mia.session.secret}` },
      { authorization: basic('mia', PASSWORD) },
      { authorization: `Bearer ${secret}` },
      { authorization: `Bearer ${mia.session.secret}` },
      { authorization: basic('mia', token) },
      { authorization: `Basic ${token}` },
      { authorization: 'Bearer' },
      { authorization: 'Negotiate abc' },
      { authorization: '' },
    ];
    for (const one of headers) {
      const asked = request({ headers: one });
      await assert.rejects(registry.authorize(asked, need('pull')), UNAUTHENTICATED);
      await assert.rejects(registry.authorize(asked, BASE), UNAUTHENTICATED);
    }
  });

  it('that are wrong are not taken for none, also where nobody needs any', async () => {
    await using setting = await setUp();
    const registry = createRegistryAccess(setting.access);
    for (const authorization of [basic('x', `bulla_${'A'.repeat(49)}`), 'Bearer v1.x', 'Basic x']) {
      const asked = request({ headers: { authorization } });
      await assert.rejects(registry.authorize(asked, need('pull')), UNAUTHENTICATED);
    }
  });

  it('for nobody, fetched on loopback, are worth nothing elsewhere', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const registry = createRegistryAccess(access);
    const subject = { principal: ANONYMOUS, expires: null };
    const asked = parseScopeParameters(['repository:app:pull,push', 'registry:catalog:*']);
    const { token } = await access.issueRegistryToken(subject, asked);
    await registry.authorize(bearer(token), need('pull'));
    await registry.authorize(bearer(token), CATALOG);
    await assert.rejects(registry.authorize(bearer(token), need('push')), UNAUTHENTICATED);
    for (const wanted of [need('pull'), BASE, CATALOG]) {
      await assert.rejects(registry.authorize(bearer(token, REMOTE), wanted), UNAUTHENTICATED);
    }
  });
});
