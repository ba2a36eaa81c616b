import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { computeDigest } from '@bulla/trust/oci/digest';
import { type FilesStore, openFiles } from '../../../src/storage/files/open.ts';
import { seeded } from '../../seeded.ts';
import { faultOf, text } from '../expectations.ts';
import { QUICK_BEAT_MS, temporaryFolder } from '../rooms.ts';
import { type Sharer, startSharer } from './sharers.ts';
import { referenceTo } from './sharing-process.ts';

const SHARED = { shared: true, beatMs: QUICK_BEAT_MS };
const BUSY = { code: 'storage.staging-busy' };
const digestOf = (value: string) => computeDigest(text(value));

/** One folder, and two processes beside this one that have it open. */
async function withTwo(
  work: (one: Sharer, two: Sharer, folder: string) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  // At once, on a folder in which nothing is: each must find it ready.
  const both = await Promise.all([startSharer(folder.path), startSharer(folder.path)]);
  await using one = both[0];
  await using two = both[1];
  await work(one, two, folder.path);
}

async function textOf({ objects }: FilesStore, name: string): Promise<string | null> {
  const bytes = await objects.bytes(name);
  return bytes === null ? null : Buffer.from(bytes).toString();
}

test('commits of one digest at once by two processes both succeed', () =>
  withTwo(async (one, two, folder) => {
    for (let round = 0; round < 15; round++) {
      const says = `same ${round}`;
      const name = `o/${round}`;
      const sizes = await Promise.all(
        [one, two, one, two].map(async (sharer, n) => {
          const id = `w${round}-${n}`;
          await sharer.call('begin', id);
          await sharer.call('append', id, '0', says);
          return sharer.call('commit', id, name, digestOf(says));
        }),
      );
      assert.deepEqual(new Set(sizes), new Set([says.length]));
    }
    await using store = await openFiles(folder, SHARED);
    for (let round = 0; round < 15; round++) {
      assert.equal(await textOf(store, `o/${round}`), `same ${round}`);
    }
    assert.deepEqual(await readdir(join(folder, 'staged')), []);
    assert.deepEqual(await readdir(join(folder, 'claims')), []);
  }));

test('an upload begun by one process goes on at the other, and back', () =>
  withTwo(async (one, two) => {
    await one.call('begin', 'w');
    await assert.rejects(two.call('begin', 'w'), { code: 'storage.staging-taken' });
    assert.equal(await one.call('append', 'w', '0', 'abc'), 3);
    assert.deepEqual(await two.call('staged', 'w'), { sizeBytes: 3 });
    assert.equal(await two.call('append', 'w', '3', 'def'), 6);
    const conflict = { code: 'storage.offset-conflict' };
    await assert.rejects(one.call('append', 'w', '3', 'xyz'), conflict);
    assert.deepEqual(await one.call('staged', 'w'), { sizeBytes: 6 });
    assert.equal(await one.call('append', 'w', '6', 'ghi'), 9);
    await assert.rejects(two.call('commit', 'w', 'n', digestOf('abcdef')), {
      code: 'storage.digest-mismatch',
    });
    assert.equal(await two.call('commit', 'w', 'n', digestOf('abcdefghi')), 9);
    assert.equal(await one.call('staged', 'w'), null);
    await assert.rejects(one.call('append', 'w', '9', 'x'), { code: 'storage.staging-unknown' });
  }));

test('what a process knows of bytes does not hold for others of the same size', () =>
  withTwo(async (one, two, folder) => {
    await one.call('begin', 'w');
    await one.call('append', 'w', '0', 'abc');
    assert.equal(await two.call('abort', 'w'), true);
    await two.call('begin', 'w');
    await two.call('append', 'w', '0', 'xyz');
    // This one has a hash of three bytes under that id.
    const mismatch = { code: 'storage.digest-mismatch' };
    await assert.rejects(one.call('commit', 'w', 'n', digestOf('abc')), mismatch);
    assert.equal(await one.call('append', 'w', '3', '!'), 4);
    await assert.rejects(one.call('commit', 'w', 'n', digestOf('abc!')), mismatch);
    assert.equal(await one.call('commit', 'w', 'n', digestOf('xyz!')), 4);
    await using store = await openFiles(folder, SHARED);
    assert.equal(await textOf(store, 'n'), 'xyz!');
  }));

test('a staged write is one process’s at a time, and no sweep of another takes it', () =>
  withTwo(async (one, two) => {
    await one.call('begin', 'w');
    await one.call('begin', 'left');
    const appending = one.call('appendHeld', 'w', '0', 'abc', 'def');
    await one.call('began', 'w');
    await assert.rejects(two.call('append', 'w', '3', 'x'), BUSY);
    await assert.rejects(two.call('commit', 'w', 'n', digestOf('abc')), BUSY);
    await assert.rejects(two.call('abort', 'w'), BUSY);
    await assert.rejects(two.call('begin', 'w'), { code: 'storage.staging-taken' });
    assert.deepEqual(await two.call('sweep'), { objects: 0, staged: 1 });
    await one.call('open', 'w');
    assert.equal(await appending, 6);
    assert.equal(await two.call('commit', 'w', 'n', digestOf('abcdef')), 6);
  }));

test('kill -9 of who appends: another goes on with what came', () =>
  withTwo(async (one, two, folder) => {
    await one.call('begin', 'w');
    const appending = one.call('appendHeld', 'w', '0', 'abc', 'def');
    const cut = assert.rejects(appending);
    await one.call('began', 'w');
    await assert.rejects(two.call('append', 'w', '3', 'x'), BUSY);
    await one.kill();
    await cut;
    assert.deepEqual(await two.call('staged', 'w'), { sizeBytes: 3 });
    assert.equal(await two.call('append', 'w', '3', 'xyz'), 6);
    await using third = await startSharer(folder);
    assert.equal(await third.call('commit', 'w', 'n', digestOf('abcxyz')), 6);
  }));

test('kill -9 of who sweeps: who waits for the name has it', () =>
  withTwo(async (one, two, folder) => {
    await one.call('put', 'n', 'bytes');
    await one.call('delete', 'n');
    const cut = assert.rejects(one.call('sweepHeld'));
    await one.call('began', 'sweep');
    let kept: unknown = null;
    const keeping = two.call('keep', 'n').then((value) => {
      kept = value;
    });
    // Another name, with few exceptions, waits for nobody.
    await Promise.any(Array.from({ length: 8 }, (_, n) => two.call('put', `other ${n}`, 'x')));
    assert.equal(kept, null, 'the name is held');
    await one.kill();
    await cut;
    await keeping;
    assert.equal(kept, true);
    assert.deepEqual(await two.call('sweep'), { objects: 0, staged: 0 });
    await using store = await openFiles(folder, SHARED);
    assert.equal(await textOf(store, 'n'), 'bytes');
  }));

test('a keep in one process while the sweep of another asks says the truth', () =>
  withTwo(async (one, two, folder) => {
    await one.call('put', 'n', 'bytes');
    await two.call('delete', 'n');
    const sweeping = one.call('sweepHeld');
    await one.call('began', 'sweep');
    const keeping = two.call('keep', 'n');
    const putting = two.call('put', 'n', 'bytes');
    await one.call('open', 'sweep');
    assert.deepEqual(await sweeping, { objects: 1, staged: 0 });
    assert.equal(await keeping, false);
    await putting;
    await using store = await openFiles(folder, SHARED);
    assert.equal(await textOf(store, 'n'), 'bytes');
  }));

test('an opening removes what the dead were writing, not what the living are', () =>
  withTwo(async (one, two, folder) => {
    const putting = [one.call('putForever', 'one'), two.call('putForever', 'two')];
    const ended = Promise.allSettled(putting);
    const tmp = join(folder, 'tmp');
    for (let round = 0; round < 5; round++) {
      await using store = await openFiles(folder, SHARED);
      assert.equal((await readdir(tmp)).length, 3);
      await store.objects.put(`mine/${round}`, text('x'));
    }
    await one.kill();
    // Its folder is there yet, and perhaps a file in it.
    assert.equal((await readdir(tmp)).length, 2);
    {
      await using store = await openFiles(folder, SHARED);
      const [own = '', ...more] = await readdir(tmp);
      assert.equal(more.length, 1, own);
      await store.objects.put('after', text('x'));
    }
    const before = (await readdir(join(folder, 'objects/two'))).length;
    while ((await readdir(join(folder, 'objects/two'))).length < before + 5) await sleep(5);
    await two.kill();
    assert.deepEqual(
      (await ended).map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await (await openFiles(folder, SHARED))[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(tmp), []);
    assert.deepEqual(await readdir(join(folder, 'processes')), []);
  }));

const SEED = 20261121;
const ROUNDS = 3;
const NAMES = Array.from({ length: 3 }, (_, n) => `content/${n}`);

/** The names whose last line in one process says that they are referred to. */
function acknowledged(said: readonly string[], names: readonly string[]): readonly string[] {
  return names.filter((name) => {
    const last = said.findLast((line) => line.endsWith(` ${name}`));
    return last === `refers ${name}`;
  });
}

test('an object that was acknowledged to who refers to it is never removed', async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED);
  await using folder = await temporaryFolder();
  for (let round = 0; round < ROUNDS; round++) {
    await using one = await startSharer(folder.path);
    await using two = await startSharer(folder.path);
    // Each refers to, and lets go of, names of its own; each sweeps what both let go of.
    const mine = NAMES.map((name) => `${name}/${round}/one`);
    const yours = NAMES.map((name) => `${name}/${round}/two`);
    const seedOf = (n: number) => String(SEED + round * 10 + n);
    const killed = Promise.allSettled([
      one.call('churn', seedOf(1), '100000', ...mine),
      one.call('sweepOn'),
    ]);
    const ended = Promise.all([
      two.call('churn', seedOf(2), '60', ...yours).then(() => two.call('open', 'stop')),
      two.call('sweepOn'),
    ]);
    await sleep(500 + random() * 500);
    await one.kill();
    assert.deepEqual(
      (await killed).map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await ended;
    await two.call('sweep');
    await using store = await openFiles(folder.path, SHARED);
    let count = 0;
    for (const [{ said }, names] of [
      [one, mine],
      [two, yours],
    ] as const) {
      for (const name of acknowledged(said, names)) {
        assert.equal(await textOf(store, name), name, `${name} was acknowledged`);
        assert.ok((await store.registers.read(referenceTo(name))) !== null);
        count += 1;
      }
    }
    assert.ok(count > 0, 'nothing was acknowledged');
  }
});

test('who has a folder alone and who shares it exclude one another', async () => {
  await using folder = await temporaryFolder();
  const locked = faultOf('storage.locked');
  {
    await using alone = await openFiles(folder.path);
    await assert.rejects(startSharer(folder.path), { code: 'storage.locked' });
    assert.equal(await textOf(alone, 'n'), null);
  }
  {
    await using sharer = await startSharer(folder.path);
    await assert.rejects(openFiles(folder.path), locked);
    await using _other = await openFiles(folder.path, SHARED);
    await sharer.call('put', 'n', 'x');
    await sharer.kill();
    await assert.rejects(openFiles(folder.path), locked);
  }
  await using alone = await openFiles(folder.path);
  assert.equal(await textOf(alone, 'n'), 'x');
  assert.deepEqual(await readdir(join(folder.path, 'tmp')), []);
  assert.deepEqual(await readdir(join(folder.path, 'processes')), []);
});
