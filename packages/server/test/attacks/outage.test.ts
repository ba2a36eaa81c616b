import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import type { UpstreamEntry } from '../../src/config/config.ts';
import { type Registry, startRegistry } from '../../src/registry.ts';
import { digestOf, manifestOf, pushImage, putManifest } from '../gateway/client.ts';
import { startLiar } from '../gateway/upstream/kit.ts';
import { openFortress, sign } from './fortress.ts';

// Whoever holds an upstream can also let it hang, at a moment of their choice.

function entryOf(registry: string): UpstreamEntry {
  return {
    prefix: 'up',
    registry,
    credentials: null,
    users: 'anyone',
    plainHttp: true,
    privateAddresses: true,
    ownHosts: [],
    ca: null,
    timeoutMs: 1000,
  };
}

/** The registry, by an address at which it can be made to say that it is out of order. */
async function openDoor(registry: Registry) {
  const state = { isDown: false };
  const { port } = new URL(registry.url);
  const liar = await startLiar((asked, response) => {
    if (state.isDown) {
      response.writeHead(503).end();
      return;
    }
    const { method, url: path, headers } = asked;
    asked.pipe(
      request({ port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  return { ...liar, state };
}

const BY_RELEASE = `
  images: [{ glob: "**" }]
  authorities: { release: { key: { ref: KEY } } }
  require: { signed: { of: [release] } }`;

test('an older digest that came back under a tag is no last known good', async () => {
  await using upstream = await startRegistry({ storage: 'memory' });
  await using door = await openDoor(upstream);
  await using fortress = await openFortress({
    spec: `${BY_RELEASE}\n  rollback: refuse\n  onInconclusive: { lastKnownGood: { maxAge: 1h } }`,
    gateway: { upstreams: [entryOf(door.host)], tagFreshnessMs: 0 },
  });
  const pull = (tag: string) => fortress.pull('up/app', tag);
  for (const [tag, layer] of [
    ['v1', 'old'],
    ['v1', 'new'],
    ['v2', 'other'],
  ] as const) {
    await pushImage(upstream.url, 'app', tag, { layers: [layer] });
    await sign(door.host, `app:${tag}`, fortress.key);
    assert.equal((await pull(tag)).status, 200);
  }
  const old = manifestOf({ layers: ['old'] });
  await putManifest(upstream.url, 'app', 'v1', old);
  assert.match((await pull('v1')).body.toString(), /tag\.rollback/);
  door.state.isDown = true;
  assert.equal((await pull('v2')).status, 200, 'what did not go back is a last known good');
  const answer = await pull('v1');
  assert.equal(answer.status, 502);
  assert.notEqual(answer.headers['docker-content-digest'], digestOf(old));
});

test('what an upstream in an outage cannot say is told as that, also where nothing is enforced', async () => {
  await using upstream = await startRegistry({ storage: 'memory' });
  await using door = await openDoor(upstream);
  await using fortress = await openFortress({
    spec: `${BY_RELEASE}\n  mode: audit`,
    gateway: { upstreams: [entryOf(door.host)], tagFreshnessMs: 0 },
  });
  await pushImage(upstream.url, 'app', 'v1', { layers: ['layer'] });
  assert.equal((await fortress.pull('up/app', 'v1')).status, 200);
  door.state.isDown = true;
  const answer = await fortress.pull('up/app', 'v1');
  assert.equal(answer.status, 502, answer.body.toString());
  assert.equal(answer.error, 'UNAVAILABLE');
});
