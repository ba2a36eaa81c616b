import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { call } from './call.ts';
import { ownerToken, pushAndPull, startUp } from './house.ts';
import { emptyFolder, vector } from './run.ts';

const POLICY = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: prod }
spec:
  images: [{ glob: "**" }]
  mode: warn
  authorities: { dev: { key: { ref: p256.pub } } }
  require: { signed: { of: [dev] } }
`;

test('a policy is observed, is not cut over too early, and goes back, by command', async () => {
  await using folder = await emptyFolder();
  const path = (name: string) => join(folder.path, name);
  await cp(vector('keys/p256.pub'), path('p256.pub'));
  await writeFile(path('prod.yaml'), POLICY);
  await using house = await startUp(path('data'), ['--policy', path('prod.yaml')]);
  const env = {
    BULLA_SERVER: house.ready.addresses[0] ?? '',
    BULLA_TOKEN: await ownerToken(house),
  };
  const rollout = (...args: readonly string[]) => call(['policy', 'rollout', ...args], env);

  const started = await rollout('start', 'prod', '--owner', 'platform', '--window', '1h');
  assert.equal(started.code, 0, started.err);
  assert.match(started.out, /^prod is observed until \S+Z; platform answers for it\n$/);
  assert.equal(await pushAndPull(house, 'app', 'v1'), 200);
  const status = await rollout('status', 'prod');
  assert.equal(status.code, 1, status.err);
  assert.match(status.out, /^ {2}1 would be denied, 0 were mended$/m);
  assert.match(status.out, /✗ 127\.0\.0\.1:\d+\/app@sha256:[0-9a-f]{64}$/m);
  assert.equal((await rollout('status', 'prod', '-o', 'json')).code, 1);
  assert.match((await rollout('status')).out, /^prod +observing +warn +platform/m);
  const early = await rollout('cut-over', 'prod');
  assert.equal(early.code, 1);
  assert.match(early.err, /rollout\.window-open/);
  const back = await rollout('back', 'prod', '--reason', 'not this week');
  assert.equal(back.code, 0, back.err);

  for (const [args, exit] of [
    [['start', 'other', '--owner', 'platform'], 2],
    [['start', 'prod', '--owner', 'platform', '--window', 'long'], 2],
    [['start', 'prod', '--owner', 'platform', '--window', '1s'], 1],
    [['status', 'prod'], 2],
    [['back', 'prod', '--reason', 'again'], 2],
    [['back', 'prod'], 2],
  ] as const) {
    const { code, err } = await rollout(...args);
    assert.equal(code, exit, `${args.join(' ')}\n${err}`);
  }
  // The same server tells what other policies would change.
  const simulated = await fetch(`${env.BULLA_SERVER}/api/bulla/v1/simulations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${env.BULLA_TOKEN}` },
    body: JSON.stringify({
      kind: 'simulation',
      documents: [{ file: 'prod.yaml', text: POLICY.replace('warn', 'enforce') }],
    }),
  });
  const { totals, result } = await simulated.json().then((json) => Object(json));
  assert.deepEqual([totals.refused, totals.complete], [1, true]);
  assert.equal(result.changes[0].because[0].code, 'signature.none');
  const nowhere = await call(['policy', 'rollout', 'status']);
  assert.equal(nowhere.code, 2, 'no server is named');
});
