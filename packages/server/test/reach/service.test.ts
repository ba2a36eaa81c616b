import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pushImage } from '../gateway/client.ts';
import { asking, OTHER_KEY, openReach, signAt, signedPolicy } from './kit.ts';
import { codeOf, openWorld } from './world.ts';

test('a signed image is admitted, an unsigned one is refused, and both are recorded', async () => {
  await using world = await openWorld();
  const { ask, image, kept, digest, raw } = world;
  const good = await ask(asking(`${image}:v1`));
  assert.equal(good.decision.outcome, 'admit');
  assert.deepEqual(good.pinned, { tagAndDigest: `${image}:v1@${digest}`, digest });
  assert.deepEqual([good.byDigest, good.tags, good.enforcedTags], [false, 'pin', 'pin']);
  const bad = await ask(asking(`${image}:raw`));
  assert.deepEqual([bad.decision.outcome, codeOf(bad.decision)], ['deny', 'signature.none']);
  assert.equal(bad.pinned?.digest, raw);
  assert.deepEqual(
    kept.map(({ decision, actor }) => [decision.outcome, decision.repository, actor.kind]),
    [
      ['admit', image, 'kubernetes'],
      ['deny', image, 'kubernetes'],
    ],
  );
});

test('beside a digest a tag is decoration: it is neither asked for nor noted', async () => {
  await using world = await openWorld();
  const { ask, image, digest, front, memory } = world;
  const { decision, byDigest, pinned } = await ask(asking(`${image}:raw@${digest}`));
  assert.deepEqual([decision.outcome, decision.tag, byDigest], ['admit', null, true]);
  assert.equal(pinned?.tagAndDigest, `${image}:raw@${digest}`);
  assert.ok(
    front.asked.every((line) => !line.endsWith('/manifests/raw')),
    front.asked.join('\n'),
  );
  assert.deepEqual(await memory.history(image, 'raw'), []);
});

test('a tag that was looked up before costs one HEAD, and one that moved is found', async () => {
  await using world = await openWorld();
  const { ask, image, front, registry, raw } = world;
  await ask(asking(`${image}:v1`));
  front.asked.length = 0;
  assert.equal((await ask(asking(`${image}:v1`))).cache, 'hit');
  assert.deepEqual(front.asked, ['HEAD /v2/app/manifests/v1']);
  await pushImage(registry.url, 'app', 'v1', { layers: ['raw'] });
  const { decision } = await ask(asking(`${image}:v1`));
  assert.deepEqual([decision.outcome, decision.digest], ['deny', raw]);
});

test('without a tag and a digest it is latest', async () => {
  await using world = await openWorld();
  await pushImage(world.registry.url, 'app', 'latest', { layers: ['signed'] });
  const { decision, pinned } = await world.ask(asking(world.image));
  assert.deepEqual([decision.outcome, decision.tag], ['admit', 'latest']);
  assert.equal(pinned?.tagAndDigest, `${world.image}@${world.digest}`);
});

test('what cannot be read is refused and recorded, also where policies only audit', async () => {
  const policies = [signedPolicy({ mode: 'audit' })];
  await using reach = await openReach({ policies });
  for (const reference of ['Foo/bar', 'oci:/etc/passwd', '', 'a:b:c']) {
    const { decision, pinned } = await reach.ask(asking(reference));
    assert.deepEqual([decision.outcome, codeOf(decision)], ['deny', 'reference.malformed']);
    assert.equal(pinned, null);
  }
  assert.equal(reach.kept.length, 4);
});

describe('a registry that hangs', () => {
  test('is an outage when its time is up, for a tag and for a digest', async () => {
    await using world = await openWorld((front) => ({
      connections: { [front.host]: { timeoutMs: 100 } },
    }));
    world.front.misleads = () => true;
    for (const reference of [`${world.image}:v1`, `${world.image}@${world.digest}`]) {
      const { decision } = await world.ask(asking(reference));
      assert.equal(decision.outcome, 'deny');
      assert.equal(decision.finding.outcome, 'inconclusive');
      assert.equal(codeOf(decision), 'registry.timeout');
    }
  });

  test('holds nobody longer than the asker has time, and what was begun is found later', async () => {
    await using world = await openWorld((front) => ({
      connections: { [front.host]: { timeoutMs: 15_000 } },
    }));
    const gate = Promise.withResolvers<void>();
    world.front.until = gate.promise;
    const abort = new AbortController();
    const asked = world.ask(asking(`${world.image}@${world.digest}`, { signal: abort.signal }));
    abort.abort();
    const { decision, pinned } = await asked;
    assert.deepEqual([decision.outcome, codeOf(decision)], ['deny', 'decision.timeout']);
    assert.equal(pinned, null);
    assert.equal(world.kept.length, 1);
    gate.resolve();
    const later = await world.ask(asking(`${world.image}@${world.digest}`));
    assert.deepEqual([later.decision.outcome, later.cache], ['admit', 'hit']);
  });
});

test('a dry run leaves no trace: no record, no sighting, no answer about a tag', async () => {
  await using world = await openWorld(() => ({ tagFreshMs: 60_000 }));
  const { ask, image, registry, kept, memory } = world;
  const dry = asking(`${image}:v1`, { dryRun: true });
  assert.equal((await ask(dry)).decision.outcome, 'admit');
  assert.deepEqual([kept, await memory.history(image, 'v1')], [[], []]);
  await pushImage(registry.url, 'app', 'v1', { layers: ['raw'] });
  assert.equal((await ask(asking(`${image}:v1`))).decision.digest, world.raw);
  // Nor does it take an answer from before.
  await pushImage(registry.url, 'app', 'v1', { layers: ['signed'] });
  assert.equal((await ask(dry)).decision.digest, world.digest);
});

test('a tag that goes back is known from the memory that the gateway has too', async () => {
  const policies = [signedPolicy({ rollback: 'refuse' })];
  await using world = await openWorld(() => ({ policies }));
  const { ask, image, registry, digest, memory } = world;
  await signAt(`${registry.host}/app:raw`, ['sigstore-bundle']);
  const move = (layer: string) => pushImage(registry.url, 'app', 'v1', { layers: [layer] });
  assert.equal((await ask(asking(`${image}:v1`))).decision.outcome, 'admit');
  await move('raw');
  assert.equal((await ask(asking(`${image}:v1`))).decision.outcome, 'admit');
  await move('signed');
  for (const dryRun of [true, false]) {
    const { decision } = await ask(asking(`${image}:v1`, { dryRun }));
    assert.deepEqual([decision.outcome, codeOf(decision)], ['deny', 'tag.rollback']);
  }
  assert.equal((await memory.history(image, 'v1')).length, 2);
  // By its digest nothing went back.
  assert.equal((await ask(asking(`${image}@${digest}`))).decision.outcome, 'admit');
});

test('the strictest rule about tags of those that cover, and of those that enforce', async () => {
  const policies = [
    signedPolicy({ name: 'a', tags: 'leave' }),
    signedPolicy({ name: 'b', tags: 'pin', mode: 'warn' }),
    signedPolicy({ name: 'c', tags: 'refuse', images: [{ glob: 'elsewhere.example/**' }] }),
  ];
  await using world = await openWorld(() => ({ policies }));
  const { tags, enforcedTags } = await world.ask(asking(`${world.image}:v1`));
  assert.deepEqual([tags, enforcedTags], ['pin', 'leave']);
});

test('a signature by another key is none, and one that is pushed later is found at once', async () => {
  await using world = await openWorld();
  await signAt(`${world.registry.host}/app:raw`, ['sigstore-bundle'], OTHER_KEY);
  const reference = `${world.image}@${world.raw}`;
  assert.equal((await world.ask(asking(reference))).decision.outcome, 'deny');
  await signAt(`${world.registry.host}/app:raw`, ['sigstore-bundle']);
  await world.decisions.pushed(world.image);
  assert.equal((await world.ask(asking(reference))).decision.outcome, 'admit');
});

test('an image that is asked for before its repository is there is found after its push', async () => {
  await using world = await openWorld();
  const { registry, front } = world;
  const later = { layers: ['later'] };
  const elsewhere = await pushImage(registry.url, 'another', 'v1', later);
  const reference = `${front.host}/new@${elsewhere}`;
  const before = await world.ask(asking(reference));
  assert.deepEqual(
    [before.decision.outcome, codeOf(before.decision)],
    ['deny', 'artifact.not-found'],
  );
  await pushImage(registry.url, 'new', 'v1', later);
  await signAt(`${registry.host}/new:v1`, ['sigstore-bundle']);
  await world.decisions.pushed(`${front.host}/new`);
  assert.equal((await world.ask(asking(reference))).decision.outcome, 'admit');
});
