import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { parsePhc } from '../../src/access/parse.ts';
import { checkNewPassword, openPasswords } from '../../src/access/passwords.ts';
import { PASSWORD } from './setting.ts';

const LIMITS = { atOnce: 2, waiting: 64 };

describe('passwords', () => {
  it('are hashed with argon2id, 19 MiB, 2 passes, 1 lane and a salt of their own', async () => {
    const passwords = openPasswords(LIMITS);
    const one = await passwords.hash(PASSWORD);
    const other = await passwords.hash(PASSWORD);
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    assert.notEqual(one, other);
    assert.equal(await passwords.matches(PASSWORD, one), true);
    assert.equal(await passwords.matches(`${PASSWORD} `, one), false);
  });

  it('match a hash of other parameters by what its string says', async () => {
    const passwords = openPasswords(LIMITS);
    const nonce = Buffer.from('0123456789abcdef');
    const tag = argon2Sync('argon2id', {
      message: PASSWORD,
      nonce,
      memory: 8192,
      passes: 3,
      parallelism: 2,
      tagLength: 24,
    });
    const base64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');
    const phc = `$argon2id$v=19$m=8192,t=3,p=2$${base64(nonce)}$${base64(tag)}`;
    assert.equal(await passwords.matches(PASSWORD, phc), true);
    assert.equal(await passwords.matches('another password', phc), false);
  });

  it('typed in two forms of Unicode are one password', async () => {
    const passwords = openPasswords(LIMITS);
    const phc = await passwords.hash('crème brûlée ﬁne'.normalize('NFC'));
    assert.equal(await passwords.matches('crème brûlée fine'.normalize('NFD'), phc), true);
  });

  it('of nobody match nothing', async () => {
    const passwords = openPasswords(LIMITS);
    assert.equal(await passwords.matches(PASSWORD, null), false);
  });

  it('that are longer than a password can be match nothing', async () => {
    const passwords = openPasswords(LIMITS);
    const longest = 'x1y2z'.repeat(205).slice(0, 1024);
    const phc = await passwords.hash(longest);
    assert.equal(await passwords.matches(longest, phc), true);
    assert.equal(await passwords.matches(`${longest}x`, phc), false);
  });

  it('are hashed so many at once, and beyond those that wait refused', async () => {
    const passwords = openPasswords({ atOnce: 2, waiting: 1 });
    const all = await Promise.allSettled([1, 2, 3, 4].map(() => passwords.hash(PASSWORD)));
    const refused = all.filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 1);
    assert.equal(refused[0]?.status === 'rejected' && refused[0].reason.code, 'access.busy');
    // The gate is open again.
    await passwords.hash(PASSWORD);
  });

  it('are compared in constant time', async () => {
    const url = new URL('../../src/access/passwords.ts', import.meta.url);
    const text = await readFile(url, 'utf8');
    assert.match(text, /timingSafeEqual\(tag, known\.tag\)/);
    assert.doesNotMatch(text, /(tag|hash) ===/);
  });
});

describe('a hash of a row', () => {
  const cases = [
    '',
    '$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0',
    '$argon2id$v=16$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0',
    '$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZXNhbHRzb21lc2FsdHNvbWVzYWx0',
    '$argon2id$v=19$m=19456,t=2,p=1$$',
  ];
  for (const text of cases) {
    it(`is corrupt when it is ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(() => parsePhc(text), { code: 'storage.corrupt' });
    });
  }
});

describe('a new password', () => {
  const cases = [
    { name: 'twelve characters', password: 'tapir walnut', expect: true },
    { name: 'eleven characters', password: 'tapirwalnut', expect: false },
    {
      name: 'twelve characters outside of the BMP',
      password: '🐘🦊🐼🐨🦁🐮🐷🐸🐵🐔🐧🐦',
      expect: true,
    },
    { name: '1024 characters', password: 'abcde'.repeat(205).slice(0, 1024), expect: true },
    { name: '1025 characters', password: 'abcde'.repeat(205), expect: false },
    { name: 'what normal form makes too long', password: `abcd${'ﷺ'.repeat(80)}`, expect: false },
    { name: 'a lone surrogate', password: 'tapir walnut \ud800', expect: false },
    { name: 'one character again and again', password: 'aaaaaaaaaaaaaaaa', expect: false },
    { name: 'the name again and again', password: 'AliceAliceAliceAlice', expect: false },
    { name: 'the name and a year', password: 'alice-smith-2026', expect: false },
    {
      name: 'the name in a long sentence',
      password: 'what alice saw behind the mirror',
      expect: true,
    },
    { name: 'only lower case letters', password: 'correcthorsebattery', expect: true },
  ];
  for (const { name, password, expect } of cases) {
    it(`${expect ? 'may' : 'may not'} be ${name}`, () => {
      const check = () => checkNewPassword(password, 'Alice');
      if (expect) return check();
      return assert.throws(check, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'access.password-invalid');
        assert.ok(!error.message.includes(password));
        return true;
      });
    });
  }
});
