import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pattern } from '@bulla/trust/policy/pattern';
import { setOf } from '../../../trust/test/policy-lab/policy.ts';
import { literalHost, namedHosts } from '../../src/reach/hosts.ts';
import { signedPolicy } from './kit.ts';

describe('a policy names a host by its letters alone (semantics 19)', () => {
  const CASES: readonly (readonly [Pattern, string | null])[] = [
    [{ exact: 'registry.example/app' }, 'registry.example'],
    [{ glob: 'registry.example:5000/team/**' }, 'registry.example:5000'],
    [{ glob: 'docker.io/**' }, 'docker.io'],
    [{ glob: '**' }, null],
    [{ glob: '**/app' }, null],
    [{ glob: '*/app' }, null],
    [{ glob: '*.example/app' }, null],
    [{ glob: 'registry.*/app' }, null],
    [{ glob: 'registry.example**' }, null],
    [{ glob: '169.254.169.254*/app' }, null],
    [{ regex: 'registry\\.example/app' }, null],
    // No canonical name is spelt so, hence no image is covered by it.
    [{ exact: 'Registry.example/app' }, null],
    [{ exact: 'index.docker.io/library/app' }, null],
    [{ exact: 'registry.example:443/app' }, null],
    [{ exact: '/app' }, null],
  ];
  for (const [pattern, host] of CASES) {
    test(JSON.stringify(pattern), () => assert.equal(literalHost(pattern), host));
  }
});

test('a host is named by the configuration or by a policy in force, and by no other set', () => {
  const isNamed = namedHosts(['configured.example']);
  const one = setOf(
    signedPolicy({ images: [{ glob: 'named.example/**' }, { glob: '**' }] }),
    signedPolicy({ name: 'second', images: [{ exact: 'second.example/app' }] }),
  );
  const other = setOf(signedPolicy({ images: [{ glob: '**' }] }));
  for (const [host, set, named] of [
    ['configured.example', other, true],
    ['named.example', one, true],
    ['second.example', one, true],
    ['named.example:8443', one, false],
    ['named.example', other, false],
    ['other.example', one, false],
  ] as const) {
    assert.equal(isNamed(host, set), named, host);
  }
});
