import assert from 'node:assert/strict';
import { test } from 'node:test';
import { healthDoor, type ReadyCheck, readyDoor } from '../../src/http/probes.ts';
import { faultOf } from '../storage/expectations.ts';
import { requestOf } from './request.ts';

const good: ReadyCheck = { name: 'tables', check: async () => {} };
const bad: ReadyCheck = {
  name: 'policies',
  async check() {
    throw new Error('postgres://user:secret@host is gone');
  },
};
const thrown: ReadyCheck = {
  name: 'thrown',
  check() {
    throw new Error('at once');
  },
};

const CASES = [
  { name: 'nothing to check', checks: [], status: 200, body: { status: 'ready' } },
  { name: 'all is well', checks: [good], status: 200, body: { status: 'ready' } },
  {
    name: 'some fail',
    checks: [good, bad, thrown],
    status: 503,
    body: { status: 'not ready', failing: ['policies', 'thrown'] },
  },
] as const;

for (const { name, checks, status, body } of CASES) {
  test(`when ${name}, /readyz is ${status} and names what fails, and nothing secret`, async () => {
    const reply = await readyDoor(checks).handle(requestOf());
    assert.equal(reply.status, status);
    assert.deepEqual(JSON.parse(String(reply.body)), body);
  });
}

test('a check that hangs fails, and is told to end', async () => {
  let ended = false;
  const hangs: ReadyCheck = {
    name: 'registry',
    check: (signal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => {
          ended = true;
        });
      }),
  };
  const reply = await readyDoor([hangs], { timeoutMs: 5 }).handle(requestOf());
  assert.equal(reply.status, 503);
  assert.equal(ended, true);
});

test('many who ask at once are answered by one run, and later ones by another', async () => {
  let runs = 0;
  const clock = { nowMs: 0 };
  const counted: ReadyCheck = {
    name: 'counted',
    async check() {
      runs++;
    },
  };
  const door = readyDoor([counted], { keepMs: 500, nowMs: () => clock.nowMs });
  await Promise.all(Array.from({ length: 50 }, () => door.handle(requestOf())));
  assert.equal(runs, 1);
  clock.nowMs = 500;
  await door.handle(requestOf());
  assert.equal(runs, 2);
});

test('/healthz answers whatever is not ready', async () => {
  assert.equal((await healthDoor().handle(requestOf())).status, 200);
});

test('probes have no other path and no other method', async () => {
  for (const door of [healthDoor(), readyDoor([])]) {
    await assert.rejects(door.handle(requestOf({ path: '/x' })), faultOf('http.not-found'));
    const posted = door.handle(requestOf({ method: 'POST' }));
    await assert.rejects(posted, faultOf('http.method-unsupported'));
  }
});
