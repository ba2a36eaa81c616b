import assert from 'node:assert/strict';
import {
  chmod,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSealedFolder } from '@bulla/server/node-agent/sealed';
import { faultOf } from '../storage/expectations.ts';
import { ABSENT, lineOf, open } from './kit.ts';

const NAME = 'pass-a.sealed';

async function emptyFolder() {
  const path = await mkdtemp(join(tmpdir(), 'bulla-sealed-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

test('what was written is read, exchanged, listed and removed', async () => {
  await using folder = await emptyFolder();
  const sealed = await openSealedFolder(folder.path);
  assert.equal(await sealed.read(NAME), null);
  await sealed.write(NAME, Buffer.from('one'));
  await sealed.write(NAME, Buffer.from('two'));
  assert.equal(String(await sealed.read(NAME)), 'two');
  assert.deepEqual(await sealed.names(10), [NAME]);
  const again = await openSealedFolder(folder.path);
  assert.equal(String(await again.read(NAME)), 'two');
  await again.remove(NAME);
  await again.remove(NAME);
  assert.equal(await again.read(NAME), null);
});

test('halves of a process that was killed, and more than are wanted, are removed', async () => {
  await using folder = await emptyFolder();
  const sealed = await openSealedFolder(folder.path);
  await sealed.write(NAME, Buffer.from('one'));
  await sealed.write('pass-b.sealed', Buffer.from('two'));
  await writeFile(join(folder.path, '0123456789abcdef.tmp'), 'half');
  await mkdir(join(folder.path, 'lost+found'));
  assert.equal((await sealed.names(1)).length, 1);
  const left = await readdir(folder.path);
  assert.equal(left.filter((name) => name.endsWith('.sealed')).length, 1);
  assert.ok(!left.some((name) => name.endsWith('.tmp')));
});

/** What somebody could do to a file of the cache. */
const HARMS: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  'empties it': (folder) => writeFile(join(folder, NAME), ''),
  'cuts it': async (folder) => {
    const bytes = await readFile(join(folder, NAME));
    await writeFile(join(folder, NAME), bytes.subarray(0, -1));
  },
  'turns one bit': async (folder) => {
    const bytes = await readFile(join(folder, NAME));
    await writeFile(
      join(folder, NAME),
      bytes.map((byte, at) => (at === 33 ? byte ^ 1 : byte)),
    );
  },
  'adds to it': async (folder) => {
    const bytes = await readFile(join(folder, NAME));
    await writeFile(join(folder, NAME), Buffer.concat([bytes, Buffer.from('x')]));
  },
  'puts that of another image in its place': async (folder) => {
    const sealed = await openSealedFolder(folder);
    await sealed.write('pass-b.sealed', Buffer.from('other'));
    await rename(join(folder, 'pass-b.sealed'), join(folder, NAME));
  },
  'puts that of another node in its place': async (folder) => {
    await using other = await emptyFolder();
    await (await openSealedFolder(other.path)).write(NAME, Buffer.from('theirs'));
    await copyFile(join(other.path, NAME), join(folder, NAME));
  },
  'opens it to others': (folder) => chmod(join(folder, NAME), 0o644),
  'leads it elsewhere': async (folder) => {
    await rename(join(folder, NAME), join(folder, 'elsewhere'));
    await symlink(join(folder, 'elsewhere'), join(folder, NAME));
  },
  'keeps another link to it': (folder) => link(join(folder, NAME), join(folder, 'kept')),
  'puts a folder there': async (folder) => {
    await rm(join(folder, NAME));
    await mkdir(join(folder, NAME));
  },
  'makes it huge': (folder) => writeFile(join(folder, NAME), Buffer.alloc((4 << 20) + 1)),
  'exchanges the key': (folder) => writeFile(join(folder, 'seal.key'), Buffer.alloc(32, 7)),
  'opens the key to others': (folder) => chmod(join(folder, 'seal.key'), 0o644),
  'cuts the key': (folder) => writeFile(join(folder, 'seal.key'), 'short'),
};

for (const [name, harm] of Object.entries(HARMS)) {
  test(`a file is not read once somebody ${name}`, async () => {
    await using folder = await emptyFolder();
    await (await openSealedFolder(folder.path)).write(NAME, Buffer.from('ours'));
    await harm(folder.path);
    const sealed = await openSealedFolder(folder.path);
    await assert.rejects(sealed.read(NAME), faultOf('node.cache-invalid'));
  });
}

const UNSAFE: Readonly<Record<string, (path: string) => Promise<void>>> = {
  'that others can write to': async (path) => {
    await mkdir(path);
    await chmod(path, 0o777);
  },
  'that its group can write to': async (path) => {
    await mkdir(path);
    await chmod(path, 0o770);
  },
  'that is a link': (path) => symlink(tmpdir(), path),
  'that is a file': (path) => writeFile(path, ''),
};

for (const [name, make] of Object.entries(UNSAFE)) {
  test(`no cache is kept in a folder ${name}`, async () => {
    await using folder = await emptyFolder();
    const path = join(folder.path, 'cache');
    await make(path);
    await assert.rejects(openSealedFolder(path), faultOf('node.folder-unsafe'));
  });
}

test('a pass that was kept stands in after a kill, and a damaged one does not', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf());
  kit.says(() => ABSENT);
  await kit.restart();
  assert.equal((await kit.agent.judge(lineOf())).allow, true);
  const cache = join(kit.folder, 'cache');
  const [pass = ''] = (await readdir(cache)).filter((name) => name.startsWith('pass-'));
  await writeFile(join(cache, pass), 'damaged');
  await kit.restart();
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
  assert.deepEqual(
    kit.faults.map(({ code }) => code),
    ['node.cache-invalid'],
  );
});

test('a pass of an ended generation that is put back is not read', async () => {
  await using kit = await open();
  const cache = join(kit.folder, 'cache');
  await kit.agent.judge(lineOf());
  const [pass = ''] = (await readdir(cache)).filter((name) => name.startsWith('pass-'));
  await copyFile(join(cache, pass), join(kit.folder, 'backup'));
  kit.pass(30);
  kit.says(({ digest }) => ({
    ...{ outcome: 'deny', digest, decision: 'D2', code: 'x509.revoked', message: 'revoked' },
    ...{ warnings: [], generation: 'g2', freshForMs: 0, mayStandIn: false, validUntil: null },
  }));
  await kit.agent.judge(lineOf());
  await copyFile(join(kit.folder, 'backup'), join(cache, pass));
  await chmod(join(cache, pass), 0o600);
  kit.says(() => ABSENT);
  await kit.restart();
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
});

test('what cannot be read or removed keeps no daemon from starting', async () => {
  await using kit = await open();
  await kit.agent.judge(lineOf());
  const cache = join(kit.folder, 'cache');
  const [pass = ''] = (await readdir(cache)).filter((name) => name.startsWith('pass-'));
  for (const name of [pass, 'stand-ins.sealed']) {
    await rm(join(cache, name), { force: true });
    await mkdir(join(cache, name));
  }
  await kit.restart();
  assert.ok(kit.faults.length > 0);
  assert.ok(kit.faults.every(({ code }) => code === 'node.cache-invalid'));
  assert.equal((await kit.agent.judge(lineOf())).allow, true);
});

test('a cache that cannot be written costs what a restart would have found, and no answer', async () => {
  await using kit = await open();
  await rm(join(kit.folder, 'cache'), { recursive: true });
  assert.equal((await kit.agent.judge(lineOf())).allow, true);
  assert.ok(kit.faults.some(({ code }) => code === 'node.cache-invalid'));
  kit.says(() => ABSENT);
  kit.pass(60);
  assert.equal((await kit.agent.judge(lineOf())).allow, true, 'memory has it');
  await kit.restart();
  assert.equal((await kit.agent.judge(lineOf())).allow, false);
});
