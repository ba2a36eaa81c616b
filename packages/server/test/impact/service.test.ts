import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ANN,
  EITHER,
  keys,
  openScene,
  policyText,
  REPOSITORY,
  type Stored,
  simulating,
} from './scene.ts';

const CANDIDATES = [
  { name: 'the same', text: EITHER, web: null, bare: null },
  {
    name: 'both keys',
    text: policyText('{ signed: { of: [dev, qa], atLeast: 2 } }'),
    web: 'refused',
    bare: null,
  },
  {
    name: 'a mode that only warns',
    text: policyText('{ signed: { of: [dev, qa] } }', '  mode: warn\n'),
    web: null,
    bare: 'admitted',
  },
  {
    // Nobody looked for attestations: that is no pass, and no failure.
    name: 'evidence that was never looked for',
    text: policyText(
      '{ all: [{ signed: { of: [dev] } }, { attested: { type: vuln, by: [qa] } }] }',
    ),
    web: 'unknown',
    bare: null,
  },
  {
    name: 'evidence that was never looked for, where it only warns',
    text: policyText('{ attested: { type: vuln, by: [qa] } }', '  mode: warn\n'),
    web: 'unknown',
    bare: 'unknown',
  },
] as const;

for (const { name, text, web, bare } of CANDIDATES) {
  test(`a candidate with ${name}`, async () => {
    await using scene = await openScene();
    await scene.decided('p256');
    await scene.decided('p384');
    const before = (await scene.room.record.verify()).entries;
    const stored: Stored = await scene.impact.simulate(ANN, simulating(text));
    const changes = new Map<string, string>(
      stored.result.changes.map((one: Stored) => [one.reference, one.change]),
    );
    assert.equal(changes.get(`${REPOSITORY}:p256`) ?? null, web, JSON.stringify(stored, null, 1));
    assert.equal(changes.get(`${REPOSITORY}:p384`) ?? null, bare);
    assert.deepEqual([stored.totals.images, stored.totals.complete], [2, true]);
    // It leaves no trace in the record, and stays for whoever looks later.
    assert.equal((await scene.room.record.verify()).entries, before);
    assert.deepEqual(await scene.impact.get(stored.id), JSON.parse(JSON.stringify(stored)));
    assert.equal((await scene.impact.list(null, 10))[0]?.id, stored.id);
  });
}

test('a candidate’s own key counts, and one of the server’s files is read for nobody', async () => {
  await using scene = await openScene();
  await scene.decided('p256');
  const other = policyText('{ signed: { of: [dev] } }').replace('dev.pub', 'mine.pub');
  const given = await scene.impact.simulate(
    ANN,
    simulating(other, { keys: { 'mine.pub': keys['qa.pub'] } }),
  );
  assert.equal((given as Stored).result.changes[0].change, 'refused');
  for (const ref of ['mine.pub', '/etc/hostname', '../dev.pub']) {
    const text = policyText('{ signed: { of: [dev] } }').replace('dev.pub', ref);
    await assert.rejects(scene.impact.simulate(ANN, simulating(text)), {
      code: 'impact.candidate-invalid',
    });
  }
});

const INVALID = [
  { name: 'no policy', text: 'kind: Pod\n', more: {} },
  { name: 'half a policy', text: policyText('{ signed: { of: [] } }'), more: {} },
  {
    name: 'a trust root that nobody has',
    text: policyText('{ signed: { of: [dev] } }').replace(
      'ref: dev.pub',
      'ref: dev.pub, trustRoot: acme',
    ),
    more: {},
  },
  {
    name: 'an expression that is none',
    text: policyText('{ attested: { type: vuln, by: [dev], where: "predicate..x" } }'),
    more: {},
  },
  { name: 'one to remove that is not there', text: EITHER, more: { remove: ['other'] } },
] as const;

for (const { name, text, more } of INVALID) {
  test(`refused as a candidate: ${name}`, async () => {
    await using scene = await openScene();
    await assert.rejects(scene.impact.simulate(ANN, simulating(text, more)), {
      code: 'impact.candidate-invalid',
    });
    assert.deepEqual(await scene.impact.list(null, 10), []);
  });
}

test('what only an exception let in is told apart, and what has no evidence is unknown', async () => {
  await using scene = await openScene();
  await scene.decided('p384', { excepted: true });
  await scene.decided('p256', { evidence: false });
  const stored: Stored = await scene.impact.simulate(ANN, simulating(EITHER));
  const { refused, excepted, unknown } = stored.totals;
  assert.deepEqual([refused, excepted, unknown], [0, 1, 1]);
});

test('an impact tells where what is lost runs, once for all places', async () => {
  await using scene = await openScene();
  await scene.decided('p256');
  await scene.decided('p256', { surface: 'admission', namespace: 'shop' });
  await scene.decided('p384');
  const stored: Stored = await scene.impact.impact(ANN, {
    days: 7,
    runningDays: 7,
    changes: [{ kind: 'retire-key', key: 'dev' }],
  });
  const [image, ...more] = stored.result.images;
  assert.deepEqual(more, []);
  assert.deepEqual(
    [image.impact, image.running, image.tags, image.deployable],
    ['lost', ['admission in shop'], ['p256'], true],
  );
  assert.match(image.policies[0].reSign[0].says, /authority qa/);
  const { byImpact, lostRunning, complete } = stored.totals;
  assert.deepEqual([byImpact.lost, byImpact.refused, lostRunning, complete], [1, 1, 1, true]);
  await assert.rejects(
    scene.impact.impact(ANN, {
      days: 7,
      runningDays: 7,
      changes: [{ kind: 'retire-key', key: 'x' }],
    }),
    { code: 'impact.change-unknown' },
  );
});

for (const { name, limits, left, images } of [
  { name: 'images', limits: { images: 1 }, left: 0, images: 1 },
  { name: 'decisions', limits: { decisions: 1 }, left: 0, images: 1 },
  { name: 'time', limits: { deadlineMs: 0 }, left: 2, images: 0 },
] as const) {
  test(`an answer that is bounded by ${name} says that it is not all`, async () => {
    await using scene = await openScene(limits);
    await scene.decided('p256');
    await scene.decided('p384');
    const { totals }: Stored = await scene.impact.simulate(ANN, simulating(EITHER));
    assert.deepEqual([totals.complete, totals.left, totals.images], [false, left, images]);
  });
}

test('more than may wait are refused', async () => {
  await using scene = await openScene();
  const all = await Promise.allSettled(
    Array.from({ length: 6 }, () => scene.impact.simulate(ANN, simulating(EITHER))),
  );
  const refused = all.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
  assert.deepEqual(refused, ['impact.busy', 'impact.busy']);
});

test('the newest two hundred are kept', async () => {
  await using scene = await openScene();
  for (let at = 0; at < 203; at++) {
    scene.room.time.ms += 1000;
    await scene.impact.simulate(ANN, simulating(EITHER));
  }
  const all = await scene.impact.list(null, 1000);
  assert.equal(all.length, 200);
  assert.ok(all.every(({ at }, index) => index === 0 || at < (all[index - 1]?.at ?? '')));
  await assert.rejects(scene.impact.get('0'.repeat(26)), { code: 'impact.unknown' });
});
