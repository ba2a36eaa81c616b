import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { publicKeyPem } from '@bulla/trust/crypto/public-key';
import { parseConfig } from '../../src/config/parse.ts';
import { createLog } from '../../src/http/log.ts';
import { startServer } from '../../src/main.ts';
import { startRegistry } from '../../src/registry.ts';
import { ask, pushImage } from '../gateway/client.ts';
import { zotStructured } from '../hooks/events.ts';
import { startFront } from '../reach/front.ts';
import { KEY, signAt } from '../reach/kit.ts';

const TOKEN = 'a-token-that-is-long-enough';

/** A whole server by its configuration's own text. */
async function openServer(more: string) {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'bulla-hooks-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'k.pub'), publicKeyPem(KEY.publicKey));
  const policy = `apiVersion: bulla.dev/v1
kind: TrustPolicy
metadata: { name: prod }
spec:
  images: [{ glob: "**" }]
  authorities: { release: { key: { ref: k.pub } } }
  require: { signed: { of: [release] } }
`;
  await writeFile(join(folder, 'policy.yaml'), policy);
  const text = `data: data
listen: [{ url: "http://127.0.0.1:0" }]
policies: [policy.yaml]
${more}`;
  const { config, problems } = parseConfig(Buffer.from(text), join(folder, 'bulla.yaml'), {
    HOOK: TOKEN,
  });
  assert.ok(config !== null, JSON.stringify(problems));
  const options = {
    version: '0',
    log: createLog('silent'),
    consoleFolders: [],
    starterPolicy: null,
  };
  const server = opened.use(await startServer(config, options));
  const life = opened.move();
  const [origin = ''] = server.addresses;
  return { origin, [Symbol.asyncDispose]: () => life.disposeAsync() };
}

test('a server takes the push events that its configuration names, and counts them', {
  timeout: 30_000,
}, async () => {
  await using registry = await startRegistry({ storage: 'memory' });
  await using front = await startFront(registry.host);
  const digest = await pushImage(registry.url, 'team/app', 'v1', { layers: ['signed'] });
  await signAt(`${registry.host}/team/app:v1`, ['sigstore-bundle']);
  await using server = await openServer(`
registries: [{ host: "${front.host}", plainHttp: true, privateAddresses: true }]
hooks: { senders: [{ kind: zot, registry: "${front.host}", tokenEnv: HOOK }], namespaces: [prod] }
`);
  const pushed = { registry: front.host, repository: 'team/app', tag: 'v1', digest };
  const send = (path: string, authorization: string) =>
    ask(server.origin, {
      method: 'POST',
      path,
      headers: { authorization },
      body: JSON.stringify(zotStructured(pushed)),
    });
  assert.equal((await send('/hooks/zot', 'Bearer wrong')).status, 401);
  assert.equal((await send('/hooks/harbor', `Bearer ${TOKEN}`)).status, 401);
  assert.deepEqual(front.asked, []);
  assert.equal((await send('/hooks/zot', `Bearer ${TOKEN}`)).status, 202);
  const metrics = async () => (await ask(server.origin, { path: '/metrics' })).body.toString();
  const counted = /bulla_decisions_total\{[^}]*outcome="admit"[^}]*surface="admission"[^}]*\} 2/;
  while (!counted.test(await metrics())) await new Promise((resolve) => setImmediate(resolve));
  assert.match(await metrics(), /bulla_hook_events_total\{sender="zot",outcome="taken"\} 1/);
  assert.match(
    await metrics(),
    /bulla_hook_events_total\{sender="zot",outcome="unauthenticated"\} 1/,
  );
});

test('without senders there is no door', async () => {
  await using server = await openServer('');
  const { status } = await ask(server.origin, { method: 'POST', path: '/hooks/zot', body: '{}' });
  assert.equal(status, 404);
});
