import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Actor, actorOf, OPERATOR } from '../../src/access/actor.ts';
import type { Role } from '../../src/http/principal.ts';
import { addUser, PASSWORD, type Setting, setUp } from './setting.ts';

async function as(setting: Setting, name: string, role: Role): Promise<Actor> {
  return actorOf((await addUser(setting, name, role)).session.principal);
}

describe('users', () => {
  it('are added without a password, listed by name, and found in whatever case', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const { user } = await access.addUser(OPERATOR, { name: 'Zoe', role: 'viewer' });
    await access.addUser(OPERATOR, { name: 'anna@acme.example', role: 'member' });
    assert.equal(user.hasPassword, false);
    const names = (await access.listUsers(OPERATOR)).map(({ name }) => name);
    assert.deepEqual(names, ['anna@acme.example', 'Zoe']);
    assert.equal((await access.findUser(OPERATOR, 'zOE')).id, user.id);
    assert.equal((await access.findUser(OPERATOR, user.id)).name, 'Zoe');
    await assert.rejects(access.findUser(OPERATOR, 'nobody'), { code: 'access.user-unknown' });
  });

  for (const name of ['', ' ', 'a:b', 'a b', '-a', 'ä', 'аlice', 'a\n', `a${'b'.repeat(64)}`]) {
    it(`are not called ${JSON.stringify(name)}`, async () => {
      await using setting = await setUp();
      const add = setting.access.addUser(OPERATOR, { name, role: 'viewer' });
      await assert.rejects(add, { code: 'access.name-invalid' });
    });
  }

  it('have names of their own, whatever the case, also when two are added at once', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const adds = ['Alice', 'alice', 'ALICE'].map((name) =>
      access.addUser(OPERATOR, { name, role: 'viewer' }),
    );
    const all = await Promise.allSettled(adds);
    assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const one of all) {
      if (one.status === 'rejected') assert.equal(one.reason.code, 'access.name-taken');
    }
    assert.equal((await access.listUsers(OPERATOR)).length, 1);
  });

  it('are managed only by who has the permission and all rights of the role', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const owner = await as(setting, 'olga', 'owner');
    const admin = await as(setting, 'adam', 'admin');
    const member = await as(setting, 'mia', 'member');
    const id = async (name: string) => (await access.findUser(OPERATOR, name)).id;
    const cases = [
      {
        act: async () => access.addUser(admin, { name: 'x1', role: 'owner' }),
        code: 'exceeds-rights',
      },
      { act: async () => access.setRole(admin, await id('adam'), 'owner'), code: 'exceeds-rights' },
      {
        act: async () => access.setRole(admin, await id('olga'), 'viewer'),
        code: 'exceeds-rights',
      },
      {
        act: async () => access.setDisabled(admin, await id('olga'), true),
        code: 'exceeds-rights',
      },
      { act: async () => access.makeLink(admin, await id('olga')), code: 'exceeds-rights' },
      { act: async () => access.addUser(member, { name: 'x2', role: 'viewer' }), code: 'denied' },
      { act: async () => access.listUsers(member), code: 'denied' },
      { act: async () => access.findUser(member, 'olga'), code: 'denied' },
      { act: async () => access.findUser(member, 'nobody'), code: 'denied' },
      { act: async () => access.makeLink(member, await id('mia')), code: 'denied' },
      { act: async () => access.listActivity(member, {}), code: 'denied' },
    ];
    for (const { act, code } of cases) await assert.rejects(act, { code: `access.${code}` });
    assert.equal((await access.findUser(member, 'mia')).name, 'mia');
    await access.addUser(admin, { name: 'x3', role: 'auditor' });
    await access.setRole(owner, await id('adam'), 'owner');
  });

  it('end with all they have when they are disabled', async () => {
    await using setting = await setUp();
    const { access } = setting;
    await addUser(setting, 'olga', 'owner');
    const mia = await addUser(setting, 'mia', 'member');
    const actor = actorOf(mia.session.principal);
    const { secret } = await access.createToken(actor, {
      name: 'ci',
      repositories: [{ repository: '**', actions: ['pull'] }],
    });
    const { link } = { link: await access.makeLink(OPERATOR, mia.id) };
    await access.ofToken(secret);
    await access.setDisabled(OPERATOR, mia.id, true);
    assert.equal(await access.findSession(mia.session.secret), null);
    await assert.rejects(access.ofToken(secret), { code: 'access.credentials-invalid' });
    const use = access.useLink({ link: link.secret, password: PASSWORD });
    await assert.rejects(use, { code: 'access.link-invalid' });
    const signIn = access.signIn({ name: 'mia', password: PASSWORD, address: '192.0.2.1' });
    await assert.rejects(signIn, { code: 'access.credentials-invalid' });
    const create = access.createToken(OPERATOR, {
      name: 'ci',
      user: mia.id,
      permissions: ['overview.read'],
    });
    await assert.rejects(create, { code: 'access.denied' });
    await assert.rejects(access.makeLink(OPERATOR, mia.id), { code: 'access.denied' });

    await access.setDisabled(OPERATOR, mia.id, false);
    assert.equal(await access.findSession(mia.session.secret), null);
    assert.equal((await access.ofToken(secret)).principal.user, mia.id);
  });

  it('keep the instant at which they were first disabled', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const mia = await addUser(setting, 'mia', 'member');
    const { disabled } = await access.setDisabled(OPERATOR, mia.id, true);
    setting.pass(1000);
    assert.deepEqual((await access.setDisabled(OPERATOR, mia.id, true)).disabled, disabled);
  });
});

describe('the last owner', () => {
  it('is neither disabled nor demoted, not even by the operator', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const olga = await addUser(setting, 'olga', 'owner');
    await addUser(setting, 'adam', 'admin');
    // An owner who never signed in, and one who is disabled, could not take over.
    await access.addUser(OPERATOR, { name: 'otto', role: 'owner' });
    const odile = await addUser(setting, 'odile', 'owner');
    await access.setDisabled(OPERATOR, odile.id, true);
    for (const actor of [OPERATOR, actorOf(olga.session.principal)]) {
      const disable = access.setDisabled(actor, olga.id, true);
      await assert.rejects(disable, { code: 'access.last-owner' });
      const demote = access.setRole(actor, olga.id, 'admin');
      await assert.rejects(demote, { code: 'access.last-owner' });
    }
    await access.setRole(OPERATOR, olga.id, 'owner');
    await access.setDisabled(OPERATOR, odile.id, false);
    await access.setDisabled(OPERATOR, olga.id, true);
  });

  it('is left when two owners demote each other at the same time', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const one = await addUser(setting, 'one', 'owner');
    const two = await addUser(setting, 'two', 'owner');
    const all = await Promise.allSettled([
      access.setRole(actorOf(one.session.principal), two.id, 'viewer'),
      access.setRole(actorOf(two.session.principal), one.id, 'viewer'),
    ]);
    assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1);
    const owners = (await access.listUsers(OPERATOR)).filter(({ role }) => role === 'owner');
    assert.equal(owners.length, 1);
  });
});

describe('activity', () => {
  it('has a row for each change of users, roles and tokens, and none for what was refused', async () => {
    await using setting = await setUp();
    const { access } = setting;
    await addUser(setting, 'olga', 'owner');
    const mia = await addUser(setting, 'mia', 'member');
    setting.pass(1);
    await access.setRole(OPERATOR, mia.id, 'viewer');
    setting.pass(1);
    const { token } = await access.createToken(OPERATOR, {
      name: 'ci',
      user: mia.id,
      permissions: ['overview.read'],
    });
    setting.pass(1);
    await access.revokeToken(OPERATOR, token.id);
    setting.pass(1);
    await access.revokeToken(OPERATOR, token.id);
    await access.setDisabled(OPERATOR, mia.id, true);
    setting.pass(1);
    await access.setDisabled(OPERATOR, mia.id, false);
    setting.pass(1);
    await access.makeLink(OPERATOR, mia.id);
    const refused = access.addUser(OPERATOR, { name: 'MIA', role: 'owner' });
    await assert.rejects(refused, { code: 'access.name-taken' });
    const list = await access.listActivity(OPERATOR, {});
    const actions = list.map(({ action }) => action).slice(0, 6);
    assert.deepEqual(actions, [
      'user.link',
      'user.enable',
      'user.disable',
      'token.revoke',
      'token.create',
      'user.role',
    ]);
    assert.equal(JSON.parse(list[0]?.after ?? '').name, 'mia', 'the page names whom it is for');
    const change = list[5];
    assert.equal(change?.actor.kind, 'operator');
    assert.equal(change?.entity.id, mia.id);
    assert.equal(JSON.parse(change?.before ?? '').role, 'member');
    assert.equal(JSON.parse(change?.after ?? '').role, 'viewer');
    // Two people, each added and come in by a link.
    assert.equal(list.length, 6 + 4);
  });

  it('is read page by page', async () => {
    await using setting = await setUp();
    const { access } = setting;
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) {
      setting.pass(1);
      await access.addUser(OPERATOR, { name, role: 'viewer' });
    }
    const seen: string[] = [];
    let before: string | undefined;
    for (;;) {
      const page = await access.listActivity(OPERATOR, {
        limit: 2,
        ...(before === undefined ? {} : { before }),
      });
      if (page.length === 0) break;
      seen.push(...page.map(({ after }) => JSON.parse(after ?? '').name));
      before = page.at(-1)?.id;
    }
    assert.deepEqual(seen, ['a5', 'a4', 'a3', 'a2', 'a1']);
  });
});
