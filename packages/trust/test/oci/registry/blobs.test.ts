import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { collect, sample } from '../sample.ts';
import { answer, type Script, scripted } from './scripted.ts';

describe('a blob', () => {
  const bytes = Buffer.alloc(200_000, 'b');
  const blob = sample(bytes, 'application/octet-stream');
  const cases: readonly { name: string; body: Uint8Array; code: string }[] = [
    { name: 'altered', body: Buffer.alloc(200_000, 'c'), code: 'registry.digest-mismatch' },
    { name: 'cut', body: bytes.subarray(1), code: 'registry.digest-mismatch' },
    {
      name: 'with more after it',
      body: Buffer.concat([bytes, bytes]),
      code: 'registry.digest-mismatch',
    },
  ];
  for (const { name, body, code } of cases) {
    it(`${name} is refused, whole and as a stream`, async () => {
      await using server = await scripted((_, r) => answer(r, 200, {}, body));
      const store = server.store();
      await assert.rejects(store.blob(blob), { code });
      await assert.rejects(collect(await store.blobStream(blob)), { code });
    });
  }
  it('that is larger than wanted is refused unasked', async () => {
    await using server = await scripted((_, r) => answer(r, 200, {}, bytes));
    await assert.rejects(server.store().blob(blob, { maxBytes: 1000 }), { code: 'registry.limit' });
    assert.equal(server.seen.length, 0);
  });
  it('that is not there is null', async () => {
    await using server = await scripted((_, r) =>
      answer(r, 404, { 'content-type': 'text/html' }, '<html>'),
    );
    assert.equal(await server.store().blob(blob), null);
    assert.equal(await server.store().blobStream(blob), null);
    assert.equal(await server.store().hasBlob(blob.digest), false);
  });

  const broken =
    (ranges: boolean): Script =>
    (one, response, at) => {
      const from = Number(/bytes=(\d+)-/.exec(one.headers.range ?? '')?.[1] ?? 0);
      const isPart = ranges && one.headers.range !== undefined;
      const body = isPart ? bytes.subarray(from) : bytes;
      const range = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
      response.writeHead(isPart ? 206 : 200, {
        'content-length': String(body.length),
        ...(isPart ? { 'content-range': range } : {}),
      });
      if (at < 2)
        response.write(body.subarray(0, 60_000), () => setTimeout(() => response.destroy(), 50));
      else response.end(body);
    };
  it('is read on by a range after the connection broke', async () => {
    await using server = await scripted(broken(true));
    assert.deepEqual(await collect(await server.store().blobStream(blob)), bytes);
    assert.deepEqual(
      server.seen.map(({ headers }) => headers.range),
      [undefined, 'bytes=60000-199999', 'bytes=120000-199999'],
    );
  });
  it('is read again where ranges are ignored', async () => {
    await using server = await scripted(broken(false));
    assert.deepEqual(await collect(await server.store().blobStream(blob)), bytes);
  });
  it('that breaks each time is unreachable', async () => {
    await using server = await scripted((_, response) => {
      response.writeHead(200, { 'content-length': String(bytes.length) });
      response.write(bytes.subarray(0, 10), () => setTimeout(() => response.destroy(), 20));
    });
    const stream = await server.store().blobStream(blob);
    await assert.rejects(collect(stream), { code: 'registry.unreachable' });
  });
  it('whose range lies is refused', async () => {
    await using server = await scripted((_, response, at) => {
      response.writeHead(at === 0 ? 200 : 206, { 'content-range': 'bytes 5-199999/200000' });
      if (at === 0)
        response.write(bytes.subarray(0, 1000), () => setTimeout(() => response.destroy(), 20));
      else response.end(bytes.subarray(5));
    });
    const stream = await server.store().blobStream(blob);
    await assert.rejects(collect(stream), { code: 'registry.malformed-answer' });
  });
});
