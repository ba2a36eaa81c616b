import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { transform } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const CLI = join(ROOT, 'packages/cli');
const run = promisify(execFile);

test('the packed CLI installs alone, without network, and runs', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-pack-'));
  try {
    const npm = (...args: string[]) =>
      run('npm', [...args, '--ignore-scripts', '--offline', '--loglevel=error'], {
        cwd: folder,
        timeout: 60_000,
      });
    const packed = await npm('pack', CLI, '--json', '--pack-destination', folder);
    const [{ filename, files }] = JSON.parse(packed.stdout);
    const paths = files.map(({ path }: { readonly path: string }) => path);
    const wanted = ['main.js', 'code/verify.js', 'LICENSE', 'THIRD-PARTY.txt'];
    for (const path of ['bin/bulla.js', ...wanted.map((name) => `dist/${name}`)]) {
      assert.ok(paths.includes(path), `the package lacks ${path}`);
    }
    assert.deepEqual(
      paths.filter((path: string) => !/^(bin|dist)\/|^(package\.json|README\.md)$/.test(path)),
      [],
    );
    const prefix = join(folder, 'prefix');
    await npm('install', '--global', '--prefix', prefix, join(folder, filename));
    const version = await run(join(prefix, 'bin/bulla'), ['--version']);
    const manifest = JSON.parse(await readFile(join(CLI, 'package.json'), 'utf8'));
    assert.equal(version.stdout.trim(), manifest.version);
    assert.equal(manifest.dependencies, undefined);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** The launcher in a folder of its own, without a build and without a clone around it. */
async function launchAlone(...nodeArgs: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-launch-'));
  try {
    await cp(join(CLI, 'bin'), join(folder, 'bin'), { recursive: true });
    await cp(join(CLI, 'package.json'), join(folder, 'package.json'));
    return spawnSync(process.execPath, [...nodeArgs, join(folder, 'bin/bulla.js'), 'verify'], {
      encoding: 'utf8',
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Makes the launcher believe that it runs on an old Node; what it starts anew does not inherit it. */
const OLD_NODE = `--import=data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'18.20.0'}})`;

test('the launcher says what to do when nothing is built', async () => {
  const { status, stderr } = await launchAlone();
  assert.equal(stderr, 'bulla: it is not built yet: run `npm run build` in the clone\n');
  assert.equal(status, 2);
});

test('the launcher tells an old Node what is needed, in one line', async () => {
  const { status, stderr } = await launchAlone(OLD_NODE);
  assert.match(stderr, /^bulla: it needs Node 24\.15 or newer and this is Node 18\.20\.0: .*\n$/);
  assert.equal(status, 2);
});

test('the launcher of a clone goes on with the clone’s own Node', (t) => {
  if (process.platform !== 'linux') return t.skip('the packages bring a Node for Linux only');
  const launcher = join(CLI, 'bin/bulla.js');
  const { status, stdout } = spawnSync(process.execPath, [OLD_NODE, launcher, '--version'], {
    encoding: 'utf8',
  });
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  assert.equal(status, 0);
});

test('the launcher keeps to syntax that Node 14 reads', async () => {
  const text = await readFile(join(CLI, 'bin/bulla.js'), 'utf8');
  const [old, newest] = await Promise.all([
    transform(text, { target: 'node14' }),
    transform(text, { target: 'esnext' }),
  ]);
  assert.equal(old.code, newest.code);
  assert.doesNotMatch(text, /^import /m);
});
