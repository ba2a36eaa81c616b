import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claimPaths } from '../../src/http/doors.ts';
import type { Door } from '../../src/http/exchange.ts';
import { faultOf } from '../storage/expectations.ts';

function door(prefix: `/${string}`, name?: string): Door {
  return {
    prefix,
    ...(name === undefined ? {} : { name }),
    handle: async () => ({ status: 200 }),
    refuse: () => ({ status: 500 }),
  };
}

const DOORS = [
  door('/', 'page'),
  door('/api'),
  door('/api/bulla/v1', 'api'),
  door('/v2'),
  door('/v2/_trust'),
  door('/favicon.ico'),
];

const PATHS = [
  { path: '/', expect: 'page' },
  { path: '/v2', expect: '/v2' },
  { path: '/v2/', expect: '/v2' },
  { path: '/v2/a/manifests/b', expect: '/v2' },
  { path: '/v2/_trust/changefeed', expect: '/v2/_trust' },
  { path: '/v2/_trusty', expect: '/v2' },
  { path: '/v22', expect: null },
  { path: '/V2', expect: null },
  { path: '/%76%32/', expect: null },
  { path: '//v2/', expect: null },
  { path: '/api/bulla/v1/decisions', expect: 'api' },
  { path: '/api/bulla/v12', expect: '/api' },
  { path: '/api/bulla', expect: '/api' },
  { path: '/favicon.ico', expect: '/favicon.ico' },
  { path: '/index.html', expect: null },
  { path: '/decisions', expect: null },
  { path: '', expect: null },
  { path: '*', expect: null },
  { path: 'http://other/v2/', expect: null },
  { path: '/__proto__', expect: null },
] as const;

for (const { path, expect } of PATHS) {
  test(`${JSON.stringify(path)} belongs to ${expect ?? 'no door'}`, () => {
    // The order of the doors does not matter.
    for (const doors of [DOORS, DOORS.toReversed()]) {
      assert.equal(claimPaths(doors)(path)?.name ?? null, expect);
    }
  });
}

for (const prefix of ['/a/', '//', '/a b', '/a?b', '/ü'] as const) {
  test(`the prefix ${prefix} is a defect`, () => {
    assert.throws(() => claimPaths([door(prefix)]), faultOf('internal.defect'));
  });
}

test('two doors of one prefix are a defect', () => {
  assert.throws(() => claimPaths([door('/a'), door('/a')]), faultOf('internal.defect'));
});
