import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressBytes, plainAddress } from '../../src/http/address.ts';
import { callerOfAddress, createRateLimit, retryAfterOf } from '../../src/http/rate.ts';
import { faultOf } from '../storage/expectations.ts';

function limit(perSecond: number, burst: number, callersMost?: number) {
  const clock = { nowMs: 0 };
  const rate = createRateLimit({ perSecond, burst }, () => clock.nowMs, callersMost);
  const allowed = (caller: string): boolean => {
    try {
      rate.take(caller);
      return true;
    } catch (error) {
      faultOf('http.rate-limited')(error);
      return false;
    }
  };
  return { clock, rate, allowed };
}

test('a caller has its burst, then its rate, and never more than its burst', () => {
  const { clock, allowed } = limit(2, 3);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => allowed('a')),
    [true, true, true, false],
  );
  clock.nowMs = 499;
  assert.equal(allowed('a'), false);
  clock.nowMs = 500;
  assert.deepEqual([allowed('a'), allowed('a')], [true, false]);
  clock.nowMs = 3600_000;
  assert.deepEqual(
    [1, 2, 3, 4].map(() => allowed('a')),
    [true, true, true, false],
  );
});

test('one caller does not use up what another has', () => {
  const { allowed } = limit(1, 1);
  assert.deepEqual([allowed('a'), allowed('a'), allowed('b')], [true, false, true]);
});

test('asking while refused does not put off the next token', () => {
  const { clock, allowed } = limit(1, 1);
  allowed('a');
  for (clock.nowMs = 100; clock.nowMs < 1000; clock.nowMs += 100) assert.equal(allowed('a'), false);
  assert.equal(allowed('a'), true);
});

test('a refusal says after how many whole seconds a token is there', () => {
  const { rate, clock } = limit(0.1, 1);
  rate.take('a');
  const waitOf = () => {
    try {
      rate.take('a');
      return null;
    } catch (error) {
      return error instanceof Error ? retryAfterOf(error) : null;
    }
  };
  assert.equal(waitOf(), 10);
  clock.nowMs = 8500;
  assert.equal(waitOf(), 2);
  assert.equal(retryAfterOf(new Error('another')), null);
});

test('no more callers are remembered than may be, and the quietest goes first', () => {
  const { rate, allowed } = limit(1, 1, 3);
  for (const caller of ['a', 'b', 'c', 'a', 'd']) allowed(caller);
  assert.equal(rate.callers, 3);
  assert.deepEqual([allowed('a'), allowed('d'), allowed('b')], [false, false, true]);
});

const CALLERS = [
  { address: '192.0.2.1', expect: '192.0.2.1' },
  { address: '2001:db8::1', expect: '20010db800000000::/64' },
  { address: '2001:db8:0:0:ffff::1', expect: '20010db800000000::/64' },
  { address: '2001:db8:0:1::1', expect: '20010db800000001::/64' },
  { address: 'fe80::1%eth0', expect: 'fe80000000000000::/64' },
  { address: '::1', expect: '0000000000000000::/64' },
  { address: '', expect: '' },
] as const;

for (const { address, expect } of CALLERS) {
  test(`${address || 'no address'} is counted as ${expect}`, () => {
    assert.equal(callerOfAddress(address), expect);
  });
}

test('an IPv4 address in IPv6 is written as what it is', () => {
  assert.equal(plainAddress('::ffff:127.0.0.1'), '127.0.0.1');
  assert.equal(plainAddress('2001:db8::1'), '2001:db8::1');
  assert.equal(plainAddress(undefined), '');
});

test('addresses have their bytes, and names have none', () => {
  assert.deepEqual(addressBytes('10.1.2.3'), Uint8Array.of(10, 1, 2, 3));
  const mapped = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4]);
  assert.deepEqual(addressBytes('::ffff:1.2.3.4'), mapped);
  assert.equal(addressBytes('localhost'), null);
});
