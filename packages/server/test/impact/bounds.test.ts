import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { CelRunner } from '@bulla/trust/policy/cel/runner';
import { ANN, attesting, EITHER, openScene, policyText, type Stored, simulating } from './scene.ts';

test('an image whose time ended while it was asked about is left, whenever that was', async () => {
  let left = 0;
  // Whoever asks for the time is told the next number, so each limit ends the run at another place.
  for (let deadlineMs = 1; deadlineMs < 40; deadlineMs += 1) {
    let ticks = 0;
    await using scene = await openScene({ deadlineMs }, () => ticks++);
    await scene.decided('p256');
    await scene.decided('p384');
    const { totals, result }: Stored = await scene.impact.simulate(ANN, simulating(EITHER));
    assert.equal(totals.images + totals.left, 2);
    assert.deepEqual(result.changes, []);
    assert.equal(totals.complete, totals.left === 0);
    left += totals.left;
    const changes = [{ kind: 'retire-key' as const, key: 'dev' }];
    const impact: Stored = await scene.impact.impact(ANN, { days: 7, runningDays: 7, changes });
    assert.equal(impact.totals.images + impact.totals.left, 2);
    const told = impact.result.images.map((one: Stored) => one.impact);
    assert.ok(
      told.every((one: string) => one === 'lost'),
      told.join(),
    );
  }
  assert.ok(left > 2);
});

test('expressions that take the whole time refuse no image, and hold up nobody for longer', async () => {
  const slow: CelRunner = {
    checkExpression: async () => undefined,
    async evaluate(_expression, _variables, { deadlineMs }) {
      time += deadlineMs;
      asked += 1;
      throw new TrustFault('cel.timeout', 'late');
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  let time = 0;
  let asked = 0;
  await using scene = await openScene({ deadlineMs: 3000 }, () => time, slow, attesting);
  await scene.decided('key-legacy', { attested: true });
  const clause = '{ attested: { type: slsaprovenance1, by: [dev], where: "predicate.x == 1" } }';
  const text = policyText(`{ all: [${Array.from({ length: 100 }, () => clause).join(', ')}] }`);
  const { totals, result }: Stored = await scene.impact.simulate(ANN, simulating(text));
  assert.deepEqual([totals.images, totals.left, totals.complete], [0, 1, false]);
  assert.deepEqual(result.changes, []);
  assert.ok(asked > 0 && time <= 3000, `${asked} ${time}`);
});

test('what is asked is one short line, and what comes out can be read again', async () => {
  await using scene = await openScene();
  await scene.decided('p256');
  const both = '{ signed: { of: [dev, qa], atLeast: 2 } }';
  const many = Array.from({ length: 400 }, (_, at) => policyText(both, '', `p${at}`));
  const documents = [{ file: `a\u0000\n${'x'.repeat(2000)}`, text: many.join('---\n') }];
  const stored: Stored = await scene.impact.simulate(ANN, simulating('', { documents }));
  assert.ok(stored.asked.length < 600);
  assert.doesNotMatch(stored.asked, /\p{Cc}/u);
  assert.equal(stored.result.changes[0].because.length, 20);
  assert.deepEqual(await scene.impact.get(stored.id), JSON.parse(JSON.stringify(stored)));
});

test('more policies than one simulation may have are refused, however they are divided', async () => {
  await using scene = await openScene();
  await scene.decided('p256');
  const either = '{ signed: { of: [dev, qa] } }';
  const documents = (count: number) =>
    Array.from({ length: Math.ceil(count / 100) }, (_, file) => {
      const names = Array.from({ length: Math.min(100, count - file * 100) }, (_, at) => at);
      const policies = names.map((at) => policyText(either, '', `p${file * 100 + at}`));
      return { file: `${file}.yaml`, text: policies.join('---\n') };
    });
  await scene.impact.simulate(ANN, simulating('', { documents: documents(500) }));
  await assert.rejects(scene.impact.simulate(ANN, simulating('', { documents: documents(501) })), {
    code: 'impact.candidate-invalid',
  });
});
