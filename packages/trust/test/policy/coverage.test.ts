import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CoverageAspect, coverage, coverageParts } from '@bulla/trust/policy/coverage';
import type { PolicyMode, TrustPolicy } from '@bulla/trust/policy/document';
import type { PolicyScope } from '@bulla/trust/policy/policy-set';
import { policyOf, signed } from '../policy-lab/policy.ts';

const SCOPE: PolicyScope = {
  repository: 'registry.example/prod/app',
  surface: 'gate',
  namespace: 'shop',
  environment: 'eu',
};

function documentOf(mode: PolicyMode = 'enforce'): TrustPolicy {
  const { document } = policyOf({
    authorities: [],
    require: signed([]),
    mode,
    images: [{ exact: 'docker.io/library/nginx' }, { glob: 'registry.example/prod/**' }],
    exclude: [{ regex: '.*/sandbox/.*' }],
    surfaces: ['pull', 'gate'],
    namespaces: [{ glob: 'shop*' }],
    environments: ['eu', 'us'],
  });
  return document;
}

const CASES: readonly {
  readonly name: string;
  readonly scope: Partial<PolicyScope>;
  readonly mode?: PolicyMode;
  /** What does not hold. */
  readonly fails: readonly CoverageAspect[];
}[] = [
  { name: 'all limits are met', scope: {}, fails: [] },
  { name: 'an image of no pattern', scope: { repository: 'quay.io/a/b' }, fails: ['images'] },
  {
    name: 'an excluded image',
    scope: { repository: 'registry.example/prod/sandbox/a' },
    fails: ['exclude'],
  },
  { name: 'another surface', scope: { surface: 'node' }, fails: ['surfaces'] },
  { name: 'another namespace', scope: { namespace: 'dev' }, fails: ['namespaces'] },
  { name: 'another environment', scope: { environment: 'asia' }, fails: ['environments'] },
  {
    name: 'nothing is met',
    scope: { repository: 'quay.io/a/sandbox/b', surface: 'watch', namespace: '', environment: '' },
    fails: ['images', 'exclude', 'surfaces', 'namespaces', 'environments'],
  },
  { name: 'nothing is known, enforcing', scope: { namespace: null, environment: null }, fails: [] },
  {
    name: 'nothing is known, warning',
    mode: 'warn',
    scope: { namespace: null, environment: null },
    fails: ['namespaces', 'environments'],
  },
  {
    name: 'nothing is known, recording',
    mode: 'audit',
    scope: { namespace: null, environment: null },
    fails: ['namespaces', 'environments'],
  },
];

for (const { name, scope, mode, fails } of CASES) {
  test(`each limit of a policy says whether it is met: ${name}`, () => {
    const document = documentOf(mode);
    const asked = { ...SCOPE, ...scope };
    const parts = coverageParts(document, asked);
    assert.deepEqual(
      parts.filter(({ holds }) => !holds).map(({ aspect }) => aspect),
      fails,
    );
    assert.deepEqual(
      parts.map(({ aspect }) => aspect),
      ['images', 'exclude', 'surfaces', 'namespaces', 'environments'],
    );
    assert.equal(coverage(document)(asked), fails.length === 0);
    for (const { says } of parts) assert.match(says, /\S/);
  });
}
