import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pushImage } from '../gateway/client.ts';
import { startFront } from './front.ts';
import { asking, openReach, type ReachShape, signAt, signedPolicy } from './kit.ts';
import { codeOf, NEVER, openWorld } from './world.ts';

describe('hosts that nobody named are not asked (semantics 19)', () => {
  const CASES: readonly {
    readonly name: string;
    readonly policies: (host: string) => ReachShape['policies'];
    readonly code: string;
    readonly outcome?: 'admit';
  }[] = [
    {
      name: 'a policy of `**` covers every image and names no host',
      policies: () => [signedPolicy({ images: [{ glob: '**' }] })],
      code: 'reach.host-unnamed',
    },
    {
      name: 'a host with a wildcard is none',
      policies: () => [signedPolicy({ images: [{ glob: '127.0.0.*/**' }, { glob: '**/app' }] })],
      code: 'reach.host-unnamed',
    },
    {
      name: 'nor is a regular expression',
      policies: (host) => [
        signedPolicy({ images: [{ regex: `${host.replaceAll('.', '[.]')}/.*` }] }),
      ],
      code: 'reach.host-unnamed',
    },
    {
      name: 'a policy that names it is about other surfaces: none covers the image',
      policies: (host) => [
        signedPolicy({ images: [{ exact: `${host}/app` }], surfaces: ['pull'] }),
      ],
      code: 'policy.no-match',
    },
    {
      name: 'a policy in mode audit admits it, as it does all else, without a digest',
      policies: () => [signedPolicy({ mode: 'audit' })],
      code: 'reach.host-unnamed',
      outcome: 'admit',
    },
    {
      name: 'a host named by a policy is held to public addresses',
      policies: (host) => [signedPolicy({ images: [{ exact: `${host}/app` }] })],
      code: 'registry.address',
    },
  ];
  for (const { name, policies, code, outcome = 'deny' } of CASES) {
    test(name, async () => {
      await using world = await openWorld((front) => ({
        policies: policies(front.host) ?? [],
        connections: {},
      }));
      for (const reference of [`${world.image}:v1`, `${world.image}@${NEVER}`]) {
        const { decision } = await world.ask(asking(reference));
        assert.deepEqual([decision.outcome, codeOf(decision)], [outcome, code]);
      }
      assert.deepEqual(world.front.asked, []);
      assert.equal(world.kept.length, 2);
    });
  }

  test('link-local and metadata addresses are not, though a policy spells them out', async () => {
    const images = [{ exact: '169.254.169.254/latest/meta-data' }, { exact: '[fe80::1]/app' }];
    await using reach = await openReach({ policies: [signedPolicy({ images })] });
    for (const image of ['169.254.169.254/latest/meta-data', '[fe80::1]/app:v1']) {
      const { decision } = await reach.ask(asking(image));
      assert.deepEqual([decision.outcome, codeOf(decision)], ['deny', 'registry.address']);
    }
  });

  test('without policies nothing is asked at all (semantics 4)', async () => {
    await using world = await openWorld(() => ({ unreadable: true }));
    const { decision, tags, enforcedTags } = await world.ask(asking(`${world.image}:v1`));
    assert.deepEqual([decision.outcome, tags, enforcedTags], ['deny', 'pin', null]);
    assert.deepEqual(world.front.asked, []);
  });
});

describe('credentials of the asker', () => {
  const ann = (registry: string) => ({ registry, username: 'ann', password: 'secret-of-ann' });

  test('open what is theirs, before those of the configuration', async () => {
    await using world = await openWorld((front) => ({
      connections: {
        [front.host]: { credentials: { kind: 'password', username: 'server', password: 'own' } },
      },
    }));
    world.front.wants = 'ann:secret-of-ann';
    const credentials = [ann(world.front.host)];
    const { decision } = await world.ask(asking(`${world.image}:v1`, { credentials }));
    assert.equal(decision.outcome, 'admit');
    assert.ok(!world.front.authorizations.includes('Basic c2VydmVyOm93bg=='));
  });

  test('are passed over when they are refused', async () => {
    await using world = await openWorld((front) => ({
      connections: {
        [front.host]: { credentials: { kind: 'password', username: 'server', password: 'own' } },
      },
    }));
    world.front.wants = 'server:own';
    const credentials = [ann(world.front.host), { ...ann(world.front.host), password: 'older' }];
    const { decision } = await world.ask(asking(`${world.image}@${world.digest}`, { credentials }));
    assert.equal(decision.outcome, 'admit');
  });

  test('of another registry, or of another path of this one, are not sent', async () => {
    await using world = await openWorld();
    world.front.wants = 'ann:secret-of-ann';
    const { host } = world.front;
    for (const registry of [
      'registry.example',
      `${host}/other`,
      `${host}.example`,
      `evil/${host}`,
    ]) {
      const credentials = [ann(registry)];
      const { decision } = await world.ask(asking(`${world.image}:v1`, { credentials }));
      assert.deepEqual([decision.outcome, codeOf(decision)], ['deny', 'registry.unauthorized']);
    }
    assert.deepEqual([...new Set(world.front.authorizations)], ['']);
  });

  test('answer nobody without them, nor anybody with others (semantics 14)', async () => {
    await using world = await openWorld(() => ({ tagFreshMs: 60_000 }));
    world.front.wants = 'ann:secret-of-ann';
    const credentials = [ann(world.front.host)];
    const others = [[], [{ ...ann(world.front.host), password: 'guess' }]];
    for (const reference of [`${world.image}:v1`, `${world.image}@${world.digest}`]) {
      const own = await world.ask(asking(reference, { credentials }));
      assert.equal(own.decision.outcome, 'admit');
      for (const credentials of others) {
        const { decision, cache, pinned } = await world.ask(asking(reference, { credentials }));
        assert.deepEqual([decision.outcome, cache], ['deny', 'miss']);
        // A tag is not even resolved for them.
        if (!reference.includes('@')) assert.equal(pinned, null);
      }
    }
    const again = await world.ask(asking(`${world.image}:v1`, { credentials }));
    assert.deepEqual([again.decision.outcome, again.cache], ['admit', 'hit']);
  });

  test('are not needed for what everybody is told, and asked for it no second time', async () => {
    await using world = await openWorld();
    const reference = `${world.image}@${world.digest}`;
    await world.ask(asking(reference));
    const credentials = [ann(world.front.host)];
    const { cache } = await world.ask(asking(reference, { credentials }));
    assert.equal(cache, 'hit');
    assert.deepEqual([...new Set(world.front.authorizations)], ['']);
  });

  test('do not follow a redirect to another host', async () => {
    await using world = await openWorld();
    await using elsewhere = await startFront(world.registry.host);
    world.front.misleads = ({ url, headers }, response) => {
      if (headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="front"' }).end();
      } else response.writeHead(307, { location: `http://${elsewhere.host}${url}` }).end();
      return true;
    };
    const credentials = [ann(world.front.host)];
    const { decision } = await world.ask(asking(`${world.image}:v1`, { credentials }));
    assert.equal(decision.outcome, 'admit');
    assert.ok(elsewhere.asked.length > 0);
    assert.deepEqual([...new Set(elsewhere.authorizations)], ['']);
  });
});

test('a redirect into the network of the server is not followed', async () => {
  await using world = await openWorld();
  for (const location of [
    'http://169.254.169.254/latest',
    'http://10.0.0.1/',
    'http://[fd00::1]/',
  ]) {
    world.front.misleads = (_request, response) => {
      response.writeHead(307, { location }).end();
      return true;
    };
    const { decision } = await world.ask(asking(`${world.image}:v1`));
    assert.deepEqual([decision.outcome, codeOf(decision)], ['deny', 'registry.address']);
  }
});

describe('mirrors', () => {
  test('an image is judged by what its mirror stands for, and asked for at the mirror', async () => {
    await using world = await openWorld((front) => ({
      aliases: [{ from: `${front.host}/hub`, to: 'registry.example' }],
      policies: [signedPolicy({ images: [{ exact: 'registry.example/app' }] })],
    }));
    const { registry, front } = world;
    const digest = await pushImage(registry.url, 'hub/app', 'v1', { layers: ['signed'] });
    await signAt(`${registry.host}/hub/app:v1`, ['cosign-legacy']);
    const { decision, pinned } = await world.ask(asking(`${front.host}/hub/app:v1`));
    assert.deepEqual([decision.outcome, decision.repository], ['admit', 'registry.example/app']);
    assert.equal(pinned?.tagAndDigest, `${front.host}/hub/app:v1@${digest}`);
    // What lies beside the mirrored path is no mirror of anything.
    const beside = await world.ask(asking(`${world.image}:v1`));
    assert.deepEqual(
      [beside.decision.outcome, codeOf(beside.decision)],
      ['deny', 'policy.no-match'],
    );
  });

  test('credentials of what is mirrored do not go to the mirror', async () => {
    await using world = await openWorld((front) => ({
      aliases: [{ from: front.host, to: 'registry.example' }],
      policies: [signedPolicy({ images: [{ exact: 'registry.example/app' }] })],
    }));
    world.front.wants = 'ann:secret';
    const credentials = [{ registry: 'registry.example', username: 'ann', password: 'secret' }];
    const { decision } = await world.ask(asking(`${world.image}:v1`, { credentials }));
    assert.equal(decision.outcome, 'deny');
    assert.deepEqual([...new Set(world.front.authorizations)], ['']);
  });

  test('a name that begins like a mirror’s is none', async () => {
    await using reach = await openReach({
      aliases: [{ from: 'mirror.example', to: 'registry.example' }],
      policies: [signedPolicy({ images: [{ glob: 'registry.example/**' }] })],
    });
    for (const image of ['mirror.example.evil.example/app', 'mirror.example:444/app']) {
      const { decision } = await reach.ask(asking(image));
      assert.deepEqual([decision.outcome, codeOf(decision)], ['deny', 'policy.no-match']);
    }
  });
});
