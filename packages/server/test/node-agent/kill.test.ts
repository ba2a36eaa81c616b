// A daemon that is killed at any moment leaves the old content of a file or the new one.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openSealedFolder } from '@bulla/server/node-agent/sealed';

const SEALED = fileURLToPath(new URL('../../src/node-agent/sealed.ts', import.meta.url));
const SIZE = 256 << 10;

/** Writes one of two contents over the other until it is killed. */
const WRITER = `
const { openSealedFolder } = await import(process.argv[1]);
const folder = await openSealedFolder(process.argv[2]);
await folder.write('pass-a.sealed', Buffer.alloc(${SIZE}, 'a'));
console.log('begun');
for (let turn = 0; ; turn++) {
  await folder.write('pass-a.sealed', Buffer.alloc(${SIZE}, turn % 2 === 0 ? 'b' : 'a'));
}`;

test('a kill in the middle of a write halves nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-killed-'));
  try {
    for (let round = 0; round < 6; round++) {
      const child = spawn(
        process.execPath,
        ['--conditions=@bulla/source', '--input-type=module', '-e', WRITER, SEALED, folder],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      await once(child.stdout, 'data');
      await sleep(5 + round * 3);
      child.kill('SIGKILL');
      await once(child, 'exit');
      const sealed = await openSealedFolder(folder);
      const content = await sealed.read('pass-a.sealed');
      assert.ok(content !== null);
      const [first] = content;
      assert.equal(content.length, SIZE);
      assert.ok(content.every((byte) => byte === first));
      assert.deepEqual(await sealed.names(10), ['pass-a.sealed']);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
