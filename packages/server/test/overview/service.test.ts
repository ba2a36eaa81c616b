import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { ReadyCheck } from '../../src/http/probes.ts';
import { type OverviewParts, overviewOf, policiesOf } from '../../src/overview/service.ts';

const AT = new Date('2026-01-02T03:04:05.000Z');

function partsWith(checks: readonly ReadyCheck[]): OverviewParts {
  return {
    version: '1.2.3',
    startedAt: AT,
    origin: () => null,
    addresses: () => ['http://127.0.0.1:5000'],
    caCertificate: () => null,
    services: [{ name: 'gateway', state: 'running' }],
    storage: { tables: 'SQLite', objects: 'files' },
    inForce: () => ({
      set: null,
      files: new Map(),
      loadedAt: AT,
      problem: new TrustFault('policy.unreadable', 'the folder is gone'),
      warnings: [],
    }),
    texts: () => [],
    starterPolicy: null,
    checks,
    glass: async () => ({ breakGlassInForce: 5, openReviews: 6 }),
    counts: async () => ({ admitted24h: 1, denied24h: 2, warned24h: 3, audited24h: 4 }),
    anonymousPull: 'loopback',
  };
}

test('checks that fail, or hang whatever their signal says, are shown as such', async () => {
  const alive = setInterval(() => undefined, 1000);
  const overview = await overviewOf(
    partsWith([
      { name: 'well', check: async () => undefined },
      { name: 'fails', check: () => Promise.reject(new Error('gone')) },
      { name: 'hangs', check: () => new Promise(() => undefined) },
    ]),
  );
  clearInterval(alive);
  assert.deepEqual(overview.checks, [
    { name: 'well', ok: true },
    { name: 'fails', ok: false },
    { name: 'hangs', ok: false },
  ]);
});

test('break-glass that holds or waits for its review is told of', async () => {
  const { breakGlassInForce, openReviews } = await overviewOf(partsWith([]));
  assert.deepEqual([breakGlassInForce, openReviews], [5, 6]);
});

test('policies that cannot be read are told of, with why', async () => {
  const overview = await overviewOf(partsWith([]));
  assert.deepEqual(overview.policies, {
    count: 0,
    hash: null,
    warnings: ['the folder is gone'],
    starter: false,
  });
  assert.deepEqual(policiesOf(partsWith([])).problems, [
    { code: 'policy.unreadable', message: 'the folder is gone' },
  ]);
});

test('the policy of the first start is told of as long as it refuses nothing', async () => {
  for (const { name, mode, expect } of [
    { name: 'starter', mode: 'audit', expect: true },
    { name: 'starter', mode: 'warn', expect: true },
    { name: 'starter', mode: 'enforce', expect: false },
    { name: 'team', mode: 'audit', expect: false },
  ]) {
    const set = { hash: 'sha256:00', policies: [{ document: { name, mode } }] };
    const { policies } = await overviewOf({
      ...partsWith([]),
      starterPolicy: 'starter',
      inForce: () => ({ set, loadedAt: AT, problem: null, warnings: [] }) as never,
    });
    assert.equal(policies.starter, expect, `${name} ${mode}`);
  }
});
