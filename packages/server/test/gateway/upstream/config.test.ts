import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placesOf } from '../../../src/gateway/place.ts';
import { upstreamAt } from './kit.ts';

const HUB = upstreamAt('docker.io', { prefix: 'hub' });
const DEEP = upstreamAt('Registry.Example:443', { prefix: 'hub/deep' });
const PORT = upstreamAt('127.0.0.1:5000', { prefix: 'port' });

const NAMES: readonly (readonly [name: string, canonical: string, key: string])[] = [
  ['app', 'here.example/app', 'app'],
  ['hub', 'here.example/hub', 'hub'],
  ['hubs/app', 'here.example/hubs/app', 'hubs/app'],
  ['hub/alpine', 'docker.io/library/alpine', '~docker.io/library/alpine'],
  ['hub/library/alpine', 'docker.io/library/alpine', '~docker.io/library/alpine'],
  ['hub/deep/app', 'registry.example/app', '~registry.example/app'],
  ['port/a/b', '127.0.0.1:5000/a/b', '~127.0.0.1~5000/a/b'],
];

test('names lead to places and keys lead back', () => {
  const places = placesOf({
    registry: 'HERE.example:443',
    upstreams: [HUB, DEEP, PORT],
    aliases: [],
  });
  for (const [name, canonical, key] of NAMES) {
    const place = places.locate(name);
    assert.equal(place.canonical, canonical);
    assert.equal(place.key, key);
    const back = places.nameOf(key);
    assert.equal(back === null ? null : places.locate(back).key, key);
  }
  // What lies under a name that a prefix took, and under an upstream that is gone, has no name.
  assert.equal(places.nameOf('hub/app'), null);
  assert.equal(places.nameOf('~quay.io/app'), null);
  assert.equal(places.ofKey('~quay.io/app'), null);
  // A longer prefix hides this repository of the shorter one.
  assert.equal(places.nameOf('~docker.io/deep/app'), null);
});

test('a mirror is known to policies by the name of what it mirrors, and by its own to cells', () => {
  const places = placesOf({
    registry: 'here.example',
    upstreams: [upstreamAt('mirror.example', { prefix: 'mirror' })],
    aliases: [
      { from: 'mirror.example/hub', to: 'docker.io' },
      { from: 'here.example/copies', to: 'registry.example/team' },
    ],
  });
  const names = ['mirror/hub/nginx', 'mirror/other/app', 'copies/app', 'copies-too/app'].map(
    (name) => {
      const { canonical, key } = places.locate(name);
      return [canonical, key];
    },
  );
  assert.deepEqual(names, [
    ['docker.io/library/nginx', '~mirror.example/hub/nginx'],
    ['mirror.example/other/app', '~mirror.example/other/app'],
    ['registry.example/team/app', 'copies/app'],
    ['here.example/copies-too/app', 'copies-too/app'],
  ]);
});

test('what cannot be a configuration of upstreams', async (context) => {
  const credentials = { kind: 'password', username: 'a', password: 'b' } as const;
  for (const [name, upstreams, registry] of [
    ['a prefix that is no name', [upstreamAt('a.example', { prefix: 'UP' })], 'here.example'],
    [
      'a prefix with a slash at its end',
      [upstreamAt('a.example', { prefix: 'up/' })],
      'here.example',
    ],
    ['a prefix twice', [HUB, upstreamAt('a.example', { prefix: 'hub' })], 'here.example'],
    ['a registry with a path', [upstreamAt('a.example/b')], 'here.example'],
    ['a registry that is none', [upstreamAt('a example')], 'here.example'],
    ['credentials for anyone', [upstreamAt('a.example', { credentials })], 'here.example'],
    ['an own name that is none', [], 'here'],
  ] as const) {
    await context.test(name, () => {
      assert.throws(() => placesOf({ registry, upstreams, aliases: [] }), {
        code: 'upstream.config-invalid',
      });
    });
  }
});
