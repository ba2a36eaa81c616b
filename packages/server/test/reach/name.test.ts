import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { nameReader } from '@bulla/trust/policy/names';
import { namesDigest, pinTo, readImageName } from '../../src/reach/name.ts';

const D = `sha256:${'ab'.repeat(32)}`;
const readName = nameReader([{ from: 'mirror.example/hub', to: 'docker.io' }]);

describe('a reference is read for policies and for the registry that is asked', () => {
  const CASES: readonly {
    readonly text: string;
    readonly asked: string;
    readonly canonical: string;
    readonly tag: string | null;
  }[] = [
    {
      text: 'nginx',
      asked: 'docker.io/library/nginx',
      canonical: 'docker.io/library/nginx',
      tag: 'latest',
    },
    {
      text: 'Registry.example:443/app:v1',
      asked: 'registry.example/app',
      canonical: 'registry.example/app',
      tag: 'v1',
    },
    {
      text: `registry.example/app@${D}`,
      asked: 'registry.example/app',
      canonical: 'registry.example/app',
      tag: null,
    },
    {
      text: `registry.example/app:v1@${D}`,
      asked: 'registry.example/app',
      canonical: 'registry.example/app',
      tag: null,
    },
    // What lies at a mirror is asked for there, and judged as what it mirrors.
    {
      text: 'mirror.example/hub/nginx:1',
      asked: 'mirror.example/hub/nginx',
      canonical: 'docker.io/library/nginx',
      tag: '1',
    },
    {
      text: 'mirror.example/hubs/nginx:1',
      asked: 'mirror.example/hubs/nginx',
      canonical: 'mirror.example/hubs/nginx',
      tag: '1',
    },
  ];
  for (const { text, asked, canonical, tag } of CASES) {
    test(text.replace(D, 'DIGEST'), () => {
      const name = readImageName(text, readName);
      assert.equal(`${name.asked.registry}/${name.asked.repository}`, asked);
      assert.equal(`${name.canonical.registry}/${name.canonical.repository}`, canonical);
      assert.deepEqual([name.tag, name.digest], tag === null ? [null, D] : [tag, null]);
    });
  }
});

describe('what is no reference of a registry is refused', () => {
  for (const text of [
    '',
    'Foo/bar',
    'a//b',
    'registry.example/app:',
    'app@sha256:12',
    'oci:/etc',
    `oci:/etc@${D}`,
    'http://registry.example/app',
    'user@registry.example/app',
    'registry.example:99999/app',
    `${'a/'.repeat(4000)}a`,
  ]) {
    test(JSON.stringify(text.slice(0, 40)), () => {
      assert.throws(
        () => readImageName(text, readName),
        (error) => error instanceof TrustFault && error.code === 'reference.malformed',
      );
    });
  }
});

describe('a pinned reference keeps the name as it was written', () => {
  for (const [text, tagAndDigest] of [
    ['nginx', `nginx@${D}`],
    ['nginx:1.27', `nginx:1.27@${D}`],
    ['Registry.example:443/app', `Registry.example:443/app@${D}`],
    ['localhost:5000/app:v1', `localhost:5000/app:v1@${D}`],
    [`app:v1@sha256:${'00'.repeat(32)}`, `app:v1@${D}`],
    [`app@sha256:${'00'.repeat(32)}`, `app@${D}`],
  ] as const) {
    test(text.slice(0, 40), () => {
      assert.deepEqual(pinTo(text, D), { tagAndDigest, digest: D });
    });
  }
});

test('a digest is named by what is written, not by what it leads to', () => {
  assert.deepEqual([namesDigest('app:v1'), namesDigest(`app:v1@${D}`)], [false, true]);
});
