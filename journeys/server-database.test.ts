// PostgreSQL under a running server: gone, and back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushImage } from '../demo/image.ts';
import { requirePeer } from '../test/peers.ts';
import { startPostgres } from '../test/postgres.ts';
import { openRepository } from './artifact.ts';
import {
  basic,
  type RunningServer,
  signedPolicy,
  signInOwner,
  startServe,
  until,
} from './server.ts';
import { makeKey, openStage } from './stage.ts';

const REPOSITORY = 'team/app';

async function pull({ origin, pushToken }: RunningServer, tag: string) {
  const answer = await fetch(`${origin}/v2/${REPOSITORY}/manifests/${tag}`, {
    headers: basic(pushToken),
  });
  return { status: answer.status, text: await answer.text() };
}

test('while PostgreSQL is gone everything is refused and the server says so; when it is back all goes on', async (t) => {
  const program = requirePeer(t, 'postgresql');
  if (program === null) return;
  await using postgres = await startPostgres(program);
  await using stage = await openStage();
  const { key, pub } = await makeKey(stage, 'release');
  const database = await postgres.database();
  const policy = await stage.write('policy.yaml', signedPolicy({ name: 'release-only', pub }));
  await using server = await startServe(stage, {
    gateway: '  {}\n',
    policies: [policy],
    more: `storage: { tables: { postgres: { url: "${database}" } } }\n`,
  });
  const owner = await signInOwner(server);
  const actions = ['pull', 'push', 'sign'] as const;
  const token = await owner.makeToken({ name: 'release', repository: REPOSITORY, actions });
  const target = await openRepository(`${server.host}/${REPOSITORY}`, token);
  await pushImage(target, 'v1', 'an image');
  const credentials = ['--registry-username', 'token', '--registry-password', token];
  await stage.succeeds(['sign', '--key', key, ...credentials, `${server.host}/${REPOSITORY}:v1`]);
  await pushImage(target, 'unsigned', 'not signed');
  assert.equal((await pull(server, 'v1')).status, 200);
  const { detail } = JSON.parse((await pull(server, 'unsigned')).text).errors[0];
  const ready = async () => (await fetch(`${server.origin}/readyz`)).status;
  for (const round of [1, 2]) {
    await t.test(`gone, time ${round}`, async () => {
      await postgres.crash();
      await until('it is not ready', async () => (await ready()) === 503);
      for (const tag of ['v1', 'unsigned']) {
        const { status, text } = await pull(server, tag);
        assert.ok(status >= 500, `${status} ${text}`);
        assert.doesNotMatch(
          text,
          /postgres|127\.0\.0\.1:\d+\/test|\n\s+at /,
          'and tells nothing of it',
        );
      }
      await assert.rejects(pushImage(target, `lost-${round}`, 'lost'), 'nothing is acknowledged');
      assert.equal((await fetch(`${server.origin}/healthz`)).status, 200);
    });
    await t.test(`back, time ${round}`, async () => {
      await postgres.restart();
      await until('it is ready', async () => (await ready()) === 200);
      await until('a pull is served', async () => (await pull(server, 'v1')).status === 200);
      assert.equal((await pull(server, 'unsigned')).status, 403);
      await pushImage(target, `after-${round}`, 'pushed after');
      assert.equal((await owner.ask('GET', `/decisions/${detail.decision}`)).status, 200);
      assert.equal((await owner.ask('GET', '/record/verify')).json.outcome, 'pass');
    });
  }
  assert.ok(server.isRunning(), server.said());
  assert.doesNotMatch(server.said(), /internal\.defect|\n\s+at /);
});
