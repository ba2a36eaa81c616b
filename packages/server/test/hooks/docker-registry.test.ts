import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { startDockerRegistry } from '../../../../test/docker-registry.ts';
import { requirePeer } from '../../../../test/peers.ts';
import { digestOf, manifestOf, OCI_MANIFEST } from '../gateway/client.ts';
import { asking, signAt } from '../reach/kit.ts';
import { openHooks, TOKEN } from './kit.ts';

/** What a registry sent, kept as it came until there is somebody to give it to. */
async function startRelay() {
  const sent: { readonly authorization: string; readonly body: string }[] = [];
  const server = createServer((request, response) => {
    buffer(request).then((body) => {
      sent.push({ authorization: request.headers.authorization ?? '', body: body.toString() });
      response.writeHead(202).end();
    }, assert.fail);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hooks/distribution`,
    sent,
    /** Resolves when something like this has come. */
    async until(text: RegExp) {
      while (!sent.some(({ body }) => text.test(body))) await sleep(20);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('what docker-registry sends of an image and its signature has admission hit the cache', {
  timeout: 60_000,
}, async (t) => {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return;
  await using relay = await startRelay();
  const notifies = { url: relay.url, authorization: `Bearer ${TOKEN}` };
  await using registry = await startDockerRegistry(program, { notifies });
  const image = `${registry.host}/team/app`;
  const target = await openStore(parseReference(image), { env: {}, homeFolder: '/dev/null' });
  for (const blob of ['{}', 'layer']) {
    const bytes = Buffer.from(blob);
    await target.putBlob({ digest: digestOf(blob), size: bytes.length }, bytes);
  }
  const bytes = Buffer.from(manifestOf({ layers: ['layer'] }));
  const digest = await target.putManifest({ bytes, mediaType: OCI_MANIFEST }, { tag: 'v1' });
  await signAt(`${image}:v1`, ['cosign-legacy', 'sigstore-bundle']);
  await relay.until(/"tag": *"v1"/);
  await relay.until(/\.sig"/);

  await using world = await openHooks({ connections: { [registry.host]: {} } }, ['prod'], registry);
  for (const { authorization, body } of relay.sent) {
    assert.equal((await world.send('distribution', body, { authorization })).status, 202);
  }
  await world.hooks.idle();
  assert.ok((world.counts.get('distribution taken') ?? 0) >= 2);
  assert.equal(world.counts.get('distribution foreign'), undefined);
  for (const reference of [`${image}:v1`, `${image}@${digest}`]) {
    const { decision, cache } = await world.ask(asking(reference, { namespace: 'prod' }));
    assert.deepEqual([decision.outcome, cache], ['admit', 'hit']);
  }
});
