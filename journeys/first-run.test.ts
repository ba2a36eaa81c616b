import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pushImage } from '../demo/image.ts';
import { requirePeer } from '../test/peers.ts';
import { openRepository } from './artifact.ts';
import { openStage, ROOT, type Stage } from './stage.ts';

const LAUNCHER = join(ROOT, 'packages/cli/bin/bulla.js');
const TURNS = 120;

/** What `bulla up` shows on a terminal, to its line `ready`; disposing it ends the server. */
async function readScreen(
  stage: Stage,
): Promise<AsyncDisposable & { readonly screen: string; readonly stop: () => Promise<void> }> {
  const args = [LAUNCHER, 'up', '--listen', 'http://127.0.0.1:0'];
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: stage.folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: stage.folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  assert.ok(child.stdout !== null);
  const lines: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    if (line.startsWith('ready ')) resolve();
  });
  await Promise.race([promise, ended.then(() => assert.fail('the server ended'))]);
  return { screen: lines.join('\n'), stop, [Symbol.asyncDispose]: stop };
}

/** The one command of the screen that begins so, its lines joined, for `image` instead of the blank. */
function commandOf(screen: string, begin: string, image: string): string {
  const joined = screen.replaceAll(/\\\n\s*/g, ' ');
  const found = joined.split('\n').find((line) => line.includes(begin)) ?? '';
  assert.notEqual(found, '', `the screen has no ${begin}\n${screen}`);
  return found
    .slice(found.indexOf(begin))
    .replace('IMAGE:TAG', image)
    .replace('oci:IMAGE', 'oci:out');
}

test('a new user gets from bulla up to a refusal and its reasons by what the screen says', async (t) => {
  if (requirePeer(t, 'skopeo') === null) return;
  await using stage = await openStage();
  await using server = await readScreen(stage);
  const { screen } = server;
  const registry = / bulla login (\S+) /.exec(screen)?.[1] ?? '';
  const token = /push token .*: +(bulla_\S+)$/m.exec(screen)?.[1] ?? '';
  const type = (command: string) => stage.run('bash', ['-c', command]);
  const types = async (command: string) => {
    const { code, all } = await type(command);
    assert.equal(code, 0, `$ ${command}\n${all}`);
    return all;
  };
  const pull = (image: string) => commandOf(screen, 'skopeo copy', image);

  // Nobody is at a terminal here, where the password would be asked for.
  await stage.write('token', token);
  await types(`${commandOf(screen, 'bulla login', '')} < token`);
  const target = await openRepository(`${registry}/team/app`, token);
  for (const tag of ['v1', 'unsigned', 'later']) await pushImage(target, tag, tag);
  await types(commandOf(screen, 'bulla sign', 'team/app:v1'));
  await t.test('in mode audit all is pulled', async () => {
    for (const image of ['team/app:v1', 'team/app:unsigned']) await types(pull(image));
  });

  const policy = /^ {2}policy: +(\S+)$/m.exec(screen)?.[1] ?? '';
  const text = await readFile(policy, 'utf8');
  await writeFile(policy, text.replace('mode: audit', 'mode: enforce'));
  let refusal = '';
  for (let turn = 0; turn < TURNS && refusal === ''; turn++) {
    const { code, all } = await type(pull('team/app:unsigned'));
    if (code !== 0) refusal = all;
    else await sleep(250);
  }
  assert.match(refusal, /refused by policy starter: .*carries no signature/);
  const id = /\(decision ([0-9A-Z]{26})\)/.exec(refusal)?.[1] ?? '';

  await t.test('what was signed is pulled', async () => {
    await types(pull('team/app:v1'));
  });
  await t.test('the push token does not sign what is not admitted', async () => {
    const { code, all } = await type(commandOf(screen, 'bulla sign', 'team/app:later'));
    assert.equal(code, 3);
    assert.match(all, /\[registry\.denied\]/);
    assert.match(all, /remedy: .*`bulla decisions explain [0-9A-Z]{26} --server http:.*scope sign/);
  });
  await server.stop();
  const explained = await types(`bulla decisions explain ${id}`);
  assert.match(explained, /^DENY .*unsigned@sha256:/m);
  assert.match(explained, /remedy: Sign the artifact/);
  assert.match(await types('bulla decisions list'), /deny +127\.0\.0\.1:\d+\/team\/app:unsigned/);
  assert.match(await types('bulla record verify'), /^VERIFIED /m);
  assert.match(await types('bulla user link owner'), /^\/sign-in#token=/m);
});

test('with a token of scope sign, bulla login and bulla sign work while a policy enforces', async () => {
  await using stage = await openStage();
  const up = await readScreen(stage);
  await up.stop();
  const policy = stage.path('bulla-data/policies/starter.yaml');
  const text = await readFile(policy, 'utf8');
  const enforcing = text
    .replace('mode: audit', 'mode: enforce')
    .replaceAll(/127\.0\.0\.1:\d+\//g, '**/');
  await writeFile(policy, enforcing.replaceAll('**/**', '**'));
  const token = await stage.succeeds([
    ...['token', 'create', '--name', 'sign', '--for', 'owner', '--expires', '1h'],
    ...['--repository', 'team/app:pull,push,sign'],
  ]);
  await stage.write('token', token);
  await using server = await readScreen(stage);
  const registry = /docker pull (\S+)\/IMAGE:TAG/.exec(server.screen)?.[1] ?? '';
  const image = `${registry}/team/app:v1`;
  await pushImage(await openRepository(`${registry}/team/app`, token.trim()), 'v1', 'v1');
  await stage.ends(3, ['copy', image, 'oci:none:v1']);
  const login = `bulla login ${registry} -u token --password-stdin < token`;
  assert.equal((await stage.run('bash', ['-c', login])).code, 0);
  const keys = stage.path('bulla-data/keys');
  const key = [
    '--key',
    join(keys, 'starter.key'),
    '--passphrase-file',
    join(keys, 'starter.passphrase'),
  ];
  await stage.succeeds(['sign', ...key, image]);
  await stage.run('bulla', ['logout', registry]);
  await stage.succeeds(['copy', image, 'oci:out:v1']);
});
