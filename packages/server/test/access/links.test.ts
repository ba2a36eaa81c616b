import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPERATOR } from '../../src/access/actor.ts';
import { newPlainSecret } from '../../src/access/secrets.ts';
import { addUser, PASSWORD, setUp } from './setting.ts';

const HOUR = 3600_000;
const INVALID = { code: 'access.link-invalid' };

describe('the first start', () => {
  it('makes one owner, whose link sets name and password, and a token that only pulls and pushes', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const first = await access.firstStart();
    assert.ok(first !== null);
    assert.equal(first.owner.role, 'owner');
    const { principal } = await access.ofToken(first.pushToken.secret);
    assert.deepEqual(principal.repositories, [{ repository: '**', actions: ['pull', 'push'] }]);
    assert.equal(principal.permissions.size, 0);
    const session = await access.useLink({
      link: first.link.secret,
      name: 'Olga',
      password: PASSWORD,
    });
    assert.equal(session.user.name, 'Olga');
    assert.equal(session.user.id, first.owner.id);
    await access.signIn({ name: 'olga', password: PASSWORD, address: '127.0.0.1' });
  });

  it('happens once: not again, not beside another, not when there are users', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const all = await Promise.all(
      [access, setting.replica(), setting.replica()].map((one) => one.firstStart()),
    );
    assert.equal(all.filter((one) => one !== null).length, 1);
    assert.equal(await access.firstStart(), null);
    assert.equal((await access.listUsers(OPERATOR)).length, 1);

    await using other = await setUp();
    await other.access.addUser(OPERATOR, { name: 'someone', role: 'viewer' });
    assert.equal(await other.access.firstStart(), null);
  });

  it('leaves no way in but the link: the owner has no password', async () => {
    await using setting = await setUp();
    await setting.access.firstStart();
    for (const password of ['', 'owner', PASSWORD]) {
      const signIn = setting.access.signIn({ name: 'owner', password, address: '127.0.0.1' });
      await assert.rejects(signIn, { code: 'access.credentials-invalid' });
    }
  });
});

describe('a sign-in link', () => {
  it('is used once', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const { link } = await access.addUser(OPERATOR, { name: 'mia', role: 'member' });
    await access.useLink({ link: link.secret, password: PASSWORD });
    const again = access.useLink({ link: link.secret, password: `${PASSWORD} 2` });
    await assert.rejects(again, INVALID);
    await access.signIn({ name: 'mia', password: PASSWORD, address: '127.0.0.1' });
  });

  it('used twice at the same time, on two replicas, has exactly one winner', async () => {
    await using setting = await setUp();
    const { link } = await setting.access.addUser(OPERATOR, { name: 'mia', role: 'member' });
    const passwords = ['first of the two', 'second of the two'];
    const all = await Promise.allSettled(
      passwords.map((password) => setting.replica().useLink({ link: link.secret, password })),
    );
    const winners = all.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []));
    assert.equal(winners.length, 1);
    for (const one of all) {
      if (one.status === 'rejected') assert.equal(one.reason.code, 'access.link-invalid');
    }
    const [winner = 0] = winners;
    const signIn = (index: number) =>
      setting.access.signIn({
        name: 'mia',
        password: passwords[index] ?? '',
        address: '192.0.2.9',
      });
    await signIn(winner);
    await assert.rejects(signIn(1 - winner), { code: 'access.credentials-invalid' });
  });

  it('is not used up by a password that is refused', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const { link } = await access.addUser(OPERATOR, { name: 'mia', role: 'member' });
    for (const password of ['short', 'mia mia mia mia']) {
      const use = access.useLink({ link: link.secret, password });
      await assert.rejects(use, { code: 'access.password-invalid' });
    }
    await assert.rejects(access.useLink({ link: link.secret }), {
      code: 'access.password-invalid',
    });
    await access.useLink({ link: link.secret, password: PASSWORD });
  });

  it('expires, is ended by a newer one, and is not guessed', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const { user, link } = await access.addUser(OPERATOR, { name: 'mia', role: 'member' });
    const newer = await access.makeLink(OPERATOR, user.id);
    for (const secret of [link.secret, newPlainSecret(), '', 'x'.repeat(43)]) {
      await assert.rejects(access.useLink({ link: secret, password: PASSWORD }), INVALID);
    }
    setting.pass(24 * HOUR);
    await assert.rejects(access.useLink({ link: newer.secret, password: PASSWORD }), INVALID);
  });

  it('of nobody but the first owner sets a name', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const { user, link } = await access.addUser(OPERATOR, { name: 'mia', role: 'member' });
    const use = access.useLink({ link: link.secret, password: PASSWORD, name: 'owner' });
    await assert.rejects(use, { code: 'access.name-invalid' });
    assert.equal((await access.findUser(OPERATOR, user.id)).name, 'mia');
  });

  it('of the first owner is not used up by a name that is taken', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const first = await access.firstStart();
    await access.addUser(OPERATOR, { name: 'Olga', role: 'viewer' });
    const link = first?.link.secret ?? '';
    const use = access.useLink({ link, password: PASSWORD, name: 'olga' });
    await assert.rejects(use, { code: 'access.name-taken' });
    await access.useLink({ link, password: PASSWORD, name: 'olga2' });
  });

  it('that sets a password ends the sessions on the one before, and leaves API tokens', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const mia = await addUser(setting, 'mia', 'member');
    const token = await access.createToken(OPERATOR, {
      name: 'ci',
      user: mia.id,
      permissions: ['overview.read'],
    });
    const link = await access.makeLink(OPERATOR, mia.id);
    const session = await access.useLink({ link: link.secret, password: 'another tapir walnut' });
    assert.equal(await access.findSession(mia.session.secret), null);
    assert.ok((await access.findSession(session.secret)) !== null);
    await access.ofToken(token.secret);
    const old = access.signIn({ name: 'mia', password: PASSWORD, address: '127.0.0.1' });
    await assert.rejects(old, { code: 'access.credentials-invalid' });
  });

  it('signs in who has a password, and leaves it', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const mia = await addUser(setting, 'mia', 'member');
    const link = await access.makeLink(OPERATOR, mia.id);
    await access.useLink({ link: link.secret });
    assert.ok((await access.findSession(mia.session.secret)) !== null);
    await access.signIn({ name: 'mia', password: PASSWORD, address: '127.0.0.1' });
  });
});
