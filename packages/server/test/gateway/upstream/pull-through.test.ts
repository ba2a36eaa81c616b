import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDockerRegistry } from '../../../../../test/docker-registry.ts';
import { requirePeer } from '../../../../../test/peers.ts';
import { type RegistryOptions, startRegistry } from '../../../src/registry.ts';
import {
  ask,
  digestOf,
  manifestOf,
  OCI_INDEX,
  OCI_MANIFEST,
  pushImage,
  putManifest,
} from '../client.ts';
import { as, decisionTable, OPEN_TABLE_ACCESS, tablePorts } from '../people.ts';
import { upstreamAt } from './kit.ts';

async function startGateway(host: string, options: RegistryOptions = {}) {
  return startRegistry(
    { storage: 'memory' },
    { ...options, config: { upstreams: [upstreamAt(host)], tagFreshnessMs: 0, ...options.config } },
  );
}

const up = (rest: string) => `/v2/up/app/${rest}`;

test('an image is pulled through, whole, and served without its upstream afterwards', async () => {
  const upstream = await startRegistry({ storage: 'memory' });
  const digest = await pushImage(upstream.url, 'app', 'v1', { layers: ['one', 'two'] });
  await using gateway = await startGateway(upstream.host);
  const { url } = gateway;
  for (let round = 0; round < 2; round++) {
    const byTag = await ask(url, { path: up('manifests/v1') });
    assert.equal(byTag.status, 200, byTag.body.toString());
    assert.equal(byTag.headers['docker-content-digest'], digest);
    for (const layer of ['{}', 'one', 'two']) {
      const head = await ask(url, { method: 'HEAD', path: up(`blobs/${digestOf(layer)}`) });
      assert.equal(head.status, 200);
      assert.equal(head.headers['content-length'], String(layer.length));
      const blob = await ask(url, { path: up(`blobs/${digestOf(layer)}`) });
      assert.equal(blob.body.toString(), layer);
    }
  }
  await upstream.close();
  assert.equal((await ask(url, { path: up(`manifests/${digest}`) })).status, 200);
  const blob = await ask(url, {
    path: up(`blobs/${digestOf('one')}`),
    headers: { range: 'bytes=1-' },
  });
  assert.equal(blob.status, 206);
  assert.equal(blob.body.toString(), 'ne');
  // A tag without its upstream is no answer, and not an old one either.
  const byTag = await ask(url, { path: up('manifests/v1') });
  assert.equal(byTag.status, 502);
  assert.equal(byTag.error, 'UNAVAILABLE');
});

test('what the upstream lacks is unknown, and a moved tag is seen', async () => {
  await using upstream = await startRegistry({ storage: 'memory' });
  await pushImage(upstream.url, 'app', 'v1', { layers: ['one'] });
  await using gateway = await startGateway(upstream.host);
  const { url } = gateway;
  assert.equal((await ask(url, { path: up('manifests/none') })).error, 'NAME_UNKNOWN');
  assert.equal((await ask(url, { path: up('manifests/v1') })).status, 200);
  assert.equal((await ask(url, { path: up('manifests/none') })).error, 'MANIFEST_UNKNOWN');
  assert.equal((await ask(url, { path: up(`manifests/${digestOf('x')}`) })).status, 404);
  assert.equal((await ask(url, { path: up(`blobs/${digestOf('x')}`) })).error, 'BLOB_UNKNOWN');
  const newer = await pushImage(upstream.url, 'app', 'v1', { layers: ['two'] });
  const moved = await ask(url, { path: up('manifests/v1') });
  assert.equal(moved.headers['docker-content-digest'], newer);
  await ask(upstream.url, { method: 'DELETE', path: '/v2/app/manifests/v1' });
  assert.equal((await ask(url, { path: up('manifests/v1') })).error, 'MANIFEST_UNKNOWN');
});

test('an answer about a tag is asked for again when it is older than allowed, once for all', async () => {
  await using upstream = await startRegistry({ storage: 'memory' });
  const first = await pushImage(upstream.url, 'app', 'v1', { layers: ['one'] });
  let now = Date.parse('2026-01-01T00:00:00Z');
  await using gateway = await startGateway(upstream.host, {
    clock: () => new Date(now),
    config: { upstreams: [upstreamAt(upstream.host)], tagFreshnessMs: 5_000 },
  });
  const digests = async () => {
    const all = Array.from({ length: 8 }, () => ask(gateway.url, { path: up('manifests/v1') }));
    return new Set((await Promise.all(all)).map(({ headers }) => headers['docker-content-digest']));
  };
  assert.deepEqual(await digests(), new Set([first]));
  const second = await pushImage(upstream.url, 'app', 'v1', { layers: ['two'] });
  now += 4_999;
  assert.deepEqual(await digests(), new Set([first]));
  now += 1;
  assert.deepEqual(await digests(), new Set([second]));
});

test('a push below a prefix is refused for what it is', async () => {
  await using upstream = await startRegistry({ storage: 'memory' });
  await using gateway = await startGateway(upstream.host);
  const { url } = gateway;
  const asks = [
    { method: 'POST', path: up('blobs/uploads/') },
    { method: 'PUT', path: up('manifests/v1'), body: manifestOf() },
    { method: 'DELETE', path: up('manifests/v1') },
    { method: 'DELETE', path: up(`blobs/${digestOf('x')}`) },
    { method: 'PATCH', path: up('blobs/uploads/00000000-0000-0000-0000-000000000000'), body: 'x' },
  ];
  for (const one of asks) {
    const answer = await ask(url, one);
    assert.equal(answer.status, 405);
    assert.equal(answer.error, 'UNSUPPORTED');
  }
  // Beside the prefix, this is a registry.
  await pushImage(url, 'uplink/app', 'v1');
  await pushImage(url, 'up', 'v1');
});

test('decisions are about the upstream’s canonical name, whatever the prefix', async () => {
  await using upstream = await startRegistry({ storage: 'memory' });
  const digest = await pushImage(upstream.url, 'app', 'v1', { layers: ['one'] });
  const table = decisionTable();
  await using gateway = await startGateway(upstream.host, {
    ports: tablePorts(table, OPEN_TABLE_ACCESS),
  });
  const { url } = gateway;
  const refused = await ask(url, { path: up('manifests/v1'), headers: as('nobody') });
  assert.equal(refused.status, 403);
  assert.equal(table.asks[0]?.repository, `${upstream.host}/app`);
  assert.equal(table.asks[0]?.source.name, `${upstream.host}/app`);
  assert.equal((await ask(url, { path: up(`blobs/${digestOf('one')}`) })).error, 'BLOB_UNKNOWN');
  table.admits.add(digest);
  assert.equal((await ask(url, { path: up('manifests/v1') })).status, 200);
  assert.equal((await ask(url, { path: up(`blobs/${digestOf('one')}`) })).body.toString(), 'one');
});

test('an upstream that is down is asked about with what the tag last led to', async () => {
  const upstream = await startRegistry({ storage: 'memory' });
  const digest = await pushImage(upstream.url, 'app', 'v1', { layers: ['one'] });
  const table = decisionTable();
  await using gateway = await startGateway(upstream.host, {
    ports: tablePorts(table, OPEN_TABLE_ACCESS),
  });
  const { url } = gateway;
  table.admits.add(digest);
  assert.equal((await ask(url, { path: up('manifests/v1') })).status, 200);
  await upstream.close();
  const known = await ask(url, { path: up('manifests/v1') });
  assert.equal(known.status, 200, 'the policies let the last known good stand');
  assert.equal(known.headers['docker-content-digest'], digest);
  const { resolved } = table.asks.at(-1) ?? {};
  assert.ok(resolved !== undefined && 'problem' in resolved);
  assert.equal(resolved.problem.code, 'upstream.unreachable');
  assert.equal(resolved.remembered, digest);
  table.admits.clear();
  const refused = await ask(url, { path: up('manifests/v1') });
  assert.equal(refused.status, 502, 'an outage is not called a refusal');
  assert.equal(refused.error, 'UNAVAILABLE');
  assert.equal(refused.headers['bulla-decision'], '01JDTESTTESTTESTTESTTESTTE');
});

test('tags, the catalogue and referrers of an upstream', async () => {
  await using upstream = await startRegistry({ storage: 'memory' });
  const subject = await pushImage(upstream.url, 'app', 'v1');
  const type = 'application/vnd.example.one';
  const one = await pushImage(upstream.url, 'app', 'b', { subject, artifactType: type });
  const two = await pushImage(upstream.url, 'app', 'a', { subject });
  await using gateway = await startGateway(upstream.host);
  const { url } = gateway;
  const json = async (path: string) => {
    const answer = await ask(url, { path });
    return { ...answer, value: JSON.parse(answer.body.toString()) as Record<string, unknown> };
  };
  const found = async (query: string) => {
    const { value, headers } = await json(up(`referrers/${subject}${query}`));
    const digests = (value['manifests'] as { digest: string }[]).map(({ digest }) => digest);
    return { digests, link: headers['link'] };
  };
  assert.deepEqual((await found('')).digests, [one, two].toSorted());
  assert.deepEqual((await found(`?artifactType=${type}`)).digests, [one]);
  const page = await found('?n=1');
  assert.equal(page.digests.length, 1);
  assert.match(page.link ?? '', /^<\/v2\/up\/app\/referrers\//);
  assert.deepEqual((await json(up('tags/list'))).value, { name: 'up/app', tags: ['a', 'b', 'v1'] });
  assert.deepEqual((await json(up('tags/list?n=1&last=a'))).value['tags'], ['b']);
  assert.deepEqual((await json('/v2/_catalog')).value, { repositories: [] });
  await ask(url, { path: up('manifests/v1') });
  assert.deepEqual((await json('/v2/_catalog')).value, { repositories: ['up/app'] });
});

test('referrers are answered for Debian’s docker-registry, which has no API for them', async (t) => {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return;
  await using upstream = await startDockerRegistry(program);
  const url = `http://${upstream.host}`;
  const subject = await pushDocker(url, 'app', 'v1', manifestOf({ layers: ['one'] }));
  const signature = manifestOf({ subject, artifactType: 'application/vnd.example.sig' });
  const digest = await pushDocker(url, 'app', digestOf(signature), signature);
  const list = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [{ mediaType: OCI_MANIFEST, digest, size: signature.length }],
  });
  const tag = subject.replace(':', '-');
  await putManifest(url, 'app', tag, list, { 'content-type': OCI_INDEX });
  await using gateway = await startGateway(upstream.host);
  const answer = await ask(gateway.url, { path: up(`referrers/${subject}`) });
  assert.equal(answer.status, 200);
  assert.ok(answer.body.includes(digest));
  assert.equal((await ask(gateway.url, { path: up('manifests/v1') })).status, 200);
  const blob = await ask(gateway.url, { path: up(`blobs/${digestOf('one')}`) });
  assert.equal(blob.body.toString(), 'one');
});

/** docker-registry takes no blob in one POST: begin, then PUT. */
async function pushDocker(url: string, repository: string, reference: string, body: string) {
  for (const blob of ['{}', 'one']) {
    const begun = await ask(url, { method: 'POST', path: `/v2/${repository}/blobs/uploads/` });
    const location = new URL(begun.headers['location'] ?? '', url);
    location.searchParams.set('digest', digestOf(blob));
    const path = `${location.pathname}${location.search}`;
    const headers = { 'content-type': 'application/octet-stream' };
    assert.equal((await ask(url, { method: 'PUT', path, body: blob, headers })).status, 201);
  }
  assert.equal((await putManifest(url, repository, reference, body)).status, 201);
  return digestOf(body);
}
