import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openFortress } from './fortress.ts';
import { ownerOf } from './owner.ts';

// Whoever has the scope `sign` reads what nobody has verified: never unseen, and nobody else does.

function asToken(secret: string) {
  return { authorization: `Basic ${btoa(`token:${secret}`)}` };
}

test('each read by the scope sign stands in the record, as no pass, before the answer', async () => {
  await using fortress = await openFortress();
  const { ask, makeToken } = await ownerOf(fortress);
  const digest = await fortress.image('team/app', 'v1');
  await fortress.image('team/other', 'v1');
  const signer = asToken(await makeToken('release', 'team/app', ['pull', 'push', 'sign']));
  const pusher = asToken(await makeToken('ci', 'team/app', ['pull', 'push']));
  const read = async (method: string, path: string, headers: Readonly<Record<string, string>>) =>
    (await fortress.send(method, `/v2/${path}`, { headers })).status;
  const reads = [
    { method: 'GET', path: 'team/app/manifests/v1', tag: 'v1' },
    { method: 'HEAD', path: 'team/app/manifests/v1', tag: 'v1' },
    { method: 'GET', path: `team/app/manifests/${digest}`, tag: null },
  ];
  for (const [done, { method, path, tag }] of reads.entries()) {
    assert.equal(await read(method, path, signer), 200, `${method} ${path}`);
    const { decisions } = await ask('GET', '/decisions?outcome=admit');
    assert.equal(decisions.length, done + 1, `${method} ${path} is recorded`);
    const [newest] = decisions;
    assert.deepEqual(
      [newest.digest, newest.tag, newest.actor.name, newest.effect],
      [digest, tag, 'token release of ann', 'warn'],
    );
  }
  // Nobody else reads it, nor the same token anything else.
  assert.equal(await read('GET', 'team/app/manifests/v1', pusher), 403);
  assert.notEqual(await read('GET', 'team/other/manifests/v1', signer), 200);
  assert.equal((await fortress.pull('team/app', 'v1')).status, 401);
  const { decisions } = await ask('GET', '/decisions?outcome=admit');
  assert.equal(decisions.length, reads.length);
});
