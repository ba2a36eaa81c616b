import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAdmission } from '@bulla/server/admission/service';
import { TrustFault } from '@bulla/trust/fault/fault';
import { deployment, objectOf, pod } from './reviews.ts';
import { digestOf, openWorld, parsed } from './world.ts';

const TAG = 'registry.example/app:1';
const APP = `${TAG}@${digestOf(TAG)}`;

test('a dry run leaves no trace: nothing is recorded, and nothing that another answer could use', async () => {
  const world = await openWorld();
  const shapes = [
    { object: pod([TAG]) },
    { operation: 'UPDATE', object: pod([APP]), oldObject: pod([APP]) },
  ];
  for (const shape of shapes) {
    await world.mutate({ ...shape, dryRun: true });
    await world.validate({ ...shape, dryRun: true });
  }
  assert.deepEqual(world.kept, []);
  const looks = world.taken();
  await world.validate({ object: pod([TAG]) });
  assert.equal(world.taken(), looks + 1);
  assert.equal(world.kept.length, 1);
});

test('an update that changes no image is recorded as unchanged, by who made it', async () => {
  const world = await openWorld();
  const object = deployment([APP, TAG], { replicas: 3 });
  const oldObject = deployment([APP, TAG]);
  await world.validate({ operation: 'UPDATE', object, oldObject, username: 'bob' });
  assert.deepEqual(
    world.kept.map(({ decision, actor, cache }) => [
      decision.reference,
      decision.finding.check,
      decision.finding.outcome,
      decision.repository,
      actor.name,
      cache,
    ]),
    [
      [APP, 'admission.unchanged', 'skipped', 'registry.example/app', 'bob', 'hit'],
      [TAG, 'admission.unchanged', 'skipped', 'registry.example/app', 'bob', 'hit'],
    ],
  );
});

test('what changes nothing passes though the record is away, and what is decided does not', async () => {
  const world = await openWorld({ recordFails: true });
  const object = pod([APP]);
  const same = await world.validate({ operation: 'UPDATE', object, oldObject: object });
  assert.equal(same.denial, null);
  const decided = await world.validate({ object });
  assert.equal(decided.annotations['codes'], 'record.unavailable');
});

test('a registry that hangs is a denial that names what was waited for, and the rest is decided', async () => {
  const world = await openWorld({ images: { [TAG]: { hangs: true } }, budgetMs: 50 });
  const other = `registry.example/b:1@${digestOf('registry.example/b:1')}`;
  const { denial, annotations } = await world.validate({ object: pod([APP, other]) });
  assert.equal(annotations['codes'], 'admission.deadline');
  assert.ok(denial?.message.includes(APP));
  assert.ok(!denial?.message.includes(other));
  const { patch } = await world.mutate({ object: pod([TAG, 'registry.example/b:1']) });
  assert.equal(patch[0]?.path, '/spec/containers/1/image');
});

test('who is asked is told before the time is up, and what comes of it decides', async () => {
  for (const outcome of ['admit', 'deny'] as const) {
    const world = await openWorld({ images: { [TAG]: { outcome } } });
    const service = createAdmission({
      ...world.parts,
      // A registry that hangs: its policy has an answer for that, or none.
      async ask(question) {
        await new Promise((resolve) => question.signal?.addEventListener('abort', resolve));
        return world.parts.ask(question);
      },
    });
    const call = { remoteAddress: '', userAgent: '', budgetMs: 2000 };
    const review = parsed({ object: pod([APP]) });
    const { denial, annotations } = await service.validate(review, call);
    assert.equal(denial === null, outcome === 'admit');
    assert.match(annotations['decisions'] ?? '', new RegExp(`=${outcome}$`));
  }
});

test('lanes stop when the time is up: what was not begun is not begun then', async () => {
  const images = Object.fromEntries(
    Array.from({ length: 100 }, (_, at) => [`registry.example/a${at}:1`, { hangs: true }]),
  );
  const world = await openWorld({ images, budgetMs: 50, config: { parallel: 4 } });
  const { annotations } = await world.validate({ object: pod(Object.keys(images)) });
  assert.equal(annotations['codes'], 'admission.deadline');
  assert.equal(world.asked.length, 4);
  assert.ok(world.asked.every(({ signal }) => signal?.aborted === true));
});

test('a policy that is exchanged in mid-request decides for what is asked about after it', async () => {
  const gate = Promise.withResolvers<void>();
  const world = await openWorld({ images: { [TAG]: { until: gate.promise } } });
  const waiting = world.validate({ object: pod([APP]) });
  while (world.taken() === 0) await new Promise((resolve) => setImmediate(resolve));
  await world.changePolicy('sha256:two');
  gate.resolve();
  assert.equal((await waiting).denial, null);
  assert.equal(world.kept[0]?.decision.policySetHash, 'sha256:one');
  await world.validate({ object: pod([APP]) });
  assert.equal(world.kept[1]?.decision.policySetHash, 'sha256:two');
  assert.equal(world.taken(), 2);
});

test('pull secrets are asked for by the names that the Pod uses, in the namespace of the request', async () => {
  const asked: unknown[] = [];
  const world = await openWorld({
    pullSecretsOf: async (pull) => {
      asked.push(pull);
      return [{ registry: 'registry.example', username: 'u', password: 'p' }];
    },
  });
  const spec = {
    containers: [{ name: 'a', image: APP }],
    imagePullSecrets: [{ name: 'mine' }],
    serviceAccountName: 'builder',
  };
  await world.validate({ object: objectOf('Job', spec, { namespace: 'kube-system' }) });
  assert.deepEqual(asked, [
    {
      namespace: 'shop',
      imagePullSecrets: ['mine'],
      serviceAccountName: 'builder',
      registries: ['registry.example'],
    },
  ]);
  assert.equal(world.asked[0]?.credentials.length, 1);
});

test('pull secrets that cannot be read admit nothing more, and the denial says so', async () => {
  const world = await openWorld({
    images: { [TAG]: { outcome: 'deny' } },
    pullSecretsOf: () => Promise.reject(new TrustFault('registry.timeout', 'no answer')),
  });
  const { denial } = await world.validate({ object: pod([APP]) });
  assert.match(denial?.message ?? '', /pull secrets could not be read \(registry\.timeout\)/);
  assert.equal(world.asked[0]?.credentials.length, 0);
});
