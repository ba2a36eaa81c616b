import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { screenDifference } from '../../../../journeys/console-block.ts';
import { type House, pushAndPull, startHouse, startPrinting, startUp } from './house.ts';
import { bulla, emptyFolder } from './run.ts';

const CONFIG = `data: data
listen: [{ url: "http://127.0.0.1:0" }]
policies: [policy.yaml]
log: { level: info }
`;

const POLICY = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: all }
spec:
  images: [{ glob: "**" }]
  mode: enforce
  authorities: { dev: { key: { ref: dev.pub } } }
  require: { signed: { of: [dev] } }
`;

async function prepare(folder: string): Promise<string> {
  const { out } = await bulla([
    ...['key', 'generate', '--plain', '--output-key-prefix', join(folder, 'dev')],
  ]);
  assert.match(out, /private key/);
  await writeFile(join(folder, 'policy.yaml'), POLICY);
  const path = join(folder, 'bulla.yaml');
  await writeFile(path, CONFIG);
  return path;
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    if (await what()) return;
    await sleep(50);
  }
  assert.fail('it never came');
}

const statusOf = async ({ ready }: House, path: string) =>
  (await fetch(`${ready.addresses[0]}${path}`)).status;

test('serve does what its file says, reads policies again at SIGHUP, and ends at SIGTERM', async () => {
  await using folder = await emptyFolder();
  const path = await prepare(folder.path);
  await using house = await startHouse(['serve', '--config', path]);
  assert.equal(await pushAndPull(house, 'team/app', 'v1'), 403);
  await writeFile(join(folder.path, 'policy.yaml'), POLICY.replace('enforce', 'audit'));
  await writeFile(path, `${CONFIG}environment: test\nlisen: []\n`);
  house.child.kill('SIGHUP');
  await until(() => house.said().includes('were read again'));
  assert.match(house.said(), /config\.unknown-member/, 'mistakes of the file are told');
  assert.equal(await pushAndPull(house, 'team/app', 'v2'), 200);
  await writeFile(path, `${CONFIG}environment: test\n`);
  house.child.kill('SIGHUP');
  await until(() => house.said().includes('holds after a restart'));
  assert.equal(await house.stop('SIGTERM'), 0);
});

test('serve --only runs some services', async () => {
  await using folder = await emptyFolder();
  const path = await prepare(folder.path);
  await using house = await startHouse(['serve', '--config', path, '--only', 'api']);
  assert.equal(await statusOf(house, '/healthz'), 200);
  assert.equal(await statusOf(house, '/api/bulla/v1/session'), 200);
  assert.equal(await statusOf(house, '/v2/'), 404);
  assert.equal(await statusOf(house, '/'), 404);
});

test('serve says how to connect by what people call the server', async () => {
  await using folder = await emptyFolder();
  const path = await prepare(folder.path);
  await writeFile(path, `${CONFIG}origin: https://registry.example:8443\n`);
  await using house = await startPrinting(['serve', '--config', path], (line) =>
    line.startsWith('ready '),
  );
  const text = house.lines.join('\n');
  for (const expected of [
    /https:\/\/registry\.example:8443\/sign-in#token=/,
    / bulla login registry\.example:8443 -u token$/m,
    /^ {2}podman pull registry\.example:8443\/IMAGE:TAG$/m,
    / --server https:\/\/registry\.example:8443$/m,
    /^ready http:\/\/127\.0\.0\.1:\d+$/m,
  ]) {
    assert.match(text, expected);
  }
});

test('wrong use of serve is told before anything is made', async (t) => {
  await using folder = await emptyFolder();
  const path = await prepare(folder.path);
  for (const { name, args } of [
    { name: 'a service that there is not', args: ['--config', path, '--only', 'gateway,nix'] },
    { name: 'an empty list', args: ['--config', path, '--only', ''] },
  ]) {
    await t.test(name, async () => {
      const run = await bulla(['serve', ...args]);
      assert.equal(run.code, 2);
      assert.match(run.err, /\[usage\.invalid\]/);
      await assert.rejects(readFile(join(folder.path, 'data/tables.db')));
    });
  }
});

test('a folder that another server holds is refused', async () => {
  await using folder = await emptyFolder();
  const data = join(folder.path, 'data');
  await using _house = await startUp(data);
  const path = await prepare(folder.path);
  const run = await bulla(['serve', '--config', path]);
  assert.equal(run.code, 2, run.err);
  assert.match(run.err, /\[storage\.locked\]/);
});

test('up says on a terminal what the first start made, and how to go on', async () => {
  await using folder = await emptyFolder();
  const data = join(folder.path, 'data');
  const first = await startUp(data, ['--environment', 'test']);
  assert.match(first.ready.signIn ?? '', /\/sign-in#token=[A-Za-z0-9_-]{43}&first$/);
  await first.stop();
  // Under another address the starter policy is about nothing, and that is said.
  const args = ['up', '--data', data, '--listen', 'http://127.0.0.1:0'];
  await using again = await startPrinting(args, (line) => line.startsWith('ready '));
  assert.match(again.lines.at(-1) ?? '', /^ready http:\/\/127\.0\.0\.1:\d+$/);
  assert.doesNotMatch(again.lines.join('\n'), /shown once/);
  assert.match(again.said(), /\[policy\.no-match\]/);
});

test('up prints on the first start how to sign in, push and sign, once', async () => {
  await using folder = await emptyFolder();
  const data = join(folder.path, 'data');
  const args = ['up', '--data', data, '--listen', 'http://127.0.0.1:0'];
  await using first = await startPrinting(args, (line) => line.startsWith('ready '));
  const text = first.lines.join('\n');
  for (const expected of [
    /^This is shown once:$/m,
    /\/sign-in#token=[A-Za-z0-9_-]{43}&first$/m,
    /push token .*bulla_[A-Za-z0-9_-]{49}$/m,
    /^ {2}log in, .* bulla login 127\.0\.0\.1:\d+ -u token$/m,
    /mode audit/,
    /^ {2}docker pull 127\.0\.0\.1:\d+\/IMAGE:TAG$/m,
    /^ {2}podman pull --tls-verify=false 127\.0\.0\.1:\d+\/IMAGE:TAG$/m,
    /^ {2}skopeo copy --src-tls-verify=false docker:\/\/127\.0\.0\.1:\d+\/IMAGE:TAG oci:IMAGE$/m,
    /^ {2}buildah from --tls-verify=false 127\.0\.0\.1:\d+\/IMAGE:TAG$/m,
    /^ {2}cosign sign --allow-http-registry --key KEY 127\.0\.0\.1:\d+\/IMAGE@DIGEST$/m,
    /^ {2}containerd and Kubernetes: http:\/\/127\.0\.0\.1:\d+\/ shows /m,
  ]) {
    assert.match(text, expected);
  }
  assert.equal(first.said(), '');
});

test('the screen of bulla up in the documentation is what it prints', async () => {
  const page = await readFile(new URL('../../../../docs/server.md', import.meta.url), 'utf8');
  const [, shown = ''] = /```console\n\$ bulla up\n([\s\S]*?)\n```/.exec(page) ?? [];
  assert.match(shown, /^ready /m);
  await using folder = await emptyFolder();
  const data = join(folder.path, 'data');
  const listen = ['--listen', 'http://127.0.0.1:0', '--listen', 'https://127.0.0.1:0'];
  const isLast = (line: string) => line.startsWith('ready ');
  await using first = await startPrinting(['up', '--data', data, ...listen], isLast);
  const [, plain = '', secure = ''] =
    /^ready http:(\S+) https:(\S+)$/.exec(first.lines.at(-1) ?? '') ?? [];
  const printed = first.lines
    .join('\n')
    .replaceAll(data, '/home/ann/bulla-data')
    .replaceAll(plain.slice(2), '127.0.0.1:5000')
    .replaceAll(secure.slice(2), '127.0.0.1:5443');
  assert.equal(screenDifference(shown.split('\n'), printed), null, printed);
});
