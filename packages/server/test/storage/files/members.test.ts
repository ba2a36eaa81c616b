import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { joinFolder, PROCESSES, TMP } from '../../../src/storage/files/members.ts';
import { type FileOperations, SYSTEM_FILES } from '../../../src/storage/files/operations.ts';
import { faultOf } from '../expectations.ts';
import { temporaryFolder } from '../rooms.ts';

const OTHER = 'a'.repeat(24);
const QUICK = { beatMs: 20 };

async function sharedFolder() {
  const folder = await temporaryFolder();
  for (const name of [PROCESSES, TMP]) await mkdir(join(folder.path, name));
  return folder;
}

/** What a process leaves that had the folder open, with its lock let go. */
async function leave(path: string, process: string, count: string): Promise<void> {
  await writeFile(join(path, PROCESSES, process), '');
  await writeFile(join(path, PROCESSES, `${process}.beat`), count.padStart(16, '0'));
  await mkdir(join(path, TMP, process));
  await writeFile(join(path, TMP, process, 'half'), 'half');
}

test('members see one another live, and end', async () => {
  await using folder = await sharedFolder();
  const one = await joinFolder(folder.path, SYSTEM_FILES, QUICK);
  const two = await joinFolder(folder.path, SYSTEM_FILES, QUICK);
  assert.notEqual(one.process, two.process);
  for (const member of [one, two]) {
    assert.equal(await member.isAlive(one.process), true);
    assert.equal(await member.isAlive(two.process), true);
    assert.equal(await member.isAlive(OTHER), false);
  }
  await one.leave();
  assert.equal(await two.isAlive(one.process), false);
  assert.equal(await two.isAlive(two.process), true, 'its own lock outlives the question');
  const three = await joinFolder(folder.path, SYSTEM_FILES, QUICK);
  assert.equal(await three.isAlive(two.process), true);
  await two.leave();
  await three.leave();
  assert.deepEqual(await readdir(join(folder.path, PROCESSES)), []);
  assert.deepEqual(await readdir(join(folder.path, TMP)), []);
});

test('what a dead process left is removed, and what one left that had the folder alone', async () => {
  await using folder = await sharedFolder();
  await leave(folder.path, OTHER, '7');
  await writeFile(join(folder.path, TMP, 'file'), 'half');
  await mkdir(join(folder.path, TMP, 'b'.repeat(24)));
  const member = await joinFolder(folder.path, SYSTEM_FILES, QUICK);
  assert.deepEqual(await readdir(join(folder.path, TMP)), [member.process]);
  const noted = await readdir(join(folder.path, PROCESSES));
  assert.deepEqual(noted.toSorted(), [member.process, `${member.process}.beat`]);
  await member.leave();
});

test('a process that goes on though its lock can be had: the volume keeps no locks', async () => {
  await using folder = await sharedFolder();
  await leave(folder.path, OTHER, '1');
  let count = 1;
  // It writes once more between any two looks, as one on another machine would.
  const files: FileOperations = {
    ...SYSTEM_FILES,
    async readFile(path) {
      if (path.endsWith(`${OTHER}.beat`)) {
        count += 1;
        await writeFile(path, String(count).padStart(16, '0'));
      }
      return SYSTEM_FILES.readFile(path);
    },
  };
  const missing = faultOf('storage.locks-missing');
  await assert.rejects(joinFolder(folder.path, files, QUICK), missing);
  const left = await readdir(join(folder.path, TMP, OTHER));
  assert.deepEqual(left, ['half'], 'nothing of it was removed');
});
