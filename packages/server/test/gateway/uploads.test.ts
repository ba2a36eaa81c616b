import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startRegistry } from '../../src/registry.ts';
import { temporaryFolder } from '../storage/rooms.ts';
import { ask, digestOf, KINDS } from './client.ts';

const BLOB = 'abcdefghij';
const DIGEST = digestOf(BLOB);

async function open(url: string, repository = 'app', query = ''): Promise<string> {
  const path = `/v2/${repository}/blobs/uploads/${query}`;
  const answer = await ask(url, { method: 'POST', path });
  assert.equal(answer.status, 202, answer.body.toString());
  assert.equal(answer.headers['range'], '0-0');
  return answer.headers['location'] ?? '';
}

function patch(url: string, path: string, body: string, range?: string, chunked = false) {
  const headers = range === undefined ? {} : { 'content-range': range };
  return ask(url, { method: 'PATCH', path, body, chunked, headers });
}

function close(url: string, path: string, digest = DIGEST, body?: string, range?: string) {
  const headers = range === undefined ? {} : { 'content-range': range };
  const request = { method: 'PUT', path: `${path}?digest=${digest}`, headers };
  return ask(url, body === undefined ? request : { ...request, body });
}

for (const { kind, start } of KINDS) {
  test(`${kind}: chunks in order, the last with the PUT`, async () => {
    await using registry = await start();
    const { url } = registry;
    const path = await open(url);
    const first = await patch(url, path, 'abcd', '0-3');
    assert.equal(first.status, 202);
    assert.equal(first.headers['range'], '0-3');
    assert.equal(first.headers['location'], path);
    const status = await ask(url, { path });
    assert.equal(status.status, 204);
    assert.equal(status.headers['range'], '0-3');
    assert.equal((await patch(url, path, 'efg', '4-6')).headers['range'], '0-6');
    const last = await close(url, path, DIGEST, 'hij', '7-9');
    assert.equal(last.status, 201);
    assert.equal(last.headers['location'], `/v2/app/blobs/${DIGEST}`);
    assert.equal((await ask(url, { path: `/v2/app/blobs/${DIGEST}` })).body.toString(), BLOB);
    assert.equal((await ask(url, { path })).error, 'BLOB_UPLOAD_UNKNOWN');
  });

  test(`${kind}: chunks out of order are 416, tell the place, and do no harm`, async (context) => {
    await using registry = await start();
    const { url } = registry;
    const path = await open(url);
    await patch(url, path, 'abcd', '0-3');
    const cases = [
      { name: 'too far', range: '5-6', body: 'fg', by: patch },
      { name: 'again', range: '0-3', body: 'abcd', by: patch },
      { name: 'backwards', range: '4-3', body: 'x', by: patch },
      { name: 'too far, in the PUT', range: '5-9', body: 'fghij', by: null },
    ];
    for (const { name, range, body, by } of cases) {
      await context.test(name, async () => {
        const answer =
          by === null
            ? await close(url, path, DIGEST, body, range)
            : await by(url, path, body, range);
        assert.equal(answer.status, 416);
        assert.equal(answer.error, 'BLOB_UPLOAD_INVALID');
        assert.equal(answer.headers['range'], '0-3');
        assert.equal(answer.headers['location'], path);
      });
    }
    assert.equal((await close(url, path, DIGEST, 'efghij')).status, 201);
  });

  test(`${kind}: a stream without ranges, and an empty PUT`, async () => {
    await using registry = await start();
    const { url } = registry;
    const path = await open(url);
    assert.equal((await patch(url, path, 'abcde', undefined, true)).headers['range'], '0-4');
    assert.equal((await patch(url, path, 'fghij')).headers['range'], '0-9');
    assert.equal((await close(url, path)).status, 201);
  });

  test(`${kind}: what an upload request may not be`, async (context) => {
    await using registry = await start();
    const { url } = registry;
    const path = await open(url);
    const uploads = '/v2/app/blobs/uploads/';
    const unknown = `${uploads}00000000-0000-4000-8000-000000000000`;
    const digest = `?digest=${DIGEST}`;
    const range = (text: string) => ({ 'content-range': text });
    const cases = [
      {
        name: 'a malformed range',
        method: 'PATCH',
        path,
        headers: range('bytes 0-1/2'),
        body: 'ab',
        status: 400,
        error: 'BLOB_UPLOAD_INVALID',
      },
      {
        name: 'a range of another length',
        method: 'PATCH',
        path,
        headers: range('0-3'),
        body: 'ab',
        status: 400,
        error: 'SIZE_INVALID',
      },
      {
        name: 'a PUT without a digest',
        method: 'PUT',
        path,
        body: BLOB,
        status: 400,
        error: 'DIGEST_INVALID',
      },
      {
        name: 'a PUT with a malformed digest',
        method: 'PUT',
        path: `${path}?digest=sha256:x`,
        body: BLOB,
        status: 400,
        error: 'DIGEST_INVALID',
      },
      {
        name: 'an unknown upload',
        method: 'PATCH',
        path: unknown,
        body: 'ab',
        status: 404,
        error: 'BLOB_UPLOAD_UNKNOWN',
      },
      {
        name: 'an unknown upload, closed',
        method: 'PUT',
        path: unknown + digest,
        status: 404,
        error: 'BLOB_UPLOAD_UNKNOWN',
      },
      {
        name: 'an unknown upload, cancelled',
        method: 'DELETE',
        path: unknown,
        status: 404,
        error: 'BLOB_UPLOAD_UNKNOWN',
      },
      {
        name: 'an upload that is no UUID',
        method: 'GET',
        path: `${uploads}..%00`,
        status: 400,
        error: 'NAME_INVALID',
      },
      {
        name: 'an upload that climbs',
        method: 'GET',
        path: `${uploads}..%2f..%2fx`,
        status: 400,
        error: 'NAME_INVALID',
      },
      {
        name: 'an upload of another name',
        method: 'GET',
        path: `${uploads}lock`,
        status: 404,
        error: 'BLOB_UPLOAD_UNKNOWN',
      },
      {
        name: 'the upload of another repository',
        method: 'PATCH',
        path: path.replace('/app/', '/other/'),
        body: 'ab',
        status: 404,
        error: 'BLOB_UPLOAD_UNKNOWN',
      },
      {
        name: 'the upload of another repository, closed',
        method: 'PUT',
        path: path.replace('/app/', '/other/') + digest,
        status: 404,
        error: 'BLOB_UPLOAD_UNKNOWN',
      },
    ];
    for (const { name, status, error, ...request } of cases) {
      await context.test(name, async () => {
        const answer = await ask(url, request);
        assert.equal(answer.status, status, answer.body.toString());
        assert.equal(answer.error, error);
      });
    }
    assert.equal((await close(url, path, DIGEST, BLOB)).status, 201, 'the upload is unharmed');
  });

  test(`${kind}: an upload of another digest is dropped`, async () => {
    await using registry = await start();
    const { url } = registry;
    const path = await open(url);
    const answer = await close(url, path, digestOf('other'), BLOB);
    assert.equal(answer.status, 400);
    assert.equal(answer.error, 'DIGEST_INVALID');
    assert.equal((await ask(url, { path })).error, 'BLOB_UPLOAD_UNKNOWN');
    assert.equal((await ask(url, { path: `/v2/app/blobs/${DIGEST}` })).status, 404);
  });

  test(`${kind}: a cancelled upload is gone`, async () => {
    await using registry = await start();
    const { url } = registry;
    const path = await open(url);
    assert.equal((await ask(url, { method: 'DELETE', path })).status, 204);
    assert.equal((await ask(url, { path })).error, 'BLOB_UPLOAD_UNKNOWN');
  });

  test(`${kind}: sha512, announced or not`, async () => {
    await using registry = await start();
    const { url } = registry;
    const { createHash } = await import('node:crypto');
    const digest = `sha512:${createHash('sha512').update(BLOB).digest('hex')}` as const;
    for (const query of ['?digest-algorithm=sha512', '']) {
      const path = await open(url, 'app', query);
      assert.equal((await close(url, path, digest, BLOB)).status, 201);
    }
    assert.equal((await ask(url, { path: `/v2/app/blobs/${digest}` })).body.toString(), BLOB);
  });

  test(`${kind}: two pushes of one digest at once both succeed`, async () => {
    await using registry = await start();
    const { url } = registry;
    const blob = 'x'.repeat(300_000);
    const path = `/v2/app/blobs/uploads/?digest=${digestOf(blob)}`;
    const pushes = Array.from({ length: 6 }, () => ask(url, { method: 'POST', path, body: blob }));
    for (const answer of await Promise.all(pushes)) assert.equal(answer.status, 201);
    const found = await ask(url, { path: `/v2/app/blobs/${digestOf(blob)}` });
    assert.equal(digestOf(found.body), digestOf(blob));
  });

  test(`${kind}: an upload that is cut goes on from where it ended`, async () => {
    await using registry = await start();
    const { url } = registry;
    const path = await open(url);
    await cut(registry.port, `PATCH ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabcd`);
    const range = await settled(url, path);
    assert.equal(range, '0-3');
    assert.equal((await patch(url, path, 'efghij', '4-9')).status, 202);
    assert.equal((await close(url, path)).status, 201);
  });

  test(`${kind}: a whole push that is cut leaves nothing`, async () => {
    await using registry = await start();
    const { url } = registry;
    const head = `POST /v2/app/blobs/uploads/?digest=${DIGEST} HTTP/1.1\r\nhost: x\r\n`;
    await cut(registry.port, `${head}content-length: 10\r\n\r\nabcd`);
    await cut(registry.port, `${head}transfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n`);
    assert.equal((await ask(url, { path: `/v2/app/blobs/${DIGEST}` })).status, 404);
  });

  test(`${kind}: a blob that is too large is refused, announced or not`, async () => {
    await using registry = await start({ config: { maxBlobBytes: 9 } });
    const { url } = registry;
    const path = `/v2/app/blobs/uploads/?digest=${DIGEST}`;
    for (const chunked of [false, true]) {
      const answer = await ask(url, { method: 'POST', path, body: BLOB, chunked });
      assert.equal(answer.status, 413);
      assert.equal(answer.error, 'SIZE_INVALID');
    }
  });
}

/** Sends part of a request and breaks the connection. */
async function cut(port: number, request: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve) => socket.write(request, () => resolve()));
  await sleep(50);
  socket.destroy();
}

/** The range of an upload once the server has noticed that its writer is gone. */
async function settled(url: string, path: string): Promise<string | undefined> {
  let range: string | undefined;
  for (let round = 0; round < 20; round++) {
    await sleep(20);
    const answer = await ask(url, { path });
    if (answer.headers['range'] === range && range !== '0-0') return range;
    range = answer.headers['range'];
  }
  return range;
}

test('files: an upload goes on after a restart', async () => {
  await using folder = await temporaryFolder();
  let path: string;
  {
    await using registry = await startRegistry({ storage: 'files', folder: folder.path });
    path = await open(registry.url);
    await patch(registry.url, path, 'abcd', '0-3');
  }
  await using registry = await startRegistry({ storage: 'files', folder: folder.path });
  const status = await ask(registry.url, { path });
  assert.equal(status.status, 204);
  assert.equal(status.headers['range'], '0-3');
  assert.equal((await patch(registry.url, path, 'efghij', '4-9')).status, 202);
  assert.equal((await close(registry.url, path)).status, 201);
});
