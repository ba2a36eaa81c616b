import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReadyPolicy } from '@bulla/trust/policy/policy-set';
import { tagRefusal } from '../../src/wiring/impact.ts';
import { ANN, inForce, openScene, policyText, type Stored, simulating } from './scene.ts';

for (const { name, rule, surface, refused } of [
  { name: 'refused by the policy', rule: 'refuse', surface: 'pull', refused: 'policy.tag-refused' },
  {
    name: 'left, where nodes pull past the gateway',
    rule: 'leave',
    surface: 'admission',
    refused: 'admission.tag-left',
  },
  {
    name: 'left, where the gateway itself is asked',
    rule: 'leave',
    surface: 'pull',
    refused: null,
  },
  { name: 'pinned', rule: 'pin', surface: 'admission', refused: null },
] as const) {
  test(`a tag that somebody asked for of late is ${name}: ${refused ?? 'nothing changes'}`, async () => {
    await using scene = await openScene();
    const place = { surface, namespace: 'shop' };
    await scene.decided('p256', place);
    // The newest is by digest, as what admission itself has pinned is.
    await scene.decided('p256', { ...place, byDigest: true });
    const text = policyText('{ signed: { of: [dev, qa] } }', `  tags: ${rule}\n`);
    const { totals, result }: Stored = await scene.impact.simulate(ANN, simulating(text));
    assert.deepEqual([totals.images, totals.refused], [1, refused === null ? 0 : 1]);
    assert.equal(result.changes[0]?.because[0]?.code ?? null, refused);
  });
}

test('an image that nobody named by a tag is not refused for one', async () => {
  await using scene = await openScene();
  await scene.decided('p256', { surface: 'admission', byDigest: true });
  const text = policyText('{ signed: { of: [dev, qa] } }', '  tags: leave\n');
  const { totals }: Stored = await scene.impact.simulate(ANN, simulating(text));
  assert.deepEqual([totals.refused, totals.unchanged.admitted], [0, 1]);
});

for (const { tags, mode = 'enforce', pin, nodesPullThrough, code } of [
  { tags: 'leave', pin: 'digest', nodesPullThrough: false, code: 'admission.tag-left' },
  { tags: 'leave', pin: 'digest', nodesPullThrough: true, code: null },
  { tags: 'leave', mode: 'warn', pin: 'digest', nodesPullThrough: false, code: null },
  { tags: 'pin', pin: 'none', nodesPullThrough: false, code: 'admission.tag-unpinned' },
  { tags: 'pin', pin: 'none', nodesPullThrough: true, code: 'admission.tag-unpinned' },
  { tags: 'pin', pin: 'digest', nodesPullThrough: false, code: null },
  { tags: 'pin', pin: 'tag-and-digest', nodesPullThrough: false, code: null },
] as const) {
  test(`tags: ${tags} (${mode}), pin: ${pin}, nodesPullThrough: ${nodesPullThrough}: ${code ?? 'passes'}`, () => {
    const policies = inForce.policies.map((policy): ReadyPolicy => {
      return { ...policy, document: { ...policy.document, tags, mode } };
    });
    const scope = { repository: 'a.example/b', surface: 'admission', environment: null } as const;
    const reason = tagRefusal(
      { pin, nodesPullThrough },
      { ...inForce, policies },
      { ...scope, namespace: 'shop' },
    );
    assert.equal(reason?.code ?? null, code);
  });
}
