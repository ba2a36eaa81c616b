import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pushImage } from '../../../../demo/image.ts';
import { openRepository } from '../../../../journeys/artifact.ts';
import { defaultConfig } from '../../src/config/parse.ts';
import { createLog } from '../../src/http/log.ts';
import { type Server, startServer } from '../../src/main.ts';
import { HOUR_MS, policyText } from './house.ts';

const KEY = new URL('../../../../vectors/cosign/keys/p256.pub', import.meta.url);

/** The first owner's token, for everything. */
async function ownerToken(server: Server, origin: string): Promise<string> {
  const link = server.firstStart?.link.secret;
  const headers = { 'content-type': 'application/json', origin };
  const post = (path: string, body: object, more: object = {}) =>
    fetch(`${origin}/api/bulla/v1${path}`, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: JSON.stringify(body),
    });
  const signedIn = await post('/session/link', {
    link,
    name: 'ann',
    password: 'correct horse battery',
  });
  assert.equal(signedIn.status, 200, await signedIn.text());
  const cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const permissions = ['policies.manage', 'policies.read', 'decisions.read'];
  const made = await post('/tokens', { name: 'ops', permissions, repositories: [] }, { cookie });
  const { secret } = Object(await made.json());
  return String(secret);
}

test('what a gateway let through with a warning it refuses from the cut-over on, until that is taken back', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'bulla-cut-over-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(KEY, join(folder, 'p256.pub'));
  await writeFile(join(folder, 'prod.yaml'), policyText('warn'));
  let aheadMs = 0;
  const usual = defaultConfig(folder);
  await using server = await startServer(
    {
      ...usual,
      data: join(folder, 'data'),
      listen: [{ url: 'http://127.0.0.1:0', tls: null }],
      policies: [join(folder, 'prod.yaml')],
    },
    {
      ...{ version: '0', log: createLog('silent'), consoleFolders: [], starterPolicy: null },
      clocks: {
        clock: () => new Date(Date.now() + aheadMs),
        now: () => performance.now() + aheadMs,
      },
    },
  );
  const [origin = ''] = server.addresses;
  const host = new URL(origin).host;
  const push = server.firstStart?.pushToken.secret ?? '';
  await pushImage(await openRepository(`${host}/app`, push), 'v1', 'v1');
  const pull = async () => {
    const answer = await fetch(`${origin}/v2/app/manifests/v1`, {
      headers: {
        accept: 'application/vnd.oci.image.manifest.v1+json',
        authorization: `Basic ${btoa(`token:${push}`)}`,
      },
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  const token = await ownerToken(server, origin);
  const step = async (path: string, body: object) => {
    const answer = await fetch(`${origin}/api/bulla/v1/rollouts${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, text);
  };
  await step('', { policy: 'prod', owner: 'platform', windowMs: HOUR_MS });
  assert.equal(await pull(), 200);
  aheadMs += 2 * HOUR_MS;
  assert.equal(await pull(), 200);
  const registry = server.registry;
  const accept = [`${registry}/app`];
  await step('/prod/cut-over', { accept, reason: 'it is to be signed first', quietMs: HOUR_MS });
  // The answer of a moment ago was the warning's: it is not given again.
  assert.equal(await pull(), 403);
  const policies = await fetch(`${origin}/api/bulla/v1/policies`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { policies: shown, warnings } = Object(await policies.json());
  assert.deepEqual([shown[0].mode, shown[0].fileMode], ['enforce', 'warn']);
  assert.ok(warnings.some((warning: string) => warning.includes('set mode: enforce in')));
  await step('/prod/back', { reason: 'it was too early' });
  assert.equal(await pull(), 200);
});
