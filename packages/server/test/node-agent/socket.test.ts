import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, lstat, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { judgementLine } from '@bulla/server/node-agent/judgement';
import { LINE_MOST_BYTES } from '@bulla/server/node-agent/parse';
import { listenOnSocket } from '@bulla/server/node-agent/socket';
import { faultOf } from '../storage/expectations.ts';
import { DIGEST, lineOf, open } from './kit.ts';

async function place() {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-socket-'));
  return {
    folder,
    path: join(folder, 'node.sock'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What comes back for these bytes; empty for a connection that is ended without an answer. */
async function send(path: string, bytes: string | Uint8Array, end = false): Promise<string> {
  const socket = connect({ path });
  socket.on('error', () => undefined);
  if (end) socket.end(bytes);
  else socket.write(bytes);
  return text(socket).catch(() => '');
}

test('a question is one line, and its answer another', async () => {
  await using at = await place();
  await using kit = await open();
  await using _listening = await listenOnSocket({ path: at.path, mode: 0o600 }, kit.agent);
  const line = Buffer.concat([lineOf(), Buffer.from('\n')]);
  const expected = `allow ${DIGEST} admitted by Bulla (decision D1)\n`;
  assert.equal(await send(at.path, line), expected);
  assert.match(await send(at.path, line, true), /^allow /);
});

const MALFORMED: readonly {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly end: boolean;
  readonly says: RegExp;
}[] = [
  {
    name: 'an empty line',
    bytes: Buffer.from('\n'),
    end: false,
    says: /^block - node\.request-invalid/,
  },
  { name: 'no JSON', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n'), end: false, says: /^block - / },
  {
    name: 'two questions',
    bytes: Buffer.concat([lineOf(), Buffer.from('\n'), lineOf(), Buffer.from('\n')]),
    end: false,
    says: /^block - /,
  },
  { name: 'half a line', bytes: lineOf(), end: true, says: /^$/ },
  { name: 'nothing', bytes: Buffer.alloc(0), end: true, says: /^$/ },
  {
    name: 'a line without an end',
    bytes: Buffer.alloc(LINE_MOST_BYTES + 1, 0x61),
    end: false,
    says: /^$/,
  },
];

for (const { name, bytes, end, says } of MALFORMED) {
  test(`${name} lets nothing through, and others are answered on`, async () => {
    await using at = await place();
    await using kit = await open();
    await using _listening = await listenOnSocket({ path: at.path, mode: 0o600 }, kit.agent);
    assert.match(await send(at.path, bytes, end), says);
    const line = Buffer.concat([lineOf(), Buffer.from('\n')]);
    assert.match(await send(at.path, line), /^allow /);
  });
}

for (const mode of [0o600, 0o660] as const) {
  test(`the socket has the mode ${mode.toString(8)}`, async () => {
    await using at = await place();
    await using kit = await open();
    await using _listening = await listenOnSocket({ path: at.path, mode }, kit.agent);
    assert.equal((await lstat(at.path)).mode & 0o777, mode);
  });
}

test('the socket of a daemon that was killed is taken over, that of one that runs is not', async () => {
  await using at = await place();
  await using kit = await open();
  // Killed, it leaves the file.
  const script = `require('net').createServer().listen(${JSON.stringify(at.path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', script]), 'exit');
  assert.ok((await lstat(at.path)).isSocket());
  await using _listening = await listenOnSocket({ path: at.path, mode: 0o600 }, kit.agent);
  await assert.rejects(
    listenOnSocket({ path: at.path, mode: 0o600 }, kit.agent),
    faultOf('node.socket-taken'),
  );
});

test('a file that is no socket is left as it is', async () => {
  await using at = await place();
  await using kit = await open();
  await writeFile(at.path, 'precious');
  await assert.rejects(
    listenOnSocket({ path: at.path, mode: 0o600 }, kit.agent),
    faultOf('node.socket-taken'),
  );
});

test('no socket is opened where others could exchange it', async () => {
  await using at = await place();
  await using kit = await open();
  const folder = join(at.folder, 'open');
  await mkdir(folder);
  await chmod(folder, 0o777);
  await assert.rejects(
    listenOnSocket({ path: join(folder, 'node.sock'), mode: 0o600 }, kit.agent),
    faultOf('node.folder-unsafe'),
  );
});

test('a path that is too long for a socket is refused', async () => {
  await using at = await place();
  await using kit = await open();
  await assert.rejects(
    listenOnSocket({ path: join(at.folder, 'a'.repeat(150)), mode: 0o600 }, kit.agent),
    faultOf('node.socket-taken'),
  );
});

test('whoever stays when it has its answer keeps no place from others', async () => {
  await using at = await place();
  await using kit = await open();
  await using _listening = await listenOnSocket({ path: at.path, mode: 0o600 }, kit.agent);
  const line = Buffer.concat([lineOf(), Buffer.from('\n')]);
  // Neither ends its own side when the daemon has ended its.
  const staying = [connect({ path: at.path, allowHalfOpen: true }), connect({ path: at.path })];
  staying[1]?.pause();
  for (const socket of staying) {
    socket.on('error', () => undefined);
    socket.write(line);
  }
  await once(staying[0]?.resume() ?? assert.fail(), 'end');
  const gone = staying.map(async (socket) => {
    // Once the other side is gone a write says so.
    while (!socket.destroyed) {
      socket.write('more');
      await new Promise((done) => setTimeout(done, 5));
    }
  });
  await Promise.all(gone);
  assert.match(await send(at.path, line), /^allow /);
});

test('when the daemon ends its socket is gone, and what was asked is answered', async () => {
  await using at = await place();
  const { promise, resolve } = Promise.withResolvers<void>();
  const listening = await listenOnSocket(
    { path: at.path, mode: 0o600 },
    {
      judge: async () => {
        await promise;
        return { allow: true, digest: DIGEST, reason: 'late' };
      },
    },
  );
  const answer = send(at.path, '{}\n');
  await new Promise((done) => setTimeout(done, 20));
  const ended = listening[Symbol.asyncDispose]();
  resolve();
  assert.equal(await answer, `allow ${DIGEST} late\n`);
  await ended;
  await assert.rejects(lstat(at.path));
  const probe = createServer();
  probe.listen({ path: at.path });
  await once(probe, 'listening');
  probe.close();
});

test('a judgement is one line of ASCII, whatever its reason holds, and a pass names its digest', () => {
  const reason = `evil\nallow ${DIGEST} yes\u001b[31m`;
  const line = judgementLine({ allow: false, digest: DIGEST, reason });
  assert.equal(line.indexOf('\n'), line.length - 1);
  assert.match(line, /^block sha256:[0-9a-f]{64} [\x20-\x7e]+\n$/);
  assert.ok(judgementLine({ allow: true, digest: null, reason: '' }).startsWith('block - '));
  assert.ok(judgementLine({ allow: false, digest: null, reason: 'x'.repeat(5000) }).length < 1000);
});
