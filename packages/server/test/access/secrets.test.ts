import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  isPlainSecret,
  isTokenSecret,
  newId,
  newPlainSecret,
  newTokenSecret,
  secretHash,
} from '../../src/access/secrets.ts';

describe('a token secret', () => {
  it('has the form that scanners look for, and 256 bits of chance', () => {
    const one = newTokenSecret();
    assert.match(one, /^bulla_[A-Za-z0-9_-]{49}$/);
    assert.ok(isTokenSecret(one));
    assert.notEqual(one, newTokenSecret());
  });

  it('is not one when any of its characters is another', () => {
    const secret = newTokenSecret();
    for (let at = 0; at < secret.length; at++) {
      const other = secret[at] === 'A' ? 'B' : 'A';
      assert.equal(isTokenSecret(`${secret.slice(0, at)}${other}${secret.slice(at + 1)}`), false);
    }
  });

  for (const text of ['', 'bulla_', `bulla_${'A'.repeat(49)}`, `${newTokenSecret()}\n`]) {
    it(`is not ${JSON.stringify(text.slice(0, 20))} of ${text.length}`, () => {
      assert.equal(isTokenSecret(text), false);
    });
  }
});

it('a plain secret has 32 bytes', () => {
  assert.ok(isPlainSecret(newPlainSecret()));
  assert.equal(Buffer.from(newPlainSecret(), 'base64url').length, 32);
  assert.equal(isPlainSecret(''), false);
});

it('what is kept of a secret is its SHA-256', () => {
  assert.equal(
    secretHash('abc'),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

it('ids sort by time', () => {
  const ids = [0, 1, 1000, 1.7e12, 1.9e12].map((at) => newId('act', new Date(at)));
  assert.deepEqual([...ids].sort(), ids);
});
