import assert from 'node:assert/strict';
import test from 'node:test';
import { asCount, asInstant, asUint63, cursor, member } from '@bulla/trust/bytes/shape';

function at(value: unknown) {
  return cursor(value, 'document', 'json.malformed');
}

const INSTANTS = [
  ['2026-11-21T02:19:03Z', '2026-11-21T02:19:03.000Z'],
  ['2026-11-21T02:19:03.123456789Z', '2026-11-21T02:19:03.123Z'],
  ['2026-11-21T00:30:00+02:00', '2026-11-20T22:30:00.000Z'],
  ['2024-02-29T23:59:59-00:30', '2024-03-01T00:29:59.000Z'],
  ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
] as const;

for (const [text, expect] of INSTANTS) {
  test(`the instant ${text} is read`, () => {
    assert.equal(asInstant(at(text)).toISOString(), expect);
  });
}

const NO_INSTANTS = [
  '2026-02-30T00:00:00Z',
  '2023-02-29T00:00:00Z',
  '2026-04-31T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-10T00:00:00Z',
  '2026-01-01T00:60:00Z',
  '2026-12-31T23:59:60Z',
  '2026-01-01T00:00:00',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01 00:00:00Z',
  '2026-01-01',
  'Sat Nov 21 2026',
  '2026-01-01T00:00:00Z\n',
  1_700_000_000,
  null,
] as const;

for (const value of NO_INSTANTS) {
  test(`${JSON.stringify(value)} is no instant`, () => {
    assert.throws(() => asInstant(at(value)), { code: 'json.malformed' });
  });
}

test('a whole number of 63 bits is read as text or as a number', () => {
  assert.equal(asUint63(at('9223372036854775807')), 9223372036854775807n);
  assert.equal(asUint63(at(5)), 5n);
  for (const value of ['9223372036854775808', '01', '-1', '1.0', '', ' 1', 2 ** 53, -1, 1.5, '٣']) {
    assert.throws(() => asUint63(at(value)), { code: 'json.malformed' }, String(value));
  }
});

test('a count is a whole number that JSON can hold exactly', () => {
  assert.equal(asCount(at(2 ** 53 - 1)), 2 ** 53 - 1);
  for (const value of [2 ** 53, -1, 0.5, '1', null, true]) {
    assert.throws(() => asCount(at(value)), { code: 'json.malformed' });
  }
});

test('an inherited member is no member', () => {
  assert.equal(member(at({}), 'toString').value, undefined);
  assert.equal(member(at(JSON.parse('{"__proto__":1}')), '__proto__').value, 1);
});
