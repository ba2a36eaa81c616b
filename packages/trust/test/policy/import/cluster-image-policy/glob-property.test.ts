import assert from 'node:assert/strict';
import test from 'node:test';
import { importGlob } from '@bulla/trust/policy/import/cluster-image-policy/glob';
import { parsePolicies } from '@bulla/trust/policy/parse';
import { compilePattern } from '@bulla/trust/policy/pattern';
import fc from 'fast-check';
import { A, cip, keyOf } from './cip-texts.ts';

/** glob.go, Compile and Match, of a reference in its full form. */
function peerMatches(glob: string, full: string): boolean {
  const meant = { '*': 'index.docker.io/library/*', '*/*': 'index.docker.io/*/*' }[glob] ?? glob;
  const source = meant
    .replaceAll('.', '\\.')
    .replaceAll('**', '#')
    .replaceAll('*', '[^/]*')
    .replaceAll('#', '.*');
  return new RegExp(`^${source}$`).test(full);
}

/** The name as policy-controller knows it, by a digest that no glob of these tests has letters of. */
function fullName(canonical: string): string {
  return `${canonical.replace(/^docker\.io\//, 'index.docker.io/')}@sha256:${'0'.repeat(64)}`;
}

const PARTS = [
  '*',
  '**',
  '/',
  'index.',
  'docker.io',
  'r.example',
  'library',
  'acme',
  'x',
  '-y',
  '.',
];
const globs = fc
  .array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 7 })
  .chain((parts) =>
    fc
      .constantFrom('', '*', '**', '@*', '@sha256:*', ':*', ':v1')
      .map((end) => parts.join('') + end),
  );
const names = fc.constantFrom(
  ...[
    'docker.io/library/x',
    'docker.io/acme/x',
    'docker.io/acme/x-y',
    'r.example/x',
    'r.example/acme/x',
  ],
  ...[
    'r.example/library/x-y',
    'x.docker.io/acme/x',
    'index.r.example/x',
    'acme.r.example/acme/x/x-y',
  ],
);

function matchesAny(patterns: readonly string[], name: string): boolean {
  return patterns.some((glob) => compilePattern({ glob })(name));
}

test('what a glob lets in by is covered there, and what is covered there is refused by', () => {
  let letIn = 0;
  let covered = 0;
  const property = fc.property(globs, names, (glob, name) => {
    const { covering, within } = importGlob(glob);
    const there = peerMatches(glob, fullName(name));
    if (within !== null && matchesAny(within, name)) {
      letIn++;
      assert.ok(there, `${glob} lets in ${name}`);
    }
    if (there) {
      covered++;
      assert.ok(matchesAny(covering, name), `${glob} does not cover ${name}`);
    }
  });
  fc.assert(property, { numRuns: 5000 });
  assert.ok(letIn > 20 && covered > 20, `${letIn} ${covered}`);
});

test('no document throws, and one that is read covers something or is a mistake', () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('*', 'pass', {}, [], null, [{ glob: '**' }]),
  );
  const member = fc.constantFrom(
    ...['images', 'authorities', 'mode', 'match', 'policy', 'key', 'keyless', 'static', 'ctlog'],
  );
  const spec = fc.dictionary(member, value);
  const property = fc.property(spec, spec, (more, authority) => {
    const text = cip([{ ...keyOf(A), ...authority }], more);
    const { policies, problems } = parsePolicies(Buffer.from(text), 'a.json');
    const errors = problems.filter(({ severity }) => severity === 'error');
    assert.equal(policies.length === 0, errors.length > 0);
  });
  fc.assert(property, { numRuns: 300 });
});
