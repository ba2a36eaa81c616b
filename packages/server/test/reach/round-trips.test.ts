import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FormatName } from '@bulla/trust/proof/evidence';
import { startRegistry } from '../../src/registry.ts';
import { pushImage } from '../gateway/client.ts';
import { startFront } from './front.ts';
import { asking, openReach, signAt } from './kit.ts';

/*
 * Sequential round trips of a cold decision, against a registry of our own over HTTP. Nothing of a
 * round is answered before all of it was asked for: a client that asks one after the other waits for
 * ever, so what is admitted here took no more round trips than there are rounds.
 */
const CASES: readonly {
  readonly name: string;
  readonly format: FormatName;
  readonly by: 'tag' | 'digest';
  /** How many requests each round has. */
  readonly rounds: readonly number[];
}[] = [
  // The tag · referrers, .sig · the payload.
  { name: 'a legacy signature by tag', format: 'cosign-legacy', by: 'tag', rounds: [1, 2, 1] },
  // The manifest, referrers, .sig · the payload: one less than the goal of three.
  { name: 'a legacy signature by digest', format: 'cosign-legacy', by: 'digest', rounds: [3, 1] },
  // The tag · referrers, .sig · the referrer · its bundle.
  { name: 'a bundle by tag', format: 'sigstore-bundle', by: 'tag', rounds: [1, 2, 1, 1] },
  // The manifest, referrers, .sig · the referrer · its bundle.
  { name: 'a bundle by digest', format: 'sigstore-bundle', by: 'digest', rounds: [3, 1, 1] },
];

for (const { name, format, by, rounds } of CASES) {
  test(`${name} takes ${rounds.length} round trips`, { timeout: 20_000 }, async () => {
    await using registry = await startRegistry({ storage: 'memory' });
    await using front = await startFront(registry.host);
    const digest = await pushImage(registry.url, 'app', 'v1', { layers: ['layer'] });
    await signAt(`${registry.host}/app:v1`, [format]);
    await using reach = await openReach({ connections: { [front.host]: { timeoutMs: 15_000 } } });
    front.rounds = [...rounds];
    const image = `${front.host}/app${by === 'tag' ? ':v1' : `@${digest}`}`;
    const { decision, cache, pinned } = await reach.ask(asking(image));
    assert.equal(decision.outcome, 'admit');
    assert.equal(cache, 'miss');
    assert.equal(pinned?.digest, digest);
    assert.deepEqual(front.rounds, []);
    const total = rounds.reduce((sum, size) => sum + size, 0);
    assert.equal(front.asked.length, total, front.asked.join('\n'));
    // Again by the digest: from the cache, without a request.
    front.rounds = null;
    const again = await reach.ask(asking(`${front.host}/app@${digest}`));
    assert.deepEqual([again.decision.outcome, again.cache], ['admit', 'hit']);
    assert.equal(front.asked.length, total);
  });
}
