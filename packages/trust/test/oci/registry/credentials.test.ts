import assert from 'node:assert/strict';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { findEntry, parseAuthFile } from '@bulla/trust/oci/registry/auth-file';
import {
  findCredentials,
  removeCredentials,
  saveCredentials,
} from '@bulla/trust/oci/registry/credentials';
import fc from 'fast-check';
import { options } from './scripted.ts';

let root: string;
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'bulla-credentials-'));
});
after(() => rm(root, { recursive: true, force: true }));

const basic = (user: string) => ({ auth: Buffer.from(`${user}:secret`).toString('base64') });
const login = (username: string) => ({ kind: 'password', username, password: 'secret' });

async function home(files: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const folder = join(root, String(count++));
  await mkdir(folder);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(
      join(folder, name),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  }
  return folder;
}

const DOCKER = '.docker/config.json';
const FILES: readonly {
  name: string;
  auths: object;
  registry: string;
  repository?: string;
  expect: unknown;
}[] = [
  { name: 'a host', auths: { 'r.example': basic('u') }, registry: 'r.example', expect: login('u') },
  {
    name: 'a host with port',
    auths: { 'r.example:5000': basic('u') },
    registry: 'r.example:5000',
    expect: login('u'),
  },
  {
    name: 'another port',
    auths: { 'r.example:5000': basic('u') },
    registry: 'r.example',
    expect: undefined,
  },
  {
    name: 'a URL',
    auths: { 'https://r.example/v2/': basic('u') },
    registry: 'r.example',
    expect: login('u'),
  },
  {
    name: 'another spelling',
    auths: { 'R.Example:443': basic('u') },
    registry: 'r.example',
    expect: login('u'),
  },
  {
    name: 'Docker Hub’s old address',
    auths: { 'https://index.docker.io/v1/': basic('u') },
    registry: 'docker.io',
    expect: login('u'),
  },
  {
    name: 'Docker Hub by name',
    auths: { 'docker.io': basic('u') },
    registry: 'docker.io',
    expect: login('u'),
  },
  {
    name: 'a longer name',
    auths: { 'r.example.evil': basic('u') },
    registry: 'r.example',
    expect: undefined,
  },
  {
    name: 'a namespace',
    auths: { 'r.example/a': basic('a'), 'r.example/a/b': basic('b'), 'r.example': basic('r') },
    registry: 'r.example',
    repository: 'a/b/c',
    expect: login('b'),
  },
  {
    name: 'a repository',
    auths: { 'r.example/a': basic('a') },
    registry: 'r.example',
    repository: 'a',
    expect: login('a'),
  },
  {
    name: 'a namespace ends at a slash',
    auths: { 'r.example/a': basic('a') },
    registry: 'r.example',
    repository: 'ab',
    expect: undefined,
  },
  {
    name: 'user name and password apart',
    auths: { 'r.example': { username: 'u', password: 'secret' } },
    registry: 'r.example',
    expect: login('u'),
  },
  {
    name: 'a colon in the password',
    auths: { 'r.example': { auth: Buffer.from('u:a:b').toString('base64') } },
    registry: 'r.example',
    expect: { kind: 'password', username: 'u', password: 'a:b' },
  },
  {
    name: 'an identity token before a password',
    auths: { 'r.example': { ...basic('u'), identitytoken: 't' } },
    registry: 'r.example',
    expect: { kind: 'identity-token', token: 't' },
  },
  {
    name: 'a registry token',
    auths: { 'r.example': { registrytoken: 't' } },
    registry: 'r.example',
    expect: { kind: 'registry-token', token: 't' },
  },
  { name: 'an empty entry', auths: { 'r.example': {} }, registry: 'r.example', expect: undefined },
];

describe('stored credentials', () => {
  for (const { name, auths, registry, repository = 'app', expect } of FILES) {
    it(name, async () => {
      const homeFolder = await home({ [DOCKER]: { auths } });
      assert.deepEqual(
        await findCredentials(registry, repository, options({ homeFolder })),
        expect,
      );
    });
  }

  const broken: readonly { name: string; content: unknown }[] = [
    { name: 'no JSON', content: 'secret' },
    { name: 'an array', content: [] },
    { name: 'auths that are a list', content: { auths: [] } },
    {
      name: 'an auth without colon',
      content: { auths: { 'r.example': { auth: Buffer.from('secret').toString('base64') } } },
    },
    { name: 'a number for a token', content: { auths: { 'r.example': { identitytoken: 1 } } } },
    { name: 'a helper that is a path', content: { credsStore: '../../bin/sh' } },
  ];
  for (const { name, content } of broken) {
    it(`${name} is a fault without the secret`, async () => {
      const homeFolder = await home({ [DOCKER]: content });
      await assert.rejects(
        findCredentials('r.example', 'app', options({ homeFolder })),
        (error) => {
          assert.ok(error instanceof TrustFault);
          assert.equal(error.code, 'credentials.malformed');
          return !error.message.includes('secret');
        },
      );
    });
  }
});

describe('where credentials are looked for', () => {
  it('the options come first, then REGISTRY_AUTH_FILE, Docker, the containers tools', async () => {
    const entry = (user: string) => ({ auths: { 'r.example': basic(user) } });
    const homeFolder = await home({
      [DOCKER]: entry('docker'),
      'named.json': entry('named'),
      'config/config.json': entry('config'),
      'run/containers/auth.json': entry('run'),
      '.config/containers/auth.json': entry('containers'),
    });
    const find = (env: Record<string, string>, more = {}) =>
      findCredentials('r.example', 'app', options({ homeFolder, env, ...more }));
    const named = { REGISTRY_AUTH_FILE: join(homeFolder, 'named.json') };
    const config = { DOCKER_CONFIG: join(homeFolder, 'config') };
    const run = { XDG_RUNTIME_DIR: join(homeFolder, 'run') };
    const empty = { DOCKER_CONFIG: join(homeFolder, 'nothing') };
    assert.deepEqual(await find(named, { username: 'me', password: 'secret' }), login('me'));
    assert.deepEqual(await find({ ...named, ...config, ...run }), login('named'));
    assert.deepEqual(await find({ ...config, ...run }), login('config'));
    assert.deepEqual(await find(run), login('docker'));
    assert.deepEqual(await find({ ...empty, ...run }), login('run'));
    assert.deepEqual(await find(empty), login('containers'));
    assert.equal(await findCredentials('other.example', 'app', options({ homeFolder })), undefined);
  });
});

const HELPER = `#!/bin/sh
read server
case "$1 $server" in
  "get r.example") echo '{"Username":"helped","Secret":"secret"}' ;;
  "get t.example") echo '{"Username":"<token>","Secret":"refresh"}' ;;
  "get https://index.docker.io/v1/") echo '{"Username":"hub","Secret":"secret"}' ;;
  "get bad.example") echo 'secret' ;;
  "get loud.example") head -c 200000 /dev/zero ;;
  "get left.example") sleep 20 & cat /dev/zero ;;
  "get fail.example") echo boom; exit 2 ;;
  "get "*) echo "credentials not found in native keychain"; exit 1 ;;
  "store "*|"erase "*) echo "$1 $server" >> "$LOG" ;;
esac
`;

describe('credential helpers', () => {
  let bin: string;
  before(async () => {
    bin = await home({ 'docker-credential-test': HELPER });
    await chmod(join(bin, 'docker-credential-test'), 0o755);
  });
  const given = async (file: object, env: Record<string, string> = {}) =>
    options({
      homeFolder: await home({ [DOCKER]: file }),
      env: { PATH: `${bin}:/usr/bin:/bin`, LOG: join(bin, 'log'), ...env },
    });

  const cases: readonly { registry: string; expect: unknown }[] = [
    { registry: 'r.example', expect: login('helped') },
    { registry: 't.example', expect: { kind: 'identity-token', token: 'refresh' } },
    { registry: 'docker.io', expect: login('hub') },
    { registry: 'unknown.example', expect: undefined },
    { registry: 'stored.example', expect: login('stored') },
    { registry: 'bad.example', expect: 'credentials.helper-failed' },
    { registry: 'loud.example', expect: 'credentials.helper-failed' },
    // Its own child keeps the output open after it is killed.
    { registry: 'left.example', expect: 'credentials.helper-failed' },
    { registry: 'fail.example', expect: 'credentials.helper-failed' },
  ];
  for (const { registry, expect } of cases) {
    it(`as store of all, for ${registry}`, async () => {
      const auths = { 'stored.example': basic('stored') };
      const found = findCredentials(registry, 'app', await given({ credsStore: 'test', auths }));
      if (typeof expect !== 'string') return assert.deepEqual(await found, expect);
      return assert.rejects(found, (error) => {
        assert.ok(error instanceof TrustFault);
        assert.equal(error.code, expect);
        return !error.message.includes('secret') && !String(error.cause).includes('secret');
      });
    });
  }
  it('for one host', async () => {
    const file = { credHelpers: { 'r.example': 'test' } };
    assert.deepEqual(await findCredentials('r.example', 'app', await given(file)), login('helped'));
    assert.equal(await findCredentials('t.example', 'app', await given(file)), undefined);
  });
  it('a missing one is a fault', async () => {
    await assert.rejects(
      findCredentials('r.example', 'app', await given({ credsStore: 'missing' })),
      {
        code: 'credentials.helper-failed',
      },
    );
  });
  it('log in and out', async () => {
    const settings = await given({ credsStore: 'test' });
    const credentials = { kind: 'password', username: 'u', password: 'p' } as const;
    assert.equal(
      await saveCredentials('r.example', credentials, settings),
      'docker-credential-test',
    );
    assert.equal(await removeCredentials('r.example', settings), true);
    assert.equal(await removeCredentials('unknown.example', settings), false);
    assert.deepEqual((await readFile(join(bin, 'log'), 'utf8')).trim().split('\n'), [
      'store {"ServerURL":"r.example","Username":"u","Secret":"p"}',
      'erase r.example',
    ]);
  });
});

describe('login and logout in a file', () => {
  const credentials = { kind: 'password', username: 'u', password: 'secret' } as const;

  it('write privately, keep the rest, and undo each other', async () => {
    const homeFolder = await home({
      [DOCKER]: { auths: { 'b.example': basic('b') }, psFormat: 'x' },
    });
    const settings = options({ homeFolder });
    const path = join(homeFolder, DOCKER);
    await chmod(path, 0o644);
    assert.equal(await saveCredentials('docker.io', credentials, settings), path);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const document = JSON.parse(await readFile(path, 'utf8'));
    assert.deepEqual(Object.keys(document.auths), ['b.example', 'https://index.docker.io/v1/']);
    assert.equal(document.psFormat, 'x');
    assert.deepEqual(await findCredentials('docker.io', 'a', settings), login('u'));
    assert.equal(await removeCredentials('docker.io', settings), true);
    assert.equal(await removeCredentials('docker.io', settings), false);
    assert.deepEqual(await findCredentials('b.example', 'a', settings), login('b'));
    assert.deepEqual(await readdir(join(homeFolder, '.docker')), ['config.json']);
  });

  it('make what is not there, and keep a link', async () => {
    const homeFolder = await home();
    await saveCredentials('a.example', credentials, options({ homeFolder }));
    assert.equal((await stat(join(homeFolder, '.docker'))).mode & 0o777, 0o700);
    const link = join(homeFolder, 'link.json');
    await symlink(join(homeFolder, DOCKER), link);
    const settings = options({ homeFolder, env: { REGISTRY_AUTH_FILE: link } });
    await saveCredentials('b.example', credentials, settings);
    const auths = JSON.parse(await readFile(join(homeFolder, DOCKER), 'utf8')).auths;
    assert.deepEqual(Object.keys(auths), ['a.example', 'b.example']);
  });
});

describe('properties', () => {
  it('no file throws anything but TrustFault', () => {
    const auths = fc.dictionary(
      fc.constantFrom('r.example', 'https://r.example', 'r.example/a', '__proto__'),
      fc.jsonValue(),
    );
    const file = fc.oneof(
      fc.json(),
      fc.record({ auths }).map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(file, (text) => {
        try {
          findEntry(parseAuthFile(Buffer.from(text), 'x'), 'r.example', 'a/b');
        } catch (error) {
          assert.ok(error instanceof TrustFault, String(error));
        }
      }),
    );
  });
});
