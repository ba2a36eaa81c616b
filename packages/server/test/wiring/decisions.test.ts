import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { openEpochs } from '@bulla/server/decision/epochs';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Requirement } from '@bulla/trust/policy/document';
import { attested, policyOf, ready, setOf, signed } from '../../../trust/test/policy-lab/policy.ts';
import { openLab } from '../../../trust/test/sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../../../trust/test/sigstore-lab/mint.ts';
import { keyed } from '../../../trust/test/sigstore-lab/question.ts';
import {
  attachBundle,
  openRepository,
  putImage,
} from '../../../trust/test/sigstore-lab/repository.ts';
import { testKey } from '../../../trust/test/tlog/synthetic-log.ts';
import { defaultConfig } from '../../src/config/parse.ts';
import { openPolicies } from '../../src/decision/policies.ts';
import { createLog } from '../../src/http/log.ts';
import { openMemory } from '../../src/storage/memory/open.ts';
import { SYSTEM_CLOCKS } from '../../src/wiring/clocks.ts';
import { wireDecisions } from '../../src/wiring/decisions.ts';
import { ASK } from '../decision/kit.ts';

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const TYPE = 'https://example.dev/review/v1';

/** Every thread that this process starts from here on. */
const workers: Worker[] = [];
process.on('worker', (worker) => workers.push(worker));

/** A server's decisions by one policy, and images of which each has the statement `{ ok }`. */
async function openDecisions(require: Requirement) {
  const set = setOf(policyOf({ authorities: [ready(keyed(KEY, 'a'))], require }));
  const policies = await openPolicies({
    load: async () => ({ set, files: new Map(), warnings: [] }),
    fingerprint: async () => '',
    clock: SYSTEM_CLOCKS.clock,
    changed: () => undefined,
  });
  const { registers } = openMemory();
  const config = defaultConfig('/nowhere');
  const log = createLog('silent');
  const record = { keep: () => Promise.resolve(), repeat: () => null };
  const ground = { epochs: openEpochs(registers, SYSTEM_CLOCKS.now), exceptions: async () => [] };
  const wired = wireDecisions(config, registers, policies, record, ground, SYSTEM_CLOCKS, log);
  const repository = openRepository();
  const decide = async (name: string, ok: boolean) => {
    const image = putImage(repository, name);
    for (const payload of [statement(image.digest), statement(image.digest, TYPE, { ok })]) {
      const shape = { by: KEY, payload, logs: [], stampedAt: [] };
      attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
    }
    const resolved = { digest: image.digest };
    const ask = { ...ASK, tag: null, source: repository, resolved };
    return (await wired.decisions.decide(ask)).decision;
  };
  return { decide, repository, [Symbol.asyncDispose]: () => wired[Symbol.asyncDispose]() };
}

test('without a `where` no worker is started', async () => {
  const before = workers.length;
  await using decisions = await openDecisions({
    kind: 'all',
    parts: [signed(['a']), attested(TYPE, ['a'])],
  });
  for (const name of ['one', 'two']) {
    assert.equal((await decisions.decide(name, false)).outcome, 'admit');
  }
  assert.equal(workers.length, before);
});

test('with a `where` one worker is started by the first statement, kept warm, and ended', async () => {
  const before = workers.length;
  {
    await using decisions = await openDecisions(attested(TYPE, ['a'], { where: 'predicate.ok' }));
    assert.equal(workers.length, before, 'a policy alone starts nothing');
    decisions.repository.faults = {
      referrers: () => {
        throw new TrustFault('registry.unreachable', 'the registry is away');
      },
    };
    assert.equal((await decisions.decide('away', true)).outcome, 'deny');
    assert.equal(workers.length, before, 'nothing was there to be judged');
    decisions.repository.faults = {};
    for (const [name, ok, outcome] of [
      ['one', true, 'admit'],
      ['two', false, 'deny'],
      ['three', true, 'admit'],
    ] as const) {
      assert.equal((await decisions.decide(name, ok)).outcome, outcome, name);
      assert.equal(workers.length, before + 1, name);
    }
  }
  assert.equal(workers.at(-1)?.threadId, -1, 'it ended with the server');
});
