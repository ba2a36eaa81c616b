import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../gateway/client.ts';
import { type Fortress, openFortress } from './fortress.ts';

// Somebody with a narrow token reads by the API what the registry refuses them (semantics 15).

const PASSWORD = 'a seal of clay, dried';

/** The cookie of the first owner. */
async function signIn({ server, origin }: Fortress): Promise<string> {
  const body = JSON.stringify({ link: server.firstStart?.link.secret, password: PASSWORD });
  const headers = { 'content-type': 'application/json' };
  const path = '/api/bulla/v1/session/link';
  const answer = await ask(origin, { method: 'POST', path, body, headers });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.headers['set-cookie']?.split(';', 1)[0] ?? '';
}

async function tokenOf(fortress: Fortress, cookie: string, pulls: string | null): Promise<string> {
  const { origin } = fortress;
  const repositories = pulls === null ? [] : [{ repository: pulls, actions: ['pull'] }];
  const permissions = ['decisions.read', 'policies.simulate'];
  const answer = await ask(origin, {
    method: 'POST',
    path: '/api/bulla/v1/tokens',
    body: JSON.stringify({ name: 'narrow', permissions, repositories }),
    headers: { 'content-type': 'application/json', origin, cookie },
  });
  assert.equal(answer.status, 200, answer.body.toString());
  return (JSON.parse(answer.body.toString()) as { secret: string }).secret;
}

test('what a refused image consists of is given to nobody who may not pull it', async () => {
  await using fortress = await openFortress();
  const { origin } = fortress;
  const image = await fortress.image('secret/app', 'v1');
  const decision = (await fortress.pull('secret/app', 'v1')).headers['bulla-decision'];
  const cookie = await signIn(fortress);
  const get = (path: string, secret: string) =>
    ask(origin, {
      path: `/api/bulla/v1${path}`,
      headers: { authorization: `Bearer ${secret}` },
    });
  for (const pulls of [null, 'other/*']) {
    const narrow = await tokenOf(fortress, cookie, pulls);
    const answer = await get(`/decisions/${decision}/dossier`, narrow);
    assert.equal(answer.status, 403, String(pulls));
    assert.ok(!answer.body.includes(Buffer.from(image)));
  }
  const wide = await tokenOf(fortress, cookie, 'secret/*');
  const answer = await get(`/decisions/${decision}/dossier`, wide);
  assert.equal(answer.status, 200);
  assert.ok(answer.body.includes(Buffer.from(image)));
});
