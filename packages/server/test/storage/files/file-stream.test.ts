import assert from 'node:assert/strict';
import { once } from 'node:events';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type FileSource,
  fileStream,
  pouredBytes,
} from '../../../src/storage/files/file-stream.ts';
import { faultOf } from '../expectations.ts';
import { temporaryFolder } from '../rooms.ts';

/** Bytes of which no two pieces are alike. */
function content(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >> 8) * 7 + (at >> 16)) & 0xff;
  return bytes;
}

interface Source extends FileSource {
  readonly state: { readings: number; closed: number; closedWhileReading: boolean };
}

/** A source in memory, which gives at most `most` bytes at a time, and not at once. */
function sourceOf(bytes: Buffer, most = Number.POSITIVE_INFINITY): Source {
  const state = { readings: 0, closed: 0, closedWhileReading: false };
  return {
    state,
    async readInto(into, length, position) {
      state.readings += 1;
      await nextTurn();
      const count = bytes.copy(into, 0, position, position + Math.min(length, most));
      state.readings -= 1;
      return count;
    },
    async close() {
      state.closed += 1;
      if (state.readings > 0) state.closedWhileReading = true;
    },
  };
}

/** Keeps a copy of each piece at the last moment at which it may be read: when it calls back. */
function slowWritable(): Writable & { readonly taken: Buffer[] } {
  const taken: Buffer[] = [];
  const writable = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      setTimeout(() => {
        taken.push(Buffer.from(chunk));
        done();
      }, 1);
    },
  });
  return Object.assign(writable, { taken });
}

const PIECE = 256 << 10;
const CASES = [
  { name: 'one byte', length: 1, position: 0 },
  { name: 'less than a piece, in the middle', length: 1000, position: 77 },
  { name: 'a piece', length: PIECE, position: 0 },
  { name: 'a piece and a byte', length: PIECE + 1, position: 3 },
  { name: 'two pieces of a pipe', length: 2 * PIECE + 1, position: 3 },
  { name: 'many pieces', length: 5 * PIECE + 11, position: 1 },
  { name: 'what comes in small parts', length: 2 * PIECE + 1, position: 0, most: 100_000 },
] as const;

for (const { name, length, position, ...rest } of CASES) {
  test(`${name}: piped to a slow destination and read in chunks, it is the file's part`, async () => {
    const bytes = content(6 * PIECE);
    const expected = bytes.subarray(position, position + length);
    const most = 'most' in rest ? rest.most : undefined;
    const piped = sourceOf(bytes, most);
    const destination = slowWritable();
    const stream = fileStream(piped, length, position);
    stream.pipe(destination);
    await Promise.all([once(destination, 'finish'), once(stream, 'close')]);
    assert.ok(Buffer.concat(destination.taken).equals(expected));
    const read = sourceOf(bytes, most);
    const chunks: Buffer[] = [];
    for await (const chunk of fileStream(read, length, position)) chunks.push(chunk);
    assert.ok(Buffer.concat(chunks).equals(expected), 'each chunk is the reader’s own');
    for (const { state } of [piped, read]) {
      assert.deepEqual(state, { readings: 0, closed: 1, closedWhileReading: false });
    }
  });
}

const READERS: readonly { name: string; read(stream: Readable): void }[] = [
  { name: 'piped', read: (stream) => void stream.pipe(slowWritable()) },
  { name: 'read in chunks', read: (stream) => void stream.resume() },
];

for (const { name, read } of READERS) {
  test(`${name}, a file that is too short or fails is an error of the stream`, async () => {
    const short = fileStream(sourceOf(content(PIECE)), 3 * PIECE, 0);
    read(short);
    const [fault] = await once(short, 'error');
    assert.ok(faultOf('storage.failed')(fault));
    const failing: FileSource = {
      readInto: () => Promise.reject(new Error('EIO')),
      close: async () => undefined,
    };
    const failed = fileStream(failing, PIECE, 0);
    read(failed);
    const [error] = await once(failed, 'error');
    assert.match(String(error), /EIO/);
  });

  test(`${name} and destroyed midway, it closes the file once, and never within a reading`, async () => {
    const source = sourceOf(content(8 * PIECE));
    const stream = fileStream(source, 8 * PIECE, 0);
    read(stream);
    while (source.state.readings === 0) await nextTurn();
    stream.destroy();
    await once(stream, 'close');
    assert.deepEqual(source.state, { readings: 0, closed: 1, closedWhileReading: false });
  });
}

test('a destination that fails, is destroyed or was gone before ends the stream without an error', async () => {
  const failing = new Writable({ write: (_chunk, _encoding, done) => done(new Error('gone')) });
  failing.on('error', () => undefined);
  const silent = new Writable({ write: () => undefined });
  const gone = new PassThrough();
  gone.destroy();
  for (const destination of [failing, silent, gone]) {
    const source = sourceOf(content(8 * PIECE));
    const stream = fileStream(source, 8 * PIECE, 0);
    stream.on('error', assert.fail);
    stream.pipe(destination);
    while (source.state.readings === 0 && source.state.closed === 0) await nextTurn();
    destination.destroy();
    if (!stream.closed) await once(stream, 'close');
    assert.equal(source.state.closed, 1);
  }
});

test('a destination may be left open', async () => {
  const destination = slowWritable();
  const stream = fileStream(sourceOf(content(10)), 10, 0);
  stream.pipe(destination, { end: false });
  await once(stream, 'close');
  assert.equal(destination.writableEnded, false);
  destination.end('more');
  await once(destination, 'finish');
  assert.equal(Buffer.concat(destination.taken).length, 14);
});

test('a real file, from an offset', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'file');
  const bytes = content(3 * PIECE);
  await writeFile(path, bytes);
  const handle = await open(path);
  const source: FileSource = {
    readInto: async (into, length, at) => (await handle.read(into, 0, length, at)).bytesRead,
    close: () => handle.close(),
  };
  const destination = slowWritable();
  fileStream(source, 2 * PIECE, 5).pipe(destination);
  await once(destination, 'finish');
  assert.ok(Buffer.concat(destination.taken).equals(bytes.subarray(5, 5 + 2 * PIECE)));
});

test('pieces of pipes share a bounded memory, down to a least size', () => {
  const sizes = [0, 63, 64, 127, 511, 512, 100_000].map((others) => pouredBytes(others) >> 10);
  assert.deepEqual(sizes, [512, 512, 504, 256, 64, 64, 64]);
});

test('a pipe whose destination is gone takes no share any more', async () => {
  const bytes = content(PIECE);
  /** The length of the first piece that a pipe writes now. */
  const firstPiece = async (): Promise<number> => {
    const destination = slowWritable();
    const stream = fileStream(sourceOf(bytes), PIECE, 0);
    stream.pipe(destination);
    await once(stream, 'close');
    return destination.taken[0]?.length ?? 0;
  };
  const stuck = Array.from({ length: 256 }, () => {
    const destination = new Writable({ highWaterMark: 1, write: () => undefined });
    const stream = fileStream(sourceOf(bytes), PIECE, 0);
    stream.pipe(destination);
    return { stream, destination };
  });
  assert.ok((await firstPiece()) < PIECE);
  const closed = stuck.map(({ stream }) => once(stream, 'close'));
  for (const { destination } of stuck) destination.destroy();
  await Promise.all(closed);
  assert.equal(await firstPiece(), PIECE);
});
