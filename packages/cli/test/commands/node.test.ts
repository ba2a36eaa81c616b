import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { call } from './call.ts';
import { ownerToken, pushAndPull, startPrinting, startUp } from './house.ts';
import { emptyFolder } from './run.ts';

const BUILT = fileURLToPath(new URL('../../dist/containerd-verifier.js', import.meta.url));

const WRONG: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly says: RegExp;
}[] = [
  { name: 'no server', args: [], says: /expected --server/ },
  { name: 'plain HTTP', args: ['--server', 'http://bulla.example'], says: /address-invalid/ },
  {
    name: 'no token in the file',
    args: ['--server', 'https://bulla.example', '--token-file', '/dev/null'],
    says: /token-missing/,
  },
  {
    name: 'a token file that is missing',
    args: ['--server', 'https://bulla.example', '--token-file', '/nonexistent/token'],
    says: /ENOENT/,
  },
  {
    name: 'a certificate without its key',
    args: ['--server', 'https://bulla.example', '--client-cert', '/dev/null'],
    says: /--client-key together/,
  },
  {
    name: 'an authority that is none',
    args: ['--server', 'https://bulla.example', '--cacert', '/dev/null'],
    says: /http\.tls-invalid/,
  },
  {
    name: 'a client certificate that is none',
    args: [
      ...['--server', 'https://bulla.example'],
      ...['--client-cert', '/dev/null', '--client-key', '/dev/null'],
    ],
    says: /http\.tls-invalid/,
  },
  { name: 'a time without a unit', args: ['--stale-for', '15'], says: /at --stale-for/ },
  { name: 'a time that is too long', args: ['--stale-for', '25h'], says: /at --stale-for/ },
  { name: 'no time for an answer', args: ['--timeout', '0s'], says: /at --timeout/ },
  { name: 'a longer freshness', args: ['--fresh-for', '2m'], says: /at --fresh-for/ },
  { name: 'a socket for everybody', args: ['--socket-mode', '0666'], says: /0600, 0660/ },
];

for (const { name, args, says } of WRONG) {
  test(`node serve refuses ${name}, and listens nowhere`, async () => {
    await using folder = await emptyFolder();
    const token = join(folder.path, 'token');
    await writeFile(token, 'bulla_secret\n');
    const socket = join(folder.path, 'run/node.sock');
    const named = args.includes('--token-file') ? args : ['--token-file', token, ...args];
    const cache = join(folder.path, 'cache');
    const all = ['node', 'serve', '--socket', socket, '--cache', cache, ...named];
    const { code, err } = await call(all);
    assert.notEqual(code, 0, err);
    assert.match(err, says);
    assert.ok(!existsSync(socket));
  });
}

test('the daemon asks a server by its token, and the server records who asked', async () => {
  await using folder = await emptyFolder();
  await using house = await startUp(join(folder.path, 'data'));
  const owner = await ownerToken(house);
  assert.ok((await pushAndPull(house, 'team/app', 'v1')) > 0);
  const [origin = ''] = house.ready.addresses;
  const api = async (path: string, body?: object) => {
    const answer = await fetch(`${origin}/api/bulla/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${owner}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await answer.json()) as Readonly<Record<string, never>>;
  };
  const made = await api('/tokens', { name: 'node', permissions: ['node.ask'] });
  const token = join(folder.path, 'token');
  await writeFile(token, `${made['secret']}\n`);
  const socket = join(folder.path, 'run/node.sock');
  await using daemon = await startPrinting(
    [
      ...['node', 'serve', '--server', origin, '--token-file', token, '--socket', socket],
      ...['--cache', join(folder.path, 'cache'), '-o', 'json'],
    ],
    () => true,
  );
  assert.deepEqual(JSON.parse(daemon.lines[0] ?? ''), { ready: true, socket });
  assert.equal((await stat(socket)).mode & 0o777, 0o600);
  const { connect } = await import('node:net');
  const digest = `sha256:${'a'.repeat(64)}`;
  const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1 };
  const question = {
    ...{ v: 1, name: `${house.ready.registry}/team/app:v1`, digest, operation: 'pull' },
    type: 'application/vnd.oci.descriptor.v1+json',
    stdin: Buffer.from(JSON.stringify(descriptor)).toString('base64'),
  };
  const { text } = await import('node:stream/consumers');
  const ask = async () => {
    const asking = connect({ path: socket });
    asking.write(`${JSON.stringify(question)}\n`);
    return text(asking);
  };
  // The starter policy audits: the image is nowhere, and the answer is the server's either way.
  const answer = await ask();
  assert.match(answer, new RegExp(`^(allow|block) ${digest} .+\n$`));
  const { decisions } = await api('/decisions?surface=node');
  assert.equal(Object(decisions)[0].actor.kind, 'node');
  // A token that does not hold is an answer: nothing stands in for it.
  await writeFile(token, 'bulla_wrong\n');
  assert.match(await ask(), /^block sha256:\S+ access\.credentials-invalid/);
  assert.equal(await daemon.stop(), 0);
  assert.ok(!existsSync(socket));
});

async function install(args: readonly string[]) {
  return call(['node', 'install-verifier', ...args]);
}

test('the verifier is written whole, executable, and starts without an environment', async (t) => {
  if (!existsSync(BUILT)) {
    t.skip('not built: run `npm run build`');
    return;
  }
  await using folder = await emptyFolder();
  const bin = join(folder.path, 'a/bin');
  const socket = join(folder.path, 'node.sock');
  const { code, out, err } = await install([bin, '--socket', socket, '--timeout', '2s']);
  assert.equal(code, 0, err);
  const file = join(bin, 'bulla-containerd-verifier');
  assert.equal(out, `${file}\n`);
  assert.match(err, /max_verifiers = -1/);
  assert.equal((await stat(file)).mode & 0o777, 0o755);
  const [first, second = ''] = (await readFile(file, 'utf8')).split('\n');
  assert.match(first ?? '', /^#!\//);
  assert.deepEqual(JSON.parse(second.slice('globalThis.bullaVerifier='.length, -1)), {
    socket,
    timeoutMs: 2000,
    owner: process.getuid?.() ?? 0,
  });
  const run = await new Promise<{ code: unknown; out: string }>((resolve) => {
    const child = execFile(file, [], { env: {} }, (error, stdout) =>
      resolve({ code: error?.code ?? 0, out: stdout }),
    );
    child.stdin?.end();
  });
  assert.deepEqual(run, { code: 1, out: 'Bulla: the argument -name is missing\n' });
  await t.test('again, over the one before', async () => {
    assert.equal((await install([bin, '--socket', '/run/other.sock'])).code, 0);
    assert.match(await readFile(file, 'utf8'), /\/run\/other\.sock/);
  });
  await t.test('and says what else containerd would run there', async () => {
    await writeFile(join(bin, 'aaa'), '');
    const noted = await install([bin]);
    assert.match(noted.err, /containerd runs aaa as well/);
  });
});

test('no verifier is written where others could exchange it', async (t) => {
  if (!existsSync(BUILT)) {
    t.skip('not built: run `npm run build`');
    return;
  }
  await using folder = await emptyFolder();
  const bin = join(folder.path, 'bin');
  await mkdir(bin);
  await chmod(bin, 0o777);
  const { code, err } = await install([bin]);
  assert.equal(code, 2);
  assert.match(err, /node\.folder-unsafe/);
  assert.ok(!existsSync(join(bin, 'bulla-containerd-verifier')));
});

const INTERPRETERS: readonly { readonly name: string; readonly path: string }[] = [
  { name: 'is missing', path: 'nothing' },
  { name: 'cannot be run', path: 'plain' },
  { name: 'has a space in its path', path: 'with space' },
];

for (const { name, path } of INTERPRETERS) {
  test(`an interpreter that ${name} is refused`, async () => {
    await using folder = await emptyFolder();
    await writeFile(join(folder.path, 'plain'), '');
    await writeFile(join(folder.path, 'with space'), '', { mode: 0o755 });
    const { code } = await install([join(folder.path, 'bin'), '--node', join(folder.path, path)]);
    assert.equal(code, 2);
    assert.ok(!existsSync(join(folder.path, 'bin')));
  });
}

test('a link to an interpreter stays one', async (t) => {
  if (!existsSync(BUILT)) {
    t.skip('not built: run `npm run build`');
    return;
  }
  await using folder = await emptyFolder();
  const link = join(folder.path, 'node');
  await symlink(process.execPath, link);
  const bin = join(folder.path, 'bin');
  assert.equal((await install([bin, '--node', link])).code, 0);
  const text = await readFile(join(bin, 'bulla-containerd-verifier'), 'utf8');
  assert.ok(text.startsWith(`#!${link}\n`), text.slice(0, 200));
});
