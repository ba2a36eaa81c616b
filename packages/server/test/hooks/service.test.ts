import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pushImage } from '../gateway/client.ts';
import { asking, signAt, signedPolicy } from '../reach/kit.ts';
import {
  distributionEvent,
  harborCloudEvent,
  harborEvent,
  type Pushed,
  zotData,
  zotHeaders,
  zotStructured,
} from './events.ts';
import { openHooks, TOKEN } from './kit.ts';

type Send = (
  world: Awaited<ReturnType<typeof openHooks>>,
  pushed: Pushed,
) => Promise<{ readonly status: number }>;

const PRODUCTS: readonly { readonly name: string; readonly send: Send }[] = [
  {
    name: 'distribution',
    send: (world, one) => world.send('distribution', distributionEvent(one)),
  },
  {
    name: 'Harbor',
    send: (world, one) => world.send('harbor', harborEvent(one), { authorization: TOKEN }),
  },
  {
    name: 'Harbor by CloudEvents',
    send: (world, one) => world.send('harbor', harborCloudEvent(one)),
  },
  {
    name: 'zot',
    send: (world, one) =>
      world.send('zot', zotData(one), {
        ...zotHeaders(),
        authorization: `Basic ${Buffer.from(`zot:${TOKEN}`).toString('base64')}`,
      }),
  },
  { name: 'zot, structured', send: (world, one) => world.send('zot', zotStructured(one)) },
];

describe('after the event of a push admission asks no registry', () => {
  for (const { name, send } of PRODUCTS) {
    test(name, async () => {
      await using world = await openHooks({}, ['prod']);
      const { front, digest, image, ask, hooks, kept } = world;
      const pushed = { registry: front.host, repository: 'team/app', tag: 'v1', digest };
      assert.equal((await send(world, pushed)).status, 202);
      await hooks.idle();
      const requests = front.asked.length;
      for (const reference of [`${image}:v1`, `${image}@${digest}`, `${image}:v1@${digest}`]) {
        const { decision, cache } = await ask(asking(reference, { namespace: 'prod' }));
        assert.deepEqual([decision.outcome, cache], ['admit', 'hit'], reference);
      }
      assert.equal(front.asked.length, requests);
      // Recorded as what it is, and as no deployment.
      const [first] = kept;
      assert.equal(first?.actor.kind, 'system');
      assert.match(first?.actor.id ?? '', /^hook:(distribution|harbor|zot):127\.0\.0\.1:\d+$/);
      assert.equal(first?.request.object, undefined);
    });
  }
});

describe('the namespaces that may ask soon', () => {
  const tagged = (world: Awaited<ReturnType<typeof openHooks>>) => ({
    registry: world.front.host,
    repository: 'team/app',
    tag: 'v1',
    digest: world.digest,
  });

  test('are those of the configuration, of policies, and those that asked before', async () => {
    const policies = [
      signedPolicy(),
      signedPolicy({ name: 'by namespace', namespaces: [{ exact: 'named' }, { glob: 'team-*' }] }),
    ];
    await using world = await openHooks({ policies }, ['configured']);
    const { image, digest, ask, send, hooks, front } = world;
    await ask(asking(`${image}@${digest}`, { namespace: 'seen' }));
    await ask(asking(`${image}@${digest}`, { namespace: 'dry', dryRun: true }));
    await send('distribution', distributionEvent(tagged(world)));
    await hooks.idle();
    const requests = front.asked.length;
    for (const namespace of ['configured', 'named', 'seen']) {
      const { cache } = await ask(asking(`${image}:v1`, { namespace }));
      assert.equal(cache, 'hit', namespace);
    }
    assert.equal(front.asked.length, requests);
    for (const namespace of ['dry', 'team-a']) {
      const { cache } = await ask(asking(`${image}:v1`, { namespace }));
      assert.equal(cache, 'miss', namespace);
    }
  });

  test('are decided about each by its own policies, and the registry is asked once', async () => {
    const strict = signedPolicy({
      name: 'strict',
      namespaces: [{ exact: 'strict' }],
      tags: 'refuse',
    });
    await using world = await openHooks({ policies: [signedPolicy(), strict] }, ['a', 'b']);
    const { image, ask, send, hooks, front } = world;
    await send('zot', zotStructured(tagged(world)));
    await hooks.idle();
    assert.deepEqual([...new Set(front.asked)].length, front.asked.length, front.asked.join('\n'));
    for (const [namespace, outcome] of [
      ['a', 'admit'],
      ['b', 'admit'],
      ['strict', 'deny'],
    ] as const) {
      const { decision, cache } = await ask(asking(`${image}:v1`, { namespace }));
      assert.deepEqual([decision.outcome, cache], [outcome, 'hit'], namespace);
    }
  });

  test('that no policy covers are left alone: nothing is asked and nothing recorded', async () => {
    const policies = [signedPolicy({ images: [{ glob: 'elsewhere.example/**' }] })];
    await using world = await openHooks({ policies }, ['prod']);
    await world.send('distribution', distributionEvent(tagged(world)));
    await world.hooks.idle();
    assert.deepEqual([world.front.asked, world.kept, world.failures], [[], [], []]);
  });
});

describe('a signature that comes after its image', () => {
  const CASES = [
    { name: 'by a tag that names the image', format: 'cosign-legacy' },
    { name: 'by its digest alone', format: 'sigstore-bundle' },
  ] as const;
  for (const { name, format } of CASES) {
    test(`${name} ends the refusal and is found ahead`, async () => {
      await using world = await openHooks({}, ['prod']);
      const { front, raw, image, ask, hooks, registry, send } = world;
      const about = { registry: front.host, repository: 'team/app' };
      await send('distribution', distributionEvent({ ...about, tag: 'raw', digest: raw }));
      await hooks.idle();
      const question = asking(`${image}:raw`, { namespace: 'prod' });
      const before = await ask(question);
      assert.deepEqual([before.decision.outcome, before.cache], ['deny', 'hit']);
      await signAt(`${registry.host}/team/app:raw`, [format]);
      const tag = format === 'cosign-legacy' ? `${raw.replace(':', '-')}.sig` : null;
      await send('distribution', distributionEvent({ ...about, tag, digest: raw }));
      await hooks.idle();
      const requests = front.asked.length;
      const after = await ask(question);
      assert.deepEqual([after.decision.outcome, after.cache], ['admit', 'hit']);
      assert.equal(front.asked.length, requests);
    });
  }
});

test('a tag that was moved is looked up anew, however fresh the answer before is', async () => {
  await using world = await openHooks({}, ['prod']);
  const { front, raw, digest, image, ask, hooks, registry, send } = world;
  const question = asking(`${image}:v1`, { namespace: 'prod' });
  assert.equal((await ask(question)).decision.digest, digest);
  await pushImage(registry.url, 'team/app', 'v1', { layers: ['raw'] });
  const pushed = { registry: front.host, repository: 'team/app', tag: 'v1', digest: raw };
  await send('distribution', distributionEvent(pushed));
  await hooks.idle();
  const { decision, cache } = await ask(question);
  assert.deepEqual([decision.outcome, decision.digest, cache], ['deny', raw, 'hit']);
});

describe('attackers', () => {
  const foreign = (host: string, digest: Pushed['digest']) => ({
    registry: host,
    repository: 'team/app',
    tag: 'v1',
    digest,
  });

  test('an event that names another host is dropped, and nobody is asked (semantics 19)', async () => {
    await using world = await openHooks();
    const { send, digest, hooks, front, counts, kept } = world;
    for (const host of ['169.254.169.254', '127.0.0.1:1', 'registry.example', '[fd00::1]:80']) {
      const pushed = foreign(host, digest);
      for (const [kind, event] of [
        ['distribution', distributionEvent(pushed)],
        ['harbor', harborEvent(pushed)],
        ['harbor', harborCloudEvent(pushed)],
      ] as const) {
        assert.equal((await send(kind, event)).status, 202);
      }
    }
    await hooks.idle();
    assert.deepEqual([front.asked, kept], [[], []]);
    assert.deepEqual([counts.get('distribution foreign'), counts.get('harbor foreign')], [4, 8]);
  });

  test('a repository that would be another name is none', async () => {
    await using world = await openHooks();
    const { send, digest, hooks, front, counts } = world;
    for (const repository of [
      '../../v2',
      `team/app@${digest}`,
      'team/app:raw',
      'Team/App',
      '',
      'a//b',
    ]) {
      await send('zot', zotStructured({ ...foreign(front.host, digest), repository }));
    }
    await hooks.idle();
    assert.deepEqual([front.asked, counts.get('zot foreign')], [[], 6]);
  });

  test('without the token nothing is taken', async () => {
    await using world = await openHooks();
    const { send, digest, front, hooks, counts } = world;
    const event = distributionEvent(foreign(front.host, digest));
    for (const authorization of [
      '',
      'Bearer wrong',
      TOKEN.slice(1),
      `Bearer ${TOKEN}x`,
      'Basic !',
    ]) {
      const { status } = await send('distribution', event, { authorization });
      assert.equal(status, 401, authorization);
    }
    await hooks.idle();
    assert.deepEqual([front.asked, counts.get('distribution unauthenticated')], [[], 5]);
  });

  test('what an authenticated sender cannot mean is counted, and not sent for ever', async () => {
    await using world = await openHooks();
    const { send, hooks, counts, front } = world;
    for (const body of ['', '{', '[]', '{"events":7}', '{"events":[],"events":[]}']) {
      assert.equal((await send('distribution', body)).status, 202, body);
    }
    await hooks.idle();
    assert.deepEqual([front.asked, counts.get('distribution malformed')], [[], 5]);
  });

  test('a body past the bound is refused', async () => {
    await using world = await openHooks();
    const { status } = await world.send('harbor', 'x'.repeat((10 << 20) + 1));
    assert.equal(status, 413);
  });

  test('there is no other path and no other method', async () => {
    await using world = await openHooks();
    for (const [method, path, status] of [
      ['POST', '/hooks/quay', 404],
      ['POST', '/hooks', 404],
      ['POST', '/hooks/zot/more', 404],
      ['GET', '/hooks/zot', 405],
    ] as const) {
      assert.equal((await world.request(method, path)).status, status, path);
    }
  });

  test('a registry that hangs holds up neither the sender nor the end of the server', async () => {
    const world = await openHooks();
    const { send, digest, front } = world;
    front.misleads = () => true;
    const { status } = await send('distribution', distributionEvent(foreign(front.host, digest)));
    assert.equal(status, 202);
    // The registry's own patience of a second ends what goes on.
    await world[Symbol.asyncDispose]();
  });
});

test('a policy that names no host lets a hook ask no other registry than its own', async () => {
  const policies = [signedPolicy({ images: [{ glob: '**' }] })];
  await using world = await openHooks({ policies });
  const { front, send, hooks, registry } = world;
  const digest = await pushImage(registry.url, 'other', 'v1', { layers: ['signed'] });
  const pushed = { registry: front.host, repository: 'other', tag: 'v1', digest };
  await send('distribution', distributionEvent(pushed));
  await hooks.idle();
  assert.ok(front.asked.length > 0);
  assert.ok(
    front.asked.every((line) => line.includes('/v2/other/')),
    front.asked.join('\n'),
  );
});
