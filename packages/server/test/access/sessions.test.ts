import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OPERATOR } from '../../src/access/actor.ts';
import { newTokenSecret } from '../../src/access/secrets.ts';
import { addUser, PASSWORD, setUp } from './setting.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const WRONG = { code: 'access.credentials-invalid' };
const THROTTLED = { code: 'access.too-many-attempts' };

describe('a session', () => {
  it('lives twelve hours when it is used', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const { session } = await addUser(setting, 'mia', 'member');
    for (let hour = 1; hour < 12; hour++) {
      setting.pass(HOUR);
      assert.equal((await access.findSession(session.secret))?.user.name, 'mia');
    }
    setting.pass(HOUR);
    assert.equal(await access.findSession(session.secret), null);
  });

  it('ends after two idle hours', async () => {
    await using setting = await setUp();
    const { session } = await addUser(setting, 'mia', 'member');
    setting.pass(2 * HOUR);
    assert.equal(await setting.access.findSession(session.secret), null);
  });

  it('ends when its user signs out, alone', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const { session } = await addUser(setting, 'mia', 'member');
    const other = await access.signIn({ name: 'MIA', password: PASSWORD, address: '127.0.0.1' });
    await access.signOut(session.secret);
    await access.signOut(session.secret);
    assert.equal(await access.findSession(session.secret), null);
    assert.ok((await access.findSession(other.secret)) !== null);
  });

  it('has the rights of a new role at once', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const mia = await addUser(setting, 'mia', 'member');
    await access.setRole(OPERATOR, mia.id, 'auditor');
    const session = await access.findSession(mia.session.secret);
    assert.deepEqual(session?.principal.repositories, []);
    assert.ok(session?.principal.permissions.has('record.export'));
  });

  for (const secret of ['', 'x', 'A'.repeat(43), "' or 1=1 --"]) {
    it(`is not found by ${JSON.stringify(secret)}`, async () => {
      await using setting = await setUp();
      await addUser(setting, 'mia', 'member');
      assert.equal(await setting.access.findSession(secret), null);
    });
  }

  it('that is over is swept, with links that are', async () => {
    await using setting = await setUp();
    const { access, store } = setting;
    await addUser(setting, 'mia', 'member');
    await access.addUser(OPERATOR, { name: 'max', role: 'viewer' });
    const count = async () => {
      const { db } = store.tables;
      const sessions = await db.selectFrom('sessions').selectAll().execute();
      const links = await db.selectFrom('sign_in_links').selectAll().execute();
      return [sessions.length, links.length];
    };
    assert.deepEqual(await count(), [1, 2]);
    await access.sweep();
    assert.deepEqual(await count(), [1, 1]);
    setting.pass(24 * HOUR);
    await access.sweep();
    assert.deepEqual(await count(), [0, 0]);
  });
});

describe('a sign-in', () => {
  it('says the same of a wrong password and of a user who is not there, has none or is disabled', async () => {
    await using setting = await setUp();
    const { access } = setting;
    await addUser(setting, 'mia', 'member');
    await access.addUser(OPERATOR, { name: 'new', role: 'viewer' });
    const off = await addUser(setting, 'off', 'viewer');
    await access.setDisabled(OPERATOR, off.id, true);
    const messages = new Set<string>();
    for (const [name, password] of [
      ['mia', `${PASSWORD}!`],
      ['nobody', PASSWORD],
      ['new', PASSWORD],
      ['off', PASSWORD],
      ['mia', newTokenSecret()],
    ] as const) {
      await assert.rejects(
        access.signIn({ name, password, address: '127.0.0.1' }),
        (error: Error) => {
          messages.add(error.message);
          assert.ok(!error.message.includes(password));
          return 'code' in error && error.code === WRONG.code;
        },
      );
    }
    assert.equal(messages.size, 1);
  });

  it('does the same work for a user who is not there', async () => {
    // Where one password is hashed at a time and none may wait, whoever hashes shuts others out.
    await using setting = await setUp({ passwordsAtOnce: 1, passwordsWaiting: 0 });
    const { access } = setting;
    await addUser(setting, 'mia', 'member');
    for (const name of ['mia', 'nobody']) {
      const all = await Promise.allSettled(
        ['192.0.2.1', '192.0.2.2'].map((address) =>
          access.signIn({ name, password: 'x', address }),
        ),
      );
      const codes = all.map((one) => (one.status === 'rejected' ? one.reason.code : 'none'));
      assert.deepEqual(codes.sort(), ['access.busy', 'access.credentials-invalid'], name);
    }
  });

  for (const name of ['mia', 'nobody']) {
    it(`of ${name} from one address is refused after five that failed, for a quarter of an hour`, async () => {
      await using setting = await setUp();
      const { access } = setting;
      await addUser(setting, 'mia', 'member');
      const attempt = (address: string, password = 'wrong') =>
        access.signIn({ name, password, address });
      for (let count = 0; count < 5; count++) await assert.rejects(attempt('192.0.2.1'), WRONG);
      await assert.rejects(attempt('192.0.2.1'), THROTTLED);
      await assert.rejects(attempt('192.0.2.1', PASSWORD), THROTTLED);
      await assert.rejects(attempt('192.0.2.2'), WRONG);
      setting.pass(15 * MINUTE);
      await assert.rejects(attempt('192.0.2.1'), WRONG);
    });
  }

  it('that succeeds lets its user begin anew from there', async () => {
    await using setting = await setUp();
    const { access } = setting;
    await addUser(setting, 'mia', 'member');
    const attempt = (password: string) => access.signIn({ name: 'Mia', password, address: '::1' });
    for (let round = 0; round < 3; round++) {
      for (let count = 0; count < 4; count++) await assert.rejects(attempt('wrong'), WRONG);
      await attempt(PASSWORD);
    }
  });

  it('with the right password is never refused because many come at once', async () => {
    await using setting = await setUp();
    const { access } = setting;
    await addUser(setting, 'mia', 'member');
    const asked = { name: 'mia', password: PASSWORD, address: '192.0.2.1' };
    const all = await Promise.all(Array.from({ length: 20 }, () => access.signIn(asked)));
    assert.equal(new Set(all.map(({ secret }) => secret)).size, 20);
  });

  it('is counted while others are under way, so that five at once are all', async () => {
    await using setting = await setUp();
    const { access } = setting;
    await addUser(setting, 'mia', 'member');
    const attempts = Array.from({ length: 12 }, () =>
      access.signIn({ name: 'mia', password: 'wrong', address: '192.0.2.1' }),
    );
    const codes = (await Promise.allSettled(attempts)).map((one) =>
      one.status === 'rejected' ? one.reason.code : 'none',
    );
    assert.equal(codes.filter((code) => code === WRONG.code).length, 5);
    assert.equal(codes.filter((code) => code === THROTTLED.code).length, 7);
  });

  it('from one network is refused after so many names, and of one user from so many networks', async () => {
    await using setting = await setUp({ attemptsPerAddress: 6, attemptsPerUser: 4 });
    const { access } = setting;
    const attempt = (name: string, address: string) =>
      access.signIn({ name, password: 'wrong', address });
    for (let at = 0; at < 6; at++) {
      await assert.rejects(attempt(`user${at}`, `2001:db8:1:2::${at + 1}`), WRONG);
    }
    await assert.rejects(attempt('user7', '2001:db8:1:2:ffff::1'), THROTTLED);
    await assert.rejects(attempt('user8', '2001:db8:1:3::1'), WRONG);
    for (let at = 0; at < 4; at++) await assert.rejects(attempt('olga', `192.0.2.${at}`), WRONG);
    await assert.rejects(attempt('olga', '192.0.2.99'), THROTTLED);
  });
});

describe('a change of the own password', () => {
  it('needs the one before, ends other sessions and keeps this one', async () => {
    await using setting = await setUp();
    const { access } = setting;
    const { session } = await addUser(setting, 'mia', 'member');
    const address = '127.0.0.1';
    const other = await access.signIn({ name: 'mia', password: PASSWORD, address });
    const next = 'another tapir walnut';
    const wrong = access.changePassword(session.secret, { current: 'wrong', next, address });
    await assert.rejects(wrong, WRONG);
    const weak = access.changePassword(session.secret, { current: PASSWORD, next: 'mia', address });
    await assert.rejects(weak, { code: 'access.password-invalid' });
    await access.changePassword(session.secret, { current: PASSWORD, next, address });
    assert.equal(await access.findSession(other.secret), null);
    assert.ok((await access.findSession(session.secret)) !== null);
    await access.signIn({ name: 'mia', password: next, address });
    const old = access.signIn({ name: 'mia', password: PASSWORD, address });
    await assert.rejects(old, WRONG);
    const nobody = access.changePassword('', { current: next, next: PASSWORD, address });
    await assert.rejects(nobody, { code: 'access.unauthenticated' });
  });
});
