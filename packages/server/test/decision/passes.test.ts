import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Ask } from '@bulla/server/decision/ask';
import { openPasses, sweepPasses } from '@bulla/server/decision/passes';
import { createTaker, type FindExceptions, type Take } from '@bulla/server/decision/take';
import { openMemory } from '@bulla/server/storage/memory/open';
import type { Registers } from '@bulla/server/storage/registers';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { StoredManifest } from '@bulla/trust/oci/store';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import { approved, TWO_CLAUSES } from '../../../trust/test/policy/exceptions/exception-lab.ts';
import { policyOf, ready, setOf, signed } from '../../../trust/test/policy-lab/policy.ts';
import { openLab } from '../../../trust/test/sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../../../trust/test/sigstore-lab/mint.ts';
import { keyed } from '../../../trust/test/sigstore-lab/question.ts';
import {
  attachBundle,
  type LabRepository,
  openRepository,
  putImage,
} from '../../../trust/test/sigstore-lab/repository.ts';
import { testKey } from '../../../trust/test/tlog/synthetic-log.ts';
import { ANOTHER_USER, ASK } from './kit.ts';

// Semantics 3: whoever can make a registry hang chooses the moment. What passed earlier stands in for
// the same question only, and not for long.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const START = Date.parse('2026-11-21T12:00:00Z');
const MAX_AGE_MS = 15 * 60_000;

/** A policy with last known good; another `description` makes another policy of it. */
function policies(description: string | null = null): PolicySet {
  return setOf(
    policyOf({
      authorities: [ready(keyed(KEY, 'a'))],
      require: signed(['a']),
      onInconclusive: { lastKnownGood: { maxAgeMs: MAX_AGE_MS } },
      description,
    }),
  );
}

/** The world of one test: a repository of two images, `other` unsigned, and a server that may ask. */
interface World {
  readonly repository: LabRepository;
  readonly image: StoredManifest;
  readonly other: StoredManifest;
  readonly take: Take;
  readonly registers: Registers;
  /** The time that has passed, in milliseconds. */
  elapsedMs: number;
}

function openWorld(): World {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: '1' });
  const other = putImage(repository, 'another image');
  const shape = { by: KEY, payload: statement(image.digest), logs: [], stampedAt: [] };
  attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
  const { registers } = openMemory();
  const take = openTaker(registers, () => START + made.elapsedMs);
  const made: World = { repository, image, other, take, registers, elapsedMs: 0 };
  return made;
}

/** A server's way to decisions, on its storage. */
function openTaker(
  registers: Registers,
  clock: () => number,
  exceptions: FindExceptions = async () => [],
): Take {
  return createTaker({
    expressions: () => assert.fail('no expression was to be run'),
    passes: openPasses(registers),
    exceptions,
    environment: null,
    parallel: 4,
    deadlineMs: 60_000,
    maxDossierBytes: 1 << 20,
    clock: () => new Date(clock()),
    now: () => performance.now(),
  });
}

let world: World;
beforeEach(() => {
  world = openWorld();
});

function askOf({ repository, image }: World, more: Partial<Ask> = {}): Ask {
  return { ...ASK, source: repository, resolved: { digest: image.digest }, ...more };
}

function endAll({ repository }: World): void {
  repository.faults = {
    referrers: () => {
      throw new TrustFault('registry.unreachable', 'the registry is away');
    },
  };
}

const CASES: readonly {
  readonly name: string;
  readonly admits: boolean;
  readonly ask?: (world: World) => Partial<Ask>;
  readonly set?: () => PolicySet;
  readonly revocationEpoch?: number;
  readonly afterMs?: number;
}[] = [
  { name: 'the same question', admits: true },
  { name: 'the same by another user', admits: true, ask: () => ({ actor: ANOTHER_USER }) },
  { name: 'the same at the last moment', admits: true, afterMs: MAX_AGE_MS },
  { name: 'the same, too late', admits: false, afterMs: MAX_AGE_MS + 1 },
  {
    name: 'another digest of the repository',
    admits: false,
    ask: ({ other }) => ({ resolved: { digest: other.digest } }),
  },
  {
    name: 'the digest in another repository',
    admits: false,
    ask: () => ({ repository: 'registry.example/other' }),
  },
  { name: 'another policy of that name', admits: false, set: () => policies('rewritten') },
  {
    name: 'another version of a trust root',
    admits: false,
    set: () => ({ ...policies(), trustRootVersion: 'lab@sha256:2' }),
  },
  { name: 'after a revocation', admits: false, revocationEpoch: 1 },
  {
    name: 'by credentials that the pass was not taken with',
    admits: false,
    ask: () => ({ access: 'a' }),
  },
];

describe('an earlier pass stands in for an outage (semantics 3)', () => {
  for (const { name, admits, ask, set = policies, revocationEpoch = 0, afterMs = 1 } of CASES) {
    test(`${name}: ${admits ? 'admitted' : 'refused'}`, async () => {
      const { take } = world;
      const first = await take(askOf(world), policies(), 0);
      assert.deepEqual([first.decision.outcome, first.cache], ['admit', 'miss']);
      endAll(world);
      world.elapsedMs = afterMs;
      const again = await take(askOf(world, ask?.(world)), set(), revocationEpoch);
      assert.equal(again.decision.outcome, admits ? 'admit' : 'deny');
      assert.equal(again.cache, admits ? 'last-known-good' : 'miss');
    });
  }

  test('what stood in is no pass of its own: an outage does not prolong itself', async () => {
    const { take } = world;
    await take(askOf(world), policies(), 0);
    endAll(world);
    world.elapsedMs = MAX_AGE_MS;
    assert.equal((await take(askOf(world), policies(), 0)).decision.outcome, 'admit');
    world.elapsedMs = MAX_AGE_MS + 1;
    assert.equal((await take(askOf(world), policies(), 0)).decision.outcome, 'deny');
  });

  test('a refusal is remembered as no pass', async () => {
    const { take, other } = world;
    const ask = askOf(world, { resolved: { digest: other.digest } });
    assert.equal((await take(ask, policies(), 0)).decision.outcome, 'deny');
    endAll(world);
    assert.equal((await take(ask, policies(), 0)).decision.outcome, 'deny');
  });

  test('what an exception let through is no pass: it would outlive the exception', async () => {
    const { registers, other } = world;
    const people = { ...TWO_CLAUSES, require: signed(['release']) };
    const onInconclusive = { lastKnownGood: { maxAgeMs: MAX_AGE_MS } };
    const set = setOf(policyOf({ ...people, onInconclusive }));
    const asked: unknown[] = [];
    const one = await approved(other.digest, { clauses: ['require'], shape: people });
    let left = [one];
    const take = openTaker(
      registers,
      () => START + world.elapsedMs,
      async (...question) => {
        asked.push(question);
        return left;
      },
    );
    const ask = askOf(world, { resolved: { digest: other.digest } });
    const first = await take(ask, set, 0);
    assert.deepEqual([first.decision.outcome, first.decision.exceptions.length], ['admit', 1]);
    assert.deepEqual(asked, [['registry.example/app', [other.digest]]]);
    // It is revoked, and then the registry is made to hang.
    left = [];
    endAll(world);
    world.elapsedMs = 1;
    const again = await take(ask, set, 0);
    assert.deepEqual([again.decision.outcome, again.cache], ['deny', 'miss']);
  });

  test('another replica of the same storage knows of it', async () => {
    const { registers } = world;
    await world.take(askOf(world), policies(), 0);
    endAll(world);
    const replica = openTaker(registers, () => START + 1);
    const { decision, cache } = await replica(askOf(world), policies(), 0);
    assert.deepEqual([decision.outcome, cache], ['admit', 'last-known-good']);
    const stranger = openTaker(openMemory().registers, () => START + 1);
    assert.equal((await stranger(askOf(world), policies(), 0)).decision.outcome, 'deny');
  });
});

describe('passes go when no policy lets them stand in any more', () => {
  const DAY_MS = 24 * 3600_000;
  const key = (digest: string) => ({
    repository: 'registry.example/app',
    digest,
    policyHash: 'sha256:one',
    trustRootVersion: 'lab sha256:1',
    revocationEpoch: 0,
    access: null,
  });
  const at = (ms: number) => new Date(START + ms);

  test('each when its own policy’s age is over, and not before', async () => {
    const { registers } = openMemory();
    const passes = openPasses(registers);
    await passes.note(key('short'), at(0), 15 * 60_000);
    await passes.note(key('long'), at(0), 30 * DAY_MS);
    assert.equal(await sweepPasses(registers, at(15 * 60_000)), 0);
    assert.equal(await sweepPasses(registers, at(2 * DAY_MS)), 1);
    assert.equal(await passes.last(key('short')), null);
    assert.deepEqual(await passes.last(key('long')), at(0));
    // A pass of later begins its time anew.
    await passes.note(key('long'), at(20 * DAY_MS), 30 * DAY_MS);
    assert.equal(await sweepPasses(registers, at(40 * DAY_MS)), 0);
    assert.equal(await sweepPasses(registers, at(51 * DAY_MS)), 1);
    assert.deepEqual(await registers.list('passes/'), []);
  });

  test('what an older release noted stays for the longest time that a policy can name', async () => {
    const { registers } = openMemory();
    await registers.swap('passes/0123', null, Buffer.from(at(0).toISOString()));
    await registers.swap('passes/4567', null, Buffer.from('no instant'));
    assert.equal(await sweepPasses(registers, at(3649 * DAY_MS)), 1, 'what cannot be read');
    assert.deepEqual(await registers.list('passes/'), ['passes/0123']);
    assert.equal(await sweepPasses(registers, at(3651 * DAY_MS)), 1);
  });

  test('of more than a page all are looked at', async () => {
    const { registers } = openMemory();
    const passes = openPasses(registers);
    for (let n = 0; n < 2500; n++) {
      await passes.note(key(`image ${n}`), at(n % 2 === 0 ? 0 : 10 * DAY_MS), DAY_MS);
    }
    assert.equal(await sweepPasses(registers, at(5 * DAY_MS)), 1250);
    assert.equal((await registers.list('passes/')).length, 1250);
  });

  test('a pass that is noted while its age is found over stays', async () => {
    const { registers } = openMemory();
    const passes = openPasses(registers);
    await passes.note(key('image'), at(0), DAY_MS);
    const racing: Registers = {
      ...registers,
      async delete(cell, version) {
        await passes.note(key('image'), at(5 * DAY_MS), DAY_MS);
        return registers.delete(cell, version);
      },
    };
    assert.equal(await sweepPasses(racing, at(5 * DAY_MS)), 0);
    assert.deepEqual(await passes.last(key('image')), at(5 * DAY_MS));
  });

  test('a taken decision says for how long its policy lets it stand in', async () => {
    await world.take(askOf(world), policies(), 0);
    assert.equal(await sweepPasses(world.registers, at(MAX_AGE_MS)), 0);
    assert.equal(await sweepPasses(world.registers, at(MAX_AGE_MS + DAY_MS)), 1);
  });
});
