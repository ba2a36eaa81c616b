import assert from 'node:assert/strict';
import test from 'node:test';
import { exportContainersPolicy } from '@bulla/trust/policy/export/containers-policy/export';
import fc from 'fast-check';
import { A, B, data, PLACE, policy } from './ground.ts';

/** What containers/image says of a name, by the most specific scope (docker/policyconfiguration). */
function accepts(json: string, name: string, signers: ReadonlySet<string>): boolean {
  const { transports } = JSON.parse(json);
  const scopes: Record<string, readonly Requirement[]> = transports?.docker ?? {};
  let scope = name;
  while (scope !== '' && !Object.hasOwn(scopes, scope)) {
    scope = scope.includes('/') ? scope.slice(0, scope.lastIndexOf('/')) : '';
  }
  return (scopes[scope] ?? [{ type: 'reject' }]).every((requirement) => {
    if (requirement.type !== 'sigstoreSigned') return false;
    const { dockerRepository = name } = requirement.signedIdentity ?? {};
    const keys = requirement.keyDatas ?? [requirement.keyData ?? ''];
    return dockerRepository === name && keys.some((key) => signers.has(key));
  });
}

interface Requirement {
  readonly type: string;
  readonly keyData?: string;
  readonly keyDatas?: readonly string[];
  readonly signedIdentity?: { readonly dockerRepository?: string };
}

const IMAGES = [
  ...[
    { glob: '**' },
    { glob: 'r.example/**' },
    { glob: 'r.example/a/**' },
    { glob: 'r.example/*' },
  ],
  ...[{ exact: 'r.example/a' }, { exact: 'r.example/a/b' }, { glob: 'r.example/a/b*' }],
  ...[{ glob: '**/b' }, { regex: 'r\\.example/.*' }, { glob: 's.example/**' }],
];
const image = fc.constantFrom(...IMAGES);
/** Each requirement, and whether the signers of a set satisfy it. */
const REQUIREMENTS: readonly (readonly [object, (a: boolean, b: boolean) => boolean])[] = [
  [{ signed: { of: ['a'] } }, (a) => a],
  [{ signed: { of: ['b'] } }, (_, b) => b],
  [{ signed: { of: ['a', 'b'] } }, (a, b) => a || b],
  [{ signed: { of: ['a', 'b'], atLeast: 2 } }, (a, b) => a && b],
  [{ any: [{ signed: { of: ['a'] } }, { signed: { of: ['static'] } }] }, (a) => a],
  [{ attested: { type: 'vuln', by: ['a'] } }, () => false],
];
const shape = fc.record({
  images: fc.array(image, { minLength: 1, maxLength: 3 }),
  exclude: fc.array(image, { maxLength: 1 }),
  require: fc.constantFrom(...REQUIREMENTS),
});
const name = fc.constantFrom(
  ...['r.example/a', 'r.example/a/b', 'r.example/a/b/c', 'r.example/a/bc', 'r.example/x'],
  ...['r.example/x/b', 's.example/b', 't.example/a'],
);

test('what the exported file accepts, every policy that covers the image accepts', () => {
  let accepted = 0;
  const property = fc.property(
    fc.array(shape, { minLength: 1, maxLength: 3 }),
    name,
    fc.boolean(),
    fc.boolean(),
    (shapes, repository, a, b) => {
      const policies = shapes.map(({ images, exclude, require: [require] }, at) =>
        policy(images, require, { exclude }, `p${at}`),
      );
      const options = { mirrors: [], namespaces: [], keyLists: true };
      const { files, notes } = exportContainersPolicy(policies, PLACE, options);
      const signers = new Set([...(a ? [data(A)] : []), ...(b ? [data(B)] : [])]);
      if (!accepts(files.get('policy.json') ?? '', repository, signers)) return;
      accepted++;
      const scope = { repository, surface: 'node', namespace: null, environment: null } as const;
      const covering = shapes.filter((_, at) => policies[at]?.covers(scope));
      for (const { require } of covering) assert.ok(require[1](a, b), JSON.stringify(shapes));
      // The one name that a scope has and its pattern has not is said.
      const isSaid = notes.some((note) => note.effect === 'wider' && note.scope === repository);
      assert.ok(covering.length > 0 || isSaid, `${repository} ${JSON.stringify(shapes)}`);
    },
  );
  fc.assert(property, { numRuns: 400 });
  assert.ok(accepted > 5, `${accepted}`);
});
