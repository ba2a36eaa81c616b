import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placesOf } from '../../../src/gateway/place.ts';
import type { UpstreamUsers } from '../../../src/gateway/upstream/config.ts';
import { mayUse } from '../../../src/gateway/upstream/users.ts';
import type { Principal } from '../../../src/http/principal.ts';
import { upstreamAt } from './kit.ts';

function caller(kind: Principal['kind'], facts: Partial<Principal>): Principal {
  return { kind, id: kind, name: kind, permissions: new Set(), repositories: [], ...facts };
}

const NOBODY = caller('anonymous', {});
const ALICE = caller('user', { id: 'user_a', name: 'alice', user: 'user_a', userName: 'alice' });
const OWNED_BY_ALICE = { user: 'user_a', userName: 'alice' };
const CI = caller('token', { id: 'token_1', name: 'token ci of alice', ...OWNED_BY_ALICE });
// Whoever makes a token names it.
const LIAR = caller('token', {
  id: 'token_2',
  name: 'token x of alice of mallory',
  user: 'user_m',
  userName: 'mallory',
});

const CASES: readonly (readonly [users: UpstreamUsers, may: readonly Principal[]])[] = [
  ['anyone', [NOBODY, ALICE, CI, LIAR]],
  ['signed-in', [ALICE, CI, LIAR]],
  [['alice'], [ALICE, CI]],
  [['user_a'], [ALICE, CI]],
  [['token_1'], [CI]],
  [['x', 'ci', 'x of alice'], []],
  [['mallory'], [LIAR]],
  [['anonymous'], []],
];

for (const [users, may] of CASES) {
  test(`an upstream for ${String(users)} serves ${may.length} of those who ask`, () => {
    const upstreams = [upstreamAt('a.example', { prefix: 'up', users })];
    const place = placesOf({ registry: 'here.example', upstreams, aliases: [] }).locate('up/app');
    for (const principal of [NOBODY, ALICE, CI, LIAR]) {
      assert.equal(mayUse(place, principal), may.includes(principal), principal.name);
    }
  });
}
