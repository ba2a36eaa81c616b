import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { accessNamer, credentialsFor } from '../../src/reach/credentials.ts';

const ASKED = { registry: 'registry.example', repository: 'team/app' };

describe('credentials are for their own registry and path (semantics 16)', () => {
  for (const [registry, isFor] of [
    ['registry.example', true],
    ['Registry.example:443', true],
    ['registry.example/team', true],
    ['registry.example/team/app', true],
    ['registry.example/', true],
    ['registry.example/tea', false],
    ['registry.example/team/app/more', false],
    ['registry.example:5000', false],
    ['other.example', false],
    ['registry.example.evil.example', false],
    ['evil.example/registry.example', false],
    ['*', false],
    ['*.example', false],
    ['https://registry.example', false],
    ['', false],
  ] as const) {
    test(`${registry}: ${isFor}`, () => {
      const given = [{ registry, username: 'u', password: 'p' }];
      assert.equal(credentialsFor(ASKED, given).length, isFor ? 1 : 0);
    });
  }
});

test('credentials are named alike when they are equal, and by no text that tells of them', () => {
  const one = { registry: 'registry.example', username: 'ann', password: 'hunter2' };
  const name = accessNamer();
  assert.equal(name([]), null);
  assert.equal(name([one]), name([{ ...one }]));
  assert.notEqual(name([one]), name([{ ...one, password: 'hunter3' }]));
  assert.notEqual(
    name([one, { ...one, username: 'bob' }]),
    name([{ ...one, username: 'bob' }, one]),
  );
  // Another process names them otherwise: nobody tries passwords against what was stored.
  assert.notEqual(name([one]), accessNamer()([one]));
});
