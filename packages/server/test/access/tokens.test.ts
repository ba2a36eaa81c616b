import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { actorOf, OPERATOR } from '../../src/access/actor.ts';
import { newTokenSecret } from '../../src/access/secrets.ts';
import type { NewToken } from '../../src/access/tokens.ts';
import { mayAct, type RepositoryScope, type Role } from '../../src/http/principal.ts';
import { addUser, type Setting, setUp } from './setting.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const INVALID = { code: 'access.credentials-invalid' };
const PULL: readonly RepositoryScope[] = [{ repository: '**', actions: ['pull'] }];

async function actor(setting: Setting, name: string, role: Role) {
  const user = await addUser(setting, name, role);
  return { id: user.id, as: actorOf(user.session.principal) };
}

describe('a token', () => {
  it('is shown once, and is not in the list', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const mia = await actor(setting, 'mia', 'member');
    const { token, secret } = await access.createToken(mia.as, { name: 'ci', repositories: PULL });
    const list = await access.listTokens(mia.as, { user: mia.id });
    assert.deepEqual(list, [token]);
    assert.ok(!JSON.stringify(list).includes(secret));
    const { principal } = await access.ofToken(secret);
    assert.equal(principal.name, 'token ci of mia');
    assert.equal(principal.kind, 'token');
    assert.equal(principal.user, mia.id);
  });

  it('lives 90 days unless told otherwise, and ends on time', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const mia = await actor(setting, 'mia', 'member');
    const { token, secret } = await access.createToken(mia.as, { name: 'ci', repositories: PULL });
    assert.equal(token.expires.getTime() - setting.clock().getTime(), 90 * DAY);
    setting.pass(90 * DAY - 1);
    await access.ofToken(secret);
    setting.pass(1);
    await assert.rejects(access.ofToken(secret), INVALID);
  });

  it('is revoked at once, here and on another replica within a second', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const replica = setting.replica();
    const mia = await actor(setting, 'mia', 'member');
    const { token, secret } = await access.createToken(mia.as, { name: 'ci', repositories: PULL });
    await access.ofToken(secret);
    await replica.ofToken(secret);
    const revoked = await access.revokeToken(mia.as, token.id);
    assert.ok(revoked.revoked !== null);
    await assert.rejects(access.ofToken(secret), INVALID);
    setting.pass(1000);
    await assert.rejects(replica.ofToken(secret), INVALID);
    assert.deepEqual((await access.revokeToken(mia.as, token.id)).revoked, revoked.revoked);
  });

  it('says when it was used, to the minute', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const mia = await actor(setting, 'mia', 'member');
    const { secret } = await access.createToken(mia.as, { name: 'ci', repositories: PULL });
    const used = async () => (await access.listTokens(mia.as, { user: mia.id }))[0]?.lastUsed;
    assert.equal(await used(), null);
    await access.ofToken(secret);
    const first = setting.clock();
    assert.deepEqual(await used(), first);
    setting.pass(MINUTE - 1);
    await access.ofToken(secret);
    assert.deepEqual(await used(), first);
    setting.pass(1);
    await access.ofToken(secret);
    assert.deepEqual(await used(), setting.clock());
  });

  it('is not found by another secret of the same form', async () => {
    await using setting = await setUp();
    for (const secret of [newTokenSecret(), 'bulla_', '', `bulla_${'A'.repeat(49)}`]) {
      await assert.rejects(setting.access.ofToken(secret), INVALID);
    }
  });
});

describe('a token to make', () => {
  const at = Date.parse('2026-11-21T12:00:00.000Z');
  const within = (ms: number) => new Date(at + ms);
  const sign: readonly RepositoryScope[] = [{ repository: 'app', actions: ['pull', 'sign'] }];
  const cases: readonly {
    readonly name: string;
    readonly role: Role;
    readonly token: Omit<NewToken, 'name'> & { readonly name?: string };
    readonly code: string | null;
  }[] = [
    { name: 'nothing', role: 'owner', token: {}, code: 'token-invalid' },
    {
      name: 'no name',
      role: 'owner',
      token: { name: '', repositories: PULL },
      code: 'name-invalid',
    },
    {
      name: 'a control in its name',
      role: 'owner',
      token: { name: 'a\u001bb', repositories: PULL },
      code: 'name-invalid',
    },
    {
      name: 'a scope without actions',
      role: 'owner',
      token: { repositories: [{ repository: 'a', actions: [] }] },
      code: 'token-invalid',
    },
    {
      name: 'an empty glob',
      role: 'owner',
      token: { repositories: [{ repository: '', actions: ['pull'] }] },
      code: 'token-invalid',
    },
    {
      name: 'an expiry that is past',
      role: 'owner',
      token: { repositories: PULL, expires: within(0) },
      code: 'token-invalid',
    },
    {
      name: 'an expiry that is no date',
      role: 'owner',
      token: { repositories: PULL, expires: new Date(Number.NaN) },
      code: 'token-invalid',
    },
    {
      name: '366 days',
      role: 'owner',
      token: { repositories: PULL, expires: within(366 * DAY) },
      code: null,
    },
    {
      name: 'longer than 366 days',
      role: 'owner',
      token: { repositories: PULL, expires: within(366 * DAY + 1) },
      code: 'token-invalid',
    },
    {
      name: 'sign for 24 hours',
      role: 'member',
      token: { repositories: sign, expires: within(DAY) },
      code: null,
    },
    { name: 'sign, by default', role: 'member', token: { repositories: sign }, code: null },
    {
      name: 'sign for longer than 24 hours',
      role: 'owner',
      token: { repositories: sign, expires: within(DAY + 1) },
      code: 'token-invalid',
    },
    {
      name: 'sign for who may not push',
      role: 'viewer',
      token: { repositories: sign },
      code: 'exceeds-rights',
    },
    {
      name: 'push for a viewer',
      role: 'viewer',
      token: { repositories: [{ repository: 'a', actions: ['push'] }] },
      code: 'exceeds-rights',
    },
    {
      name: 'delete for a member',
      role: 'member',
      token: { repositories: [{ repository: 'a', actions: ['delete'] }] },
      code: 'exceeds-rights',
    },
    {
      name: 'pull for an auditor',
      role: 'auditor',
      token: { repositories: PULL },
      code: 'exceeds-rights',
    },
    {
      name: 'the record for an auditor',
      role: 'auditor',
      token: { permissions: ['record.export'] },
      code: null,
    },
    {
      name: 'the record for a member',
      role: 'member',
      token: { permissions: ['record.read'] },
      code: 'exceeds-rights',
    },
    {
      name: 'owners for an admin',
      role: 'admin',
      token: { permissions: ['owners.manage'] },
      code: 'exceeds-rights',
    },
  ];
  for (const { name, role, token, code } of cases) {
    it(`${code === null ? 'may' : 'may not'} have ${name} (${role})`, async () => {
      await using setting = await setUp();
      const { as } = await actor(setting, 'x', role);
      const create = setting.access.createToken(as, { name: 'ci', ...token });
      if (code === null) await create;
      else await assert.rejects(create, { code: `access.${code}` });
    });
  }

  it('with sign never lives longer than 24 hours, whatever is configured (semantics 15)', async () => {
    await using setting = await setUp({ signTokenMostMs: 30 * DAY, tokenMs: 30 * DAY });
    const { as } = await actor(setting, 'x', 'owner');
    const { token } = await setting.access.createToken(as, { name: 'ci', repositories: sign });
    assert.equal(token.expires.getTime() - at, DAY);
  });
});

describe('a token is never more than the role of its owner', () => {
  it('when the role shrinks, and is again when it grows', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const olga = await actor(setting, 'olga', 'owner');
    await actor(setting, 'otto', 'owner');
    const { secret } = await access.createToken(olga.as, {
      name: 'all',
      permissions: ['record.read', 'overview.read', 'owners.manage'],
      repositories: [{ repository: 'a/**', actions: ['pull', 'push', 'delete', 'sign'] }],
      expires: new Date(setting.clock().getTime() + HOUR),
    });
    const may = async () => {
      const { principal } = await access.ofToken(secret);
      const actions = (['pull', 'push', 'delete', 'sign'] as const).filter((action) =>
        mayAct(principal, 'a/b/c', action),
      );
      return [[...principal.permissions].sort().join(' '), actions.join(' ')];
    };
    assert.deepEqual(await may(), [
      'overview.read owners.manage record.read',
      'pull push delete sign',
    ]);
    await access.setRole(OPERATOR, olga.id, 'member');
    assert.deepEqual(await may(), ['overview.read', 'pull push sign']);
    await access.setRole(OPERATOR, olga.id, 'viewer');
    assert.deepEqual(await may(), ['overview.read', 'pull']);
    await access.setRole(OPERATOR, olga.id, 'auditor');
    assert.deepEqual(await may(), ['overview.read record.read', '']);
    await access.setRole(OPERATOR, olga.id, 'owner');
    assert.deepEqual(await may(), [
      'overview.read owners.manage record.read',
      'pull push delete sign',
    ]);
  });
});

describe('tokens of others', () => {
  it('are made, listed and revoked by who manages tokens, and by nobody who has less', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const olga = await actor(setting, 'olga', 'owner');
    const adam = await actor(setting, 'adam', 'admin');
    const mia = await actor(setting, 'mia', 'member');
    const ofOlga = await access.createToken(olga.as, { name: 'ci', repositories: PULL });
    const forMia = await access.createToken(adam.as, {
      name: 'ci',
      user: mia.id,
      repositories: PULL,
    });
    assert.equal(forMia.token.owner.name, 'mia');
    assert.equal((await access.listTokens(adam.as, 'everybody')).length, 2);
    const cases = [
      {
        act: () => access.createToken(mia.as, { name: 'x', user: olga.id, repositories: PULL }),
        code: 'denied',
      },
      {
        act: () => access.createToken(adam.as, { name: 'x', user: olga.id, repositories: PULL }),
        code: 'exceeds-rights',
      },
      {
        act: () => access.createToken(adam.as, { name: 'x', user: 'user_0', repositories: PULL }),
        code: 'user-unknown',
      },
      {
        act: () => access.createToken(OPERATOR, { name: 'x', repositories: PULL }),
        code: 'token-invalid',
      },
      { act: () => access.listTokens(mia.as, 'everybody'), code: 'denied' },
      { act: () => access.listTokens(mia.as, { user: olga.id }), code: 'denied' },
      { act: () => access.revokeToken(mia.as, ofOlga.token.id), code: 'token-unknown' },
      { act: () => access.revokeToken(mia.as, 'token_0'), code: 'token-unknown' },
      { act: () => access.revokeToken(adam.as, ofOlga.token.id), code: 'exceeds-rights' },
    ];
    for (const { act, code } of cases) await assert.rejects(act, { code: `access.${code}` });
    await access.revokeToken(adam.as, forMia.token.id);
    await assert.rejects(access.ofToken(forMia.secret), INVALID);
    await access.ofToken(ofOlga.secret);
  });
});

describe('a token made with a token', () => {
  it('has no more than it, ends no later, and is revoked with it', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const olga = await actor(setting, 'olga', 'owner');
    const expires = new Date(setting.clock().getTime() + HOUR);
    const parent = await access.createToken(olga.as, {
      name: 'parent',
      permissions: ['tokens.own', 'overview.read'],
      repositories: [{ repository: 'a/**', actions: ['pull', 'push'] }],
      expires,
    });
    const as = actorOf((await access.ofToken(parent.secret)).principal);
    const excess: readonly NewToken[] = [
      { name: 'x', permissions: ['record.read'] },
      { name: 'x', repositories: PULL },
      { name: 'x', repositories: [{ repository: 'a/**', actions: ['pull', 'sign'] }] },
      { name: 'x', permissions: ['overview.read'], expires: new Date(expires.getTime() + 1) },
    ];
    for (const token of excess) {
      await assert.rejects(access.createToken(as, token), { code: 'access.exceeds-rights' });
    }
    const child = await access.createToken(as, {
      name: 'child',
      permissions: ['tokens.own', 'overview.read'],
    });
    assert.deepEqual(child.token.expires, expires);
    const childAs = actorOf((await access.ofToken(child.secret)).principal);
    const grandchild = await access.createToken(childAs, {
      name: 'g',
      permissions: ['overview.read'],
    });
    await access.revokeToken(olga.as, parent.token.id);
    for (const { secret } of [parent, child, grandchild]) {
      await assert.rejects(access.ofToken(secret), INVALID);
    }
    const late = access.createToken(as, { name: 'late', permissions: ['overview.read'] });
    await assert.rejects(late, INVALID);
  });

  it('that manages users makes none that can do what it cannot', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const olga = await actor(setting, 'olga', 'owner');
    const { secret } = await access.createToken(olga.as, {
      name: 'users',
      permissions: ['users.manage', 'users.read', 'tokens.own', 'tokens.manage'],
    });
    const as = actorOf((await access.ofToken(secret)).principal);
    const add = access.addUser(as, { name: 'evil', role: 'owner' });
    await assert.rejects(add, { code: 'access.exceeds-rights' });
    await assert.rejects(access.makeLink(as, olga.id), { code: 'access.exceeds-rights' });
  });
});
