import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfterMs, waitMs } from '../../src/stream/backoff.ts';
import { STREAM_PACE } from '../../src/stream/config.ts';
import { readEvent, writeEvent } from '../../src/stream/event.ts';
import { compileFilter, NO_FILTER } from '../../src/stream/filter.ts';
import { requestId } from '../../src/stream/send.ts';
import { made, refused } from '../record/room.ts';
import { actEvent, decisionEvent, EVERY } from './formats/events.ts';

test('waits double up to the longest, less up to a half, and not before what was asked', () => {
  const waits = [1, 2, 3, 7, 8, 100].map((failures) =>
    waitMs(failures, null, STREAM_PACE, () => 0),
  );
  assert.deepEqual(waits, [1000, 2000, 4000, 60_000, 60_000, 60_000]);
  assert.equal(
    waitMs(3, null, STREAM_PACE, () => 0.5),
    3000,
  );
  assert.equal(
    waitMs(1, 90_000, STREAM_PACE, () => 0),
    90_000,
  );
  assert.equal(
    waitMs(8, 10, STREAM_PACE, () => 0),
    60_000,
  );
  assert.equal(
    waitMs(1, 1e12, STREAM_PACE, () => 0),
    STREAM_PACE.longestAskedMs,
  );
});

test('Retry-After is seconds or a date, and nothing else', () => {
  const at = new Date('2026-05-01T12:00:00Z');
  const cases: readonly (readonly [string | undefined, number | null])[] = [
    ['120', 120_000],
    ['0', 0],
    ['Fri, 01 May 2026 12:01:00 GMT', 60_000],
    ['Fri, 01 May 2026 11:00:00 GMT', 0],
    [undefined, null],
    ['', null],
    ['-1', null],
    ['1.5', null],
    ['9999999999', null],
    ['2026-05-01', null],
    ['soon', null],
  ];
  for (const [header, expected] of cases) assert.equal(retryAfterMs(header, at), expected, header);
});

const DENIED = decisionEvent(refused({ namespace: 'shop', surface: 'admission' }));
const PASSED = decisionEvent(made());
const APPROVED = actEvent('exception.approved');
const [GAP] = EVERY.filter(({ kind }) => kind === 'gap');
const [REPEATS] = EVERY.filter((event) => event.kind === 'entry' && event.body.kind === 'repeats');

test('filters choose decisions and acts, and never leave a gap out', async (t) => {
  const all = { DENIED, PASSED, APPROVED, REPEATS };
  const cases: readonly (readonly [Partial<typeof NO_FILTER>, readonly string[]])[] = [
    [{}, ['DENIED', 'PASSED', 'APPROVED', 'REPEATS']],
    [{ effects: ['deny'] }, ['DENIED']],
    [{ effects: ['deny', 'pass'] }, ['DENIED', 'PASSED']],
    [{ acts: ['exception.*'] }, ['APPROVED']],
    [{ acts: ['break-glass.*'] }, []],
    [{ acts: ['exception'] }, []],
    [{ effects: ['deny'], acts: ['exception.*'] }, ['DENIED', 'APPROVED']],
    [{ effects: ['deny'], surfaces: ['pull'] }, []],
    [{ namespaces: ['shop'] }, ['DENIED']],
    [{ policies: ['prod'] }, ['DENIED', 'PASSED']],
    [{ policies: ['dev'] }, []],
    [{ repositories: ['registry.example/prod/*'] }, ['DENIED', 'PASSED']],
    [{ repositories: ['registry.example/*'] }, []],
  ];
  for (const [filter, expected] of cases) {
    await t.test(JSON.stringify(filter), () => {
      const wants = compileFilter({ ...NO_FILTER, ...filter });
      const wanted = Object.entries(all).filter(([, event]) => event !== undefined && wants(event));
      assert.deepEqual(
        wanted.map(([name]) => name),
        expected,
      );
      assert.ok(GAP !== undefined && wants(GAP));
    });
  }
});

test('an event is read from a dead letter as it was', () => {
  for (const event of EVERY) assert.deepEqual(readEvent(writeEvent(event)), event);
  for (const text of ['', '{', '{"kind":"entry"}', '{"kind":"gap","from":-1}', '[]']) {
    assert.throws(() => readEvent(text), { name: 'TrustFault' });
  }
});

test('the id of a request is that of its event, or the range of its batch', () => {
  const [first, second] = EVERY;
  assert.ok(first !== undefined && second !== undefined);
  assert.equal(requestId([second]), second.id);
  assert.equal(requestId([first, second]), `1-${second.id}`);
});
