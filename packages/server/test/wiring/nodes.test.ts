import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEpochs } from '@bulla/server/decision/epochs';
import { openPolicies } from '@bulla/server/decision/policies';
import { openMemory } from '@bulla/server/storage/memory/open';
import { wireNodes } from '@bulla/server/wiring/nodes';
import { set } from '../decision/kit.ts';
import { DIGEST, reached } from '../gatekeeper/kit.ts';

const CALLER = {
  ...{ id: 'T1', name: 'node' },
  request: { id: 'r', remoteAddress: '', userAgent: '' },
};

test('what nodes keep ends with a policy, a revocation and an exception, and with nothing else', async () => {
  const { registers } = openMemory();
  let atMs = 0;
  let hash = 'sha256:one';
  const epochs = openEpochs(registers, () => atMs);
  const inForce = await openPolicies({
    load: () => Promise.resolve({ set: set(hash), files: new Map(), warnings: [] }),
    fingerprint: () => Promise.resolve(hash),
    clock: () => new Date(atMs),
    changed: () => undefined,
  });
  const acts: string[] = [];
  const nodes = wireNodes({
    ask: async (question) => reached(question, {}),
    epochs,
    inForce,
    record: {
      note: async ({ act }) => {
        acts.push(act);
        return 'A1';
      },
    },
  });
  const generation = async () => {
    // A counter that was read less than a second ago is as good.
    atMs += 1000;
    return (await nodes.decide({ name: 'app', digest: DIGEST }, CALLER)).generation;
  };
  const seen = [await generation()];
  assert.equal(await generation(), seen[0]);
  await epochs.raise('push/registry.example/app');
  assert.equal(await generation(), seen[0], 'a push ends no pass (semantics 14)');
  for (const change of [
    () => epochs.raise('revocation'),
    () => epochs.raise('exception'),
    async () => {
      hash = 'sha256:two';
      await inForce.check();
    },
  ]) {
    await change();
    const next = await generation();
    assert.ok(!seen.includes(next));
    seen.push(next);
  }
  await nodes.report({ standIns: [], dropped: 1 }, CALLER);
  assert.deepEqual(acts, ['node.stand-ins-lost']);
});
