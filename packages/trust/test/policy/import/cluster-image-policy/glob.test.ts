import assert from 'node:assert/strict';
import test from 'node:test';
import { importGlob } from '@bulla/trust/policy/import/cluster-image-policy/glob';
import { globsAfter } from '@bulla/trust/policy/import/cluster-image-policy/quotient';
import { wholeValue } from '@bulla/trust/policy/import/cluster-image-policy/search';
import { compilePattern } from '@bulla/trust/policy/pattern';

/** PC-2, glob by glob; `within` is null where nothing may be let in by it. */
const GLOBS: readonly (readonly [string, readonly string[], readonly string[] | null])[] = [
  ['*', ['docker.io/library/*'], ['docker.io/library/*']],
  ['*/*', ['docker.io/*/*'], ['docker.io/*/*']],
  ['**', ['**'], ['**']],
  ['**demo**', ['**demo**'], ['**demo**']],
  ['ghcr.io/acme/*', ['ghcr.io/acme/*'], ['ghcr.io/acme/*']],
  ['ghcr.io/acme/app*', ['ghcr.io/acme/app*'], ['ghcr.io/acme/app*']],
  ['ghcr.io/acme/app@*', ['ghcr.io/acme/app'], ['ghcr.io/acme/app']],
  ['ghcr.io/acme/app@sha256:*', ['ghcr.io/acme/app'], ['ghcr.io/acme/app']],
  ['ghcr.io/acme/*:*', ['ghcr.io/acme/*'], ['ghcr.io/acme/*']],
  ['index.docker.io/library/nginx*', ['docker.io/library/nginx*'], ['docker.io/library/nginx*']],
  ['index.docker.io/**', ['docker.io/**'], ['docker.io/**']],
  [
    '*.docker.io/acme/*',
    ['*.docker.io/acme/*', 'docker.io/acme/*'],
    ['*.docker.io/acme/*', 'docker.io/acme/*'],
  ],
  ['localhost:5000/**', ['localhost:5000/**'], ['localhost:5000/**']],
  ['localhost:5000**', ['localhost:5000**'], ['localhost:5000**']],
  ['Registry.Example:443/a/**', ['registry.example/a/**'], ['registry.example/a/**']],
  // Less than a repository, or nothing by digest: enough to refuse by, not to let in by.
  ['ghcr.io/acme/app', ['ghcr.io/acme/app'], null],
  ['ghcr.io/acme/app:*', ['ghcr.io/acme/app'], null],
  ['ghcr.io/acme/app:v1', ['ghcr.io/acme/app'], null],
  ['ghcr.io/acme/app:v1*', ['ghcr.io/acme/app'], null],
  [`ghcr.io/acme/app@sha256:${'a'.repeat(64)}`, ['ghcr.io/acme/app'], null],
  ['docker.io/library/*', ['docker.io/library/*'], null],
  // As typed, without a registry: Docker Hub.
  ['nginx*', ['docker.io/library/nginx*'], null],
  ['nginx.1*', ['docker.io/library/nginx.1*'], null],
  ['acme/app*', ['docker.io/acme/app*'], null],
];

for (const [glob, covering, within] of GLOBS) {
  test(`the glob ${glob} covers ${covering.join(' and ')}`, () => {
    const imported = importGlob(glob);
    assert.deepEqual(imported.covering, covering);
    assert.deepEqual(imported.within, within);
    assert.equal(imported.inexact === null, within !== null);
  });
}

test('what follows a prefix in the texts of a glob', () => {
  assert.deepEqual(globsAfter('a*c/d', 'ab'), ['*c/d']);
  assert.deepEqual(globsAfter('a*c/d', 'a/'), []);
  assert.deepEqual(globsAfter('**/x', 'a/b/'), ['**/x', 'x']);
});

/** An expression that Go finds anywhere, values that it finds it in, and one that it does not. */
const SEARCHES: readonly (readonly [string, readonly string[], string])[] = [
  [
    'github.com/acme',
    ['https://github.com/acme/x', 'https://evil.example/github.com/acme'],
    'github',
  ],
  ['^https://github.com/acme/', ['https://github.com/acme/x'], 'x https://github.com/acme/'],
  ['@acme\\.example$', ['dev@acme.example'], 'dev@acme.example.evil'],
  ['^a$|b', ['a', 'xby'], 'xa'],
  ['(?i)ACME', ['xacmeY'], 'acm'],
  ['cost\\$', ['a cost$ b'], 'cost'],
  ['.*', ['a\nb', ''], ''],
];

for (const [search, found, not] of SEARCHES) {
  test(`the expression ${search} as one of the whole value`, () => {
    const matches = compilePattern({ regex: wholeValue(search) });
    for (const value of found) assert.ok(matches(value), value);
    if (not !== '') assert.ok(!matches(not), not);
    for (const value of [...found, not]) {
      const flag = search.startsWith('(?i)');
      const peer = new RegExp(flag ? search.slice(4) : search, flag ? 'i' : '');
      assert.equal(matches(value), peer.test(value), value);
    }
  });
}
