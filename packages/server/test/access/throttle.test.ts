import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCESS_CONFIG } from '../../src/access/config.ts';
import { openThrottle, type Throttle } from '../../src/access/throttle.ts';

const LIMITS = { ...ACCESS_CONFIG, attemptsPerPair: 2, attemptsPerAddress: 4, attemptsPerUser: 3 };
const TOO_MANY = { code: 'access.too-many-attempts' };

function guess(throttle: Throttle, name: string, address: string): Promise<boolean> {
  return throttle.guard(name, address, async () => false);
}

test('an address that may try nothing more does not make the guesses at others forgotten', async () => {
  const throttle = openThrottle(LIMITS, () => 0);
  for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) {
    assert.equal(await guess(throttle, 'ann', address), false);
  }
  for (const name of ['a', 'b', 'c', 'd']) await guess(throttle, name, '198.51.100.1');
  for (let at = 0; at < 60_000; at++) {
    await assert.rejects(guess(throttle, `user-${at}`, '198.51.100.1'), TOO_MANY);
  }
  await assert.rejects(guess(throttle, 'ann', '192.0.2.4'), TOO_MANY);
});

test('names that are too long for any user are counted as few, whatever their length', async () => {
  const throttle = openThrottle(LIMITS, () => 0);
  const long = 'x'.repeat(65);
  for (const [at, tail] of ['a', 'b'.repeat(30_000)].entries()) {
    assert.equal(await guess(throttle, `${long}${tail}`, `192.0.2.${at}`), false);
  }
  assert.equal(await guess(throttle, `${long}c`, '192.0.2.9'), false);
  await assert.rejects(guess(throttle, `${long}d`, '192.0.2.10'), TOO_MANY);
  assert.equal(await guess(throttle, 'x'.repeat(64), '192.0.2.10'), false);
});
