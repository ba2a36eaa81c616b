// What breaks under a running server: its database, its policies. It says so, refuses, and goes on.
import assert from 'node:assert/strict';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pushImage } from '../demo/image.ts';
import { openRepository } from './artifact.ts';
import {
  basic,
  type Owner,
  pullToken,
  type RunningServer,
  signedPolicy,
  signInOwner,
  startUp,
  until,
} from './server.ts';
import { makeKey, openStage, type Stage } from './stage.ts';

const REPOSITORY = 'team/app';

/** A server with a signed image `v1`, which is admitted, and its stage. */
interface House {
  readonly server: RunningServer;
  readonly owner: Owner;
  readonly policyFile: string;
}

async function openHouse(stage: Stage): Promise<House> {
  const { key, pub } = await makeKey(stage, 'release');
  const policyFile = await stage.write('policy.yaml', signedPolicy({ name: 'release-only', pub }));
  const server = await startUp(stage, { policies: [policyFile] });
  const owner = await signInOwner(server);
  const actions = ['pull', 'push', 'sign'] as const;
  const token = await owner.makeToken({ name: 'release', repository: REPOSITORY, actions });
  const image = `${server.host}/${REPOSITORY}`;
  await push(server, 'v1', 'an image');
  const credentials = ['--registry-username', 'token', '--registry-password', token];
  await stage.succeeds(['sign', '--key', key, ...credentials, `${image}:v1`]);
  return { server, owner, policyFile };
}

async function push({ host, pushToken }: RunningServer, tag: string, says: string): Promise<void> {
  await pushImage(await openRepository(`${host}/${REPOSITORY}`, pushToken), tag, says);
}

async function pull(server: RunningServer, tag = 'v1') {
  const nobody = await pullToken(server, REPOSITORY);
  const answer = await fetch(`${server.origin}/v2/${REPOSITORY}/manifests/${tag}`, {
    headers: nobody,
  });
  return { status: answer.status, text: await answer.text() };
}

async function ready({ origin }: RunningServer): Promise<{ status: number; failing: unknown }> {
  const answer = await fetch(`${origin}/readyz`);
  const { failing = [] } = (await answer.json()) as { failing?: unknown };
  return { status: answer.status, failing };
}

async function assertAlive(server: RunningServer): Promise<void> {
  assert.ok(server.isRunning(), server.said());
  assert.equal((await fetch(`${server.origin}/healthz`)).status, 200);
  assert.doesNotMatch(server.said(), /internal\.defect|\n\s+at /);
}

const HALVES: readonly { readonly name: string; readonly half: (text: string) => string }[] = [
  { name: 'cut in the middle of a line', half: (text) => text.slice(0, text.indexOf('glob') + 2) },
  { name: 'cut before its requirements', half: (text) => text.slice(0, text.indexOf('  require')) },
  { name: 'empty', half: () => '' },
  { name: 'of zeros, as after a power cut', half: (text) => '\0'.repeat(text.length) },
];

test('a policy file that is half-written leaves the old policy in force, and a finding says so', async (t) => {
  await using stage = await openStage();
  const { server, owner, policyFile } = await openHouse(stage);
  await using _server = server;
  const text = await readFile(policyFile, 'utf8');
  let attempts = 0;
  for (const [at, { name, half }] of HALVES.entries()) {
    await t.test(name, async () => {
      assert.equal((await pull(server)).status, 200);
      await writeFile(policyFile, half(text));
      server.reload();
      await until('the finding is there', async () => {
        // Another digest each time: of one that was decided about the cache tells.
        await push(server, 'unsigned', `attempt ${attempts++}`);
        const refused = await pull(server, 'unsigned');
        assert.equal(refused.status, 403, refused.text);
        const [{ detail }] = JSON.parse(refused.text).errors;
        const { json } = await owner.ask('GET', `/decisions/${detail.decision}`);
        return JSON.stringify(json.finding).includes('policy.stale');
      });
      assert.equal((await pull(server)).status, 200, 'what the old policy admits');
      assert.equal((await ready(server)).status, 200, 'old policies are policies');
      await writeFile(policyFile, text.replace('release-only', `mended-${at}`));
      server.reload();
      await until('the mended policy decides', async () =>
        (await pull(server, 'unsigned')).text.includes(`policy mended-${at}:`),
      );
      await assertAlive(server);
    });
  }
});

test('a policy file that is gone leaves no policy in force: nothing is served, and the server is not ready', async () => {
  await using stage = await openStage();
  const { server, policyFile } = await openHouse(stage);
  await using _server = server;
  assert.equal((await pull(server)).status, 200);
  await rename(policyFile, `${policyFile}.away`);
  server.reload();
  await until('it is not ready', async () => (await ready(server)).status === 503);
  assert.deepEqual((await ready(server)).failing, ['policies']);
  assert.equal((await pull(server)).status, 403);
  await assertAlive(server);
  await rename(`${policyFile}.away`, policyFile);
  server.reload();
  await until('it is ready', async () => (await ready(server)).status === 200);
  assert.equal((await pull(server)).status, 200);
});

const LOSSES: readonly {
  readonly name: string;
  readonly lose: (tables: string, stage: Stage) => Promise<void>;
}[] = [
  {
    name: 'gone',
    async lose(tables) {
      for (const suffix of ['', '-wal', '-shm']) await rm(`${tables}${suffix}`, { force: true });
    },
  },
  {
    name: 'replaced by another',
    async lose(tables, stage) {
      const other = await startUp(stage, { data: 'other' });
      await other.stop();
      await rename(stage.path('other/tables.db'), tables);
    },
  },
];

for (const { name, lose } of LOSSES) {
  test(`while the database file is ${name} pulls are refused and the server is not ready`, async () => {
    await using stage = await openStage();
    const { server } = await openHouse(stage);
    // Not in order: there is no database into which an end could be written.
    await using _ended = { [Symbol.asyncDispose]: () => server.kill() };
    assert.equal((await pull(server)).status, 200);
    const nobody = await pullToken(server, REPOSITORY);
    await lose(join(server.data, 'tables.db'), stage);
    await until('it is not ready', async () => (await ready(server)).status === 503);
    assert.deepEqual((await ready(server)).failing, ['tables']);
    const statusFor = async (headers: Readonly<Record<string, string>>) => {
      const answer = await fetch(`${server.origin}/v2/${REPOSITORY}/manifests/v1`, { headers });
      await answer.arrayBuffer();
      return answer.status;
    };
    await until('who has not pulled it before is refused', async () => {
      return (await statusFor(basic(server.pushToken))) >= 500;
    });
    await until(
      'who has pulled it before is refused',
      async () => (await statusFor(nobody)) >= 500,
    );
    await assert.rejects(push(server, 'v2', 'lost'), 'what cannot be kept is not acknowledged');
    await assertAlive(server);
  });
}
