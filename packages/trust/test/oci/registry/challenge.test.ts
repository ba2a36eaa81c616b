import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseChallenges } from '@bulla/trust/oci/registry/challenge';
import fc from 'fast-check';

const CASES: readonly { name: string; header: string; expect: readonly [string, object][] }[] = [
  {
    name: 'bearer as registries write it',
    header:
      'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    expect: [
      [
        'bearer',
        {
          realm: 'https://auth.example/token',
          service: 'registry.example',
          scope: 'repository:a/b:pull,push',
        },
      ],
    ],
  },
  { name: 'basic', header: 'Basic realm="a b"', expect: [['basic', { realm: 'a b' }]] },
  {
    name: 'spaces around everything',
    header: '  ,, bearer  realm = "x" , service=y ',
    expect: [['bearer', { realm: 'x', service: 'y' }]],
  },
  { name: 'escapes', header: 'Basic realm="a\\"b\\\\"', expect: [['basic', { realm: 'a"b\\' }]] },
  {
    name: 'two challenges in one value',
    header: 'Basic realm="x", Bearer realm="y",service="z"',
    expect: [
      ['basic', { realm: 'x' }],
      ['bearer', { realm: 'y', service: 'z' }],
    ],
  },
  {
    name: 'a scheme alone before another',
    header: 'Negotiate, Basic realm=x',
    expect: [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  },
  {
    name: 'a token68',
    header: 'Negotiate YWJj==, Basic realm=x',
    expect: [
      ['negotiate', {}],
      ['basic', { realm: 'x' }],
    ],
  },
  {
    name: 'names in upper case, the first of two',
    header: 'BEARER Realm="x", REALM="y"',
    expect: [['bearer', { realm: 'x' }]],
  },
  { name: 'a quote that does not end', header: 'Bearer realm="x', expect: [['bearer', {}]] },
  { name: 'nothing', header: '', expect: [] },
  {
    name: '__proto__ as a name',
    header: 'Basic __proto__=x',
    expect: [['basic', JSON.parse('{"__proto__":"x"}')]],
  },
];

describe('challenges', () => {
  for (const { name, header, expect } of CASES) {
    it(name, () => {
      const found = parseChallenges(header).map(({ scheme, parameters }) => [
        scheme,
        JSON.stringify(parameters),
      ]);
      assert.deepEqual(
        found,
        expect.map(([scheme, parameters]) => [scheme, JSON.stringify(parameters)]),
      );
    });
  }

  it('no header throws, and reading ends', () => {
    const part = fc.constantFrom(
      'Bearer',
      'Basic',
      ' ',
      ',',
      '=',
      '"',
      '\\',
      'realm',
      'x/y==',
      '\u0000',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(part).map((parts) => parts.join('')),
        ),
        (header) => {
          assert.ok(parseChallenges(header).length <= 16);
        },
      ),
    );
  });
});
