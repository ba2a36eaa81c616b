import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { CONTENT_SECURITY_POLICY, consoleDoors } from '../../src/console/routes.ts';
import { openConsole } from '../../src/console/service.ts';
import { type HttpServer, listen } from '../../src/http/server.ts';

const SCRIPT = `console.log(${JSON.stringify('x'.repeat(2000))});`;
const PAGE = '<!doctype html><title>Bulla</title>';

interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** As `fetch`, but without its decoding of bodies and its cleaning of paths. */
function get(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, method }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const body = Buffer.concat(chunks);
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body });
      });
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function withConsole(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (port: number) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-console-'));
  let server: HttpServer | undefined;
  try {
    await mkdir(join(folder, 'assets'));
    for (const [path, bytes] of Object.entries(files)) await writeFile(join(folder, path), bytes);
    const console = await openConsole({ folders: [join(folder, 'absent'), folder] });
    server = await listen(consoleDoors(console));
    await use(server.port);
  } finally {
    await server?.close();
    await rm(folder, { recursive: true });
  }
}

const BUILT = {
  'index.html': PAGE,
  'scheme.js': 'scheme',
  'THIRD-PARTY.txt': 'notices',
  'assets/index-1.js': SCRIPT,
  'assets/index-1.js.br': brotliCompressSync(SCRIPT),
  'assets/index-1.js.gz': gzipSync(SCRIPT),
};

const PATHS = [
  { path: '/', status: 200 },
  { path: '/?a=b', status: 200 },
  { path: '/sign-in', status: 200 },
  { path: '/decisions', status: 200 },
  { path: '/decisions/01JD0000000000000000000000', status: 200 },
  { path: '/decisions/01JD/more', status: 404 },
  { path: '/decisions/', status: 200 },
  { path: '/decisions/a.b', status: 404 },
  { path: '/repositories', status: 200 },
  { path: '/repositories/127.0.0.1:5000/team/app', status: 200 },
  { path: '/repositories/team%2Fapp', status: 400 },
  { path: '/repositories/../policies', status: 400 },
  { path: '/policies/production', status: 200 },
  { path: '/policies/%3Cscript%3E', status: 404 },
  { path: '/exceptions', status: 200 },
  { path: `/exceptions/sha256:${'0a'.repeat(32)}`, status: 200 },
  { path: '/exceptions/late-release', status: 404 },
  { path: '/simulations/01JD0000000000000000000000', status: 200 },
  { path: '/simulations/a.b', status: 404 },
  { path: '/streams/siem', status: 200 },
  { path: '/streams/SIEM', status: 404 },
  { path: '/record', status: 200 },
  { path: '/record/verify', status: 404 },
  { path: '/users', status: 200 },
  { path: '/users/ann', status: 404 },
  { path: '/tokens', status: 200 },
  { path: '/activity', status: 200 },
  { path: '/account', status: 200 },
  { path: '/scheme.js', status: 200 },
  { path: '/assets/index-1.js', status: 200 },
  { path: '/assets/index-2.js', status: 404 },
  { path: '/assets/', status: 404 },
  { path: '/assets/index-1.js.br', status: 404 },
  { path: '/index.html', status: 404 },
  { path: '/THIRD-PARTY.txt', status: 404 },
  { path: '/elsewhere', status: 404 },
];

test('the page is served at its own routes and is no fallback elsewhere', async (t) => {
  await withConsole(BUILT, async (port) => {
    for (const { path, status } of PATHS) {
      await t.test(`${path} → ${status}`, async () => {
        const got = await get(port, path);
        assert.equal(got.status, status);
        if (status === 200 && !/\.js$/.test(path)) assert.equal(got.body.toString(), PAGE);
        if (status !== 200) assert.notEqual(got.body.toString(), PAGE);
      });
    }
  });
});

test('every answer of the console carries the policy, refusals too', async () => {
  await withConsole(BUILT, async (port) => {
    for (const path of ['/', '/assets/index-1.js', '/scheme.js', '/users/ann', '/users/%00']) {
      const { headers } = await get(port, path);
      assert.equal(headers['content-security-policy'], CONTENT_SECURITY_POLICY, path);
      assert.equal(headers['x-frame-options'], 'DENY', path);
      assert.equal(headers['referrer-policy'], 'no-referrer', path);
      assert.equal(headers['cross-origin-opener-policy'], 'same-origin', path);
      assert.equal(headers['x-content-type-options'], 'nosniff', path);
      assert.match(String(headers['permissions-policy']), /camera=\(\)/);
    }
  });
});

const ENCODINGS = [
  { accept: 'gzip, deflate, br', encoding: 'br', bytes: BUILT['assets/index-1.js.br'] },
  { accept: 'br;q=0, gzip;q=0.5', encoding: 'gzip', bytes: BUILT['assets/index-1.js.gz'] },
  { accept: 'gzip;q=0.0', encoding: undefined, bytes: SCRIPT },
  { accept: '', encoding: undefined, bytes: SCRIPT },
];

test('a file goes out in the smallest form that the client reads', async (t) => {
  await withConsole(BUILT, async (port) => {
    for (const { accept, encoding, bytes } of ENCODINGS) {
      await t.test(accept || '(none)', async () => {
        const got = await get(port, '/assets/index-1.js', { 'accept-encoding': accept });
        assert.equal(got.headers['content-encoding'], encoding);
        assert.equal(got.headers['vary'], 'accept-encoding');
        assert.deepEqual(got.body, Buffer.from(bytes));
      });
    }
  });
});

test('a form that the client holds is answered with 304, and each form has its own tag', async () => {
  await withConsole(BUILT, async (port) => {
    const path = '/assets/index-1.js';
    const plain = await get(port, path);
    const packed = await get(port, path, { 'accept-encoding': 'br' });
    const etag = String(packed.headers['etag']);
    assert.match(etag, /^"[0-9a-f]{32}"$/);
    assert.notEqual(etag, plain.headers['etag']);
    const ask = { 'accept-encoding': 'br', 'if-none-match': `"other", W/${etag}` };
    const held = await get(port, path, ask);
    assert.equal(held.status, 304);
    assert.equal(held.body.length, 0);
    assert.equal((await get(port, path, { 'if-none-match': etag })).status, 200);
  });
});

test('what has its hash in its name is kept for ever, and nothing else', async () => {
  await withConsole(BUILT, async (port) => {
    const asset = await get(port, '/assets/index-1.js');
    assert.equal(asset.headers['cache-control'], 'public, max-age=31536000, immutable');
    for (const path of ['/', '/scheme.js']) {
      assert.equal((await get(port, path)).headers['cache-control'], 'no-cache', path);
    }
    assert.equal((await get(port, '/users/ann')).headers['cache-control'], 'no-store');
  });
});

test('a page is read with GET and HEAD only', async () => {
  await withConsole(BUILT, async (port) => {
    const head = await get(port, '/', {}, 'HEAD');
    assert.equal(head.status, 200);
    assert.equal(head.headers['content-length'], String(PAGE.length));
    assert.equal(head.body.length, 0);
    const post = await get(port, '/sign-in', {}, 'POST');
    assert.equal(post.status, 405);
    assert.equal(post.headers['allow'], 'GET, HEAD');
  });
});

test('a console that was not built says so at its own routes', async () => {
  await withConsole({}, async (port) => {
    for (const path of ['/', '/decisions/01JD']) {
      const got = await get(port, path);
      assert.equal(got.status, 503);
      assert.match(got.body.toString(), /npm run build/);
      assert.equal(got.headers['content-security-policy'], CONTENT_SECURITY_POLICY);
    }
    assert.equal((await get(port, '/elsewhere')).status, 404);
  });
});
