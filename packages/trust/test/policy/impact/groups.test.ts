import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Change } from '../../../src/policy/impact/compare.ts';
import { changeGroups } from '../../../src/policy/impact/groups.ts';

const SIGNED = { policy: 'production', clause: 'require', code: 'signature.none', says: 'a' };
const TAGS = { policy: 'production', clause: 'tags', code: 'policy.tag-refused', says: 'b' };

function image(change: Change | null, namespace: string | null, decisions: number) {
  return { change, namespace, because: [SIGNED], decisions };
}

test('images of one change, namespace and clause are one group, whatever each is told', () => {
  const other = { ...image('refused', 'shop', 5), because: [{ ...SIGNED, says: 'else' }] };
  assert.deepEqual(changeGroups([image('refused', 'shop', 3), other]), [
    {
      change: 'refused',
      policy: 'production',
      namespace: 'shop',
      clause: 'require',
      code: 'signature.none',
      images: 2,
      decisions: 8,
    },
  ]);
});

test('another change, namespace or clause is another group, and the most decisions come first', () => {
  const groups = changeGroups([
    image('refused', 'shop', 1),
    image('warned', 'shop', 2),
    image('refused', null, 4),
    { ...image('refused', 'shop', 8), because: [TAGS] },
  ]);
  assert.deepEqual(
    groups.map(({ change, namespace, clause, decisions }) => [
      change,
      namespace,
      clause,
      decisions,
    ]),
    [
      ['refused', 'shop', 'tags', 8],
      ['refused', null, 'require', 4],
      ['warned', 'shop', 'require', 2],
      ['refused', 'shop', 'require', 1],
    ],
  );
});

test('an image with two reasons is in the group of each; one that does not change is in none', () => {
  const both = { ...image('refused', 'shop', 3), because: [SIGNED, TAGS] };
  const groups = changeGroups([both, image(null, 'shop', 9)]);
  assert.deepEqual(
    groups.map(({ clause, images, decisions }) => [clause, images, decisions]),
    [
      ['require', 1, 3],
      ['tags', 1, 3],
    ],
  );
});
