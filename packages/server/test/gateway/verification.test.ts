import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { startRegistry } from '../../src/registry.ts';
import {
  ask,
  digestOf,
  manifestOf,
  OCI_INDEX,
  OCI_MANIFEST,
  pushBlob,
  putManifest,
} from './client.ts';
import {
  as,
  type DecisionTable,
  decisionTable,
  person,
  tableAccess,
  tablePorts,
} from './people.ts';

const LAYER = 'the layer';
const IMAGE = manifestOf({ layers: [LAYER] });
const DIGEST = digestOf(IMAGE);
const OTHER = manifestOf({ layers: [LAYER], annotations: { other: 'yes' } });
const INDEX = JSON.stringify({
  schemaVersion: 2,
  mediaType: OCI_INDEX,
  manifests: [
    {
      mediaType: OCI_MANIFEST,
      digest: DIGEST,
      size: IMAGE.length,
      platform: { os: 'linux', architecture: 'amd64' },
    },
  ],
});
const PAYLOAD = '{"critical":{}}';
const SIGNATURE = JSON.stringify({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 },
  layers: [
    {
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      digest: digestOf(PAYLOAD),
      size: PAYLOAD.length,
    },
  ],
});
const PULL = { repository: '**', actions: ['pull'] } as const;
const PEOPLE = [
  person('nobody', PULL),
  person('reader', PULL),
  person('pusher', { repository: 'app', actions: ['pull', 'push', 'delete'] }),
  person('signer', { repository: 'app', actions: ['pull', 'sign'] }),
  person('elsewhere', PULL, { repository: 'other', actions: ['push', 'sign'] }),
];

async function openRegistry(table: DecisionTable) {
  const ports = tablePorts(table, tableAccess(PEOPLE));
  const registry = await startRegistry(
    { storage: 'memory' },
    { ports, config: { registry: 'Registry.Example:443' } },
  );
  const { url } = registry;
  const headers = as('pusher');
  for (const blob of ['{}', LAYER, PAYLOAD]) {
    const path = `/v2/app/blobs/uploads/?digest=${digestOf(blob)}`;
    assert.equal((await ask(url, { method: 'POST', path, headers, body: blob })).status, 201);
  }
  const push = (tag: string, body: string, type = OCI_MANIFEST) =>
    putManifest(url, 'app', tag, body, { ...headers, 'content-type': type });
  assert.equal((await push('v1', IMAGE)).status, 201);
  assert.equal((await push('sig', SIGNATURE)).status, 201);
  assert.equal((await push('multi', INDEX, OCI_INDEX)).status, 201);
  return { ...registry, push };
}

const manifest = (reference: string) => `/v2/app/manifests/${reference}`;
const get = (url: string, path: string, who = 'reader', method = 'GET') =>
  ask(url, { path, method, headers: as(who) });

test('nothing of a manifest that is refused is served, whoever asks and however', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  for (const reference of ['v1', DIGEST, 'multi', digestOf(INDEX)]) {
    for (const method of ['GET', 'HEAD']) {
      // Who may push may not pull unverified either; a scope for another repository is none here.
      for (const who of ['nobody', 'reader', 'pusher', 'elsewhere']) {
        const answer = await get(registry.url, manifest(reference), who, method);
        // To a push that looks whether it is needed, it is absent.
        const status = who === 'pusher' && method === 'HEAD' ? 404 : 403;
        assert.equal(answer.status, status, `${method} ${reference} ${who}`);
        assert.equal(answer.headers['docker-content-digest'], undefined);
        assert.equal(answer.headers['etag'], undefined);
        assert.equal(answer.headers['bulla-decision'], '01JDTESTTESTTESTTESTTESTTE');
        if (method === 'GET') assert.equal(answer.error, 'DENIED');
      }
    }
  }
  // Nor to a conditional request.
  const headers = { ...as('reader'), 'if-none-match': `"${DIGEST}"` };
  assert.equal((await ask(registry.url, { path: manifest('v1'), headers })).status, 403);
});

test('an admitted manifest is served, and the very bytes that were decided about', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  table.admits.add(DIGEST);
  for (const reference of ['v1', DIGEST]) {
    const answer = await get(registry.url, manifest(reference));
    assert.equal(answer.status, 200);
    assert.equal(answer.body.toString(), IMAGE);
    assert.equal(answer.headers['docker-content-digest'], DIGEST);
    assert.equal(answer.headers['bulla-decision'], '01JDTESTTESTTESTTESTTESTTE');
  }
  const [byTag, byDigest] = table.asks.slice(-2);
  assert.deepEqual(byTag?.resolved, { digest: DIGEST });
  assert.equal(byTag?.tag, 'v1');
  // Semantics 7: the canonical name, never the text as typed.
  assert.equal(byTag?.repository, 'registry.example/app');
  assert.equal(byDigest?.tag, null);
  assert.deepEqual(byDigest?.parents, [digestOf(INDEX)]);
  assert.equal(byDigest?.actor.name, 'reader');
});

test('the right is asked for before the decision', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  const asks = table.asks.length;
  assert.equal((await get(registry.url, manifest('v1'), 'unknown')).status, 401);
  assert.equal(table.asks.length, asks);
});

test('a child is admitted through the index that lists it', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  table.admits.add(digestOf(INDEX));
  assert.equal((await get(registry.url, manifest('multi'))).status, 200);
  assert.equal((await get(registry.url, manifest(DIGEST))).status, 200);
  // By its tag it is what the tag names, not a part of the index.
  assert.equal((await get(registry.url, manifest('v1'))).status, 403);
  assert.equal((await registry.push('v2', OTHER)).status, 201);
  assert.equal((await get(registry.url, manifest(digestOf(OTHER)))).status, 403);
  // Without its index it stands alone again.
  const gone = await get(registry.url, manifest(digestOf(INDEX)), 'pusher', 'DELETE');
  assert.equal(gone.status, 202);
  assert.equal((await get(registry.url, manifest(DIGEST))).status, 403);
});

test('signature material is served without a decision, by its content and not by its tag', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  for (const reference of ['sig', digestOf(SIGNATURE)]) {
    assert.equal((await get(registry.url, manifest(reference))).status, 200);
  }
  assert.equal(table.asks.length, 0);
  const companion = `${DIGEST.replace(':', '-')}.sig`;
  assert.equal((await registry.push(companion, IMAGE)).status, 201);
  assert.equal((await get(registry.url, manifest(companion))).status, 403);
});

test('a list of signatures is served, also an empty one; a list with an image in it is not', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  const list = (...all: readonly string[]) =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: all.map((text) => ({
        mediaType: OCI_MANIFEST,
        digest: digestOf(text),
        size: text.length,
      })),
    });
  const tag = DIGEST.replace(':', '-');
  for (const [body, status] of [
    [list(SIGNATURE), 200],
    [list(), 200],
    [list(SIGNATURE, OTHER), 403],
  ] as const) {
    await registry.push('other', OTHER);
    assert.equal((await registry.push(tag, body, OCI_INDEX)).status, 201);
    assert.equal((await get(registry.url, manifest(tag))).status, status);
  }
});

test('the scope sign reads what is not verified, in its repository, and each read is noted', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  const read = await get(registry.url, manifest('v1'), 'signer');
  assert.equal(read.status, 200);
  assert.equal((await get(registry.url, manifest(DIGEST), 'signer', 'HEAD')).status, 200);
  assert.deepEqual(
    table.signReads.map(({ actor, repository, tag, digest }) => [
      actor.name,
      repository,
      tag,
      digest,
    ]),
    [
      ['signer', 'registry.example/app', 'v1', DIGEST],
      ['signer', 'registry.example/app', null, DIGEST],
    ],
  );
  assert.equal(table.asks.length, 0);
  // Blobs are another matter (semantics 15).
  const blob = await get(registry.url, `/v2/app/blobs/${digestOf(LAYER)}`, 'signer');
  assert.equal(blob.error, 'BLOB_UNKNOWN');
});

test('a refusal says policy, clause and decision in at most 200 printable characters', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  const { body } = await get(registry.url, manifest('v1'));
  const [{ message, detail }] = (
    JSON.parse(body.toString()) as { errors: [{ message: string; detail: object }] }
  ).errors;
  assert.match(message, /^[\x20-\x7e]{1,200}$/);
  assert.match(message, /policy prod: policy\.signed: .*\(decision 01JDTESTTESTTESTTESTTESTTE\)$/);
  assert.deepEqual(
    { ...detail, remedy: '' },
    {
      code: 'signature.none',
      check: 'policy.signed',
      decision: '01JDTESTTESTTESTTESTTESTTE',
      policy: 'prod',
      remedy: '',
    },
  );
});

test('warnings go out as Warning headers', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  table.admits.add(DIGEST);
  table.warnings.set(DIGEST, ['policy "qa" is not satisfied\r\nX: y', 'naïve']);
  const { headers, status } = await get(registry.url, manifest('v1'));
  assert.equal(status, 200);
  assert.equal(headers['warning'], '299 - "policy \\"qa\\" is not satisfied X: y", 299 - "na?ve"');
  assert.equal(headers['x'], undefined);
});

test('a decision that cannot be recorded serves nothing', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  table.admits.add(DIGEST);
  table.fault = new TrustFault('record.unavailable', 'no room at /secret/path');
  const answer = await get(registry.url, manifest('v1'));
  assert.equal(answer.status, 503);
  assert.equal(answer.error, 'UNAVAILABLE');
  assert.ok(!answer.body.includes('/secret'));
});

test('a push ends the refusals of its repository', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  table.forgotten.length = 0;
  await registry.push('v9', OTHER);
  assert.deepEqual(table.forgotten, ['registry.example/app']);
});

test('blobs are served through what is admitted, as material, or to whoever uploaded them', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  const { url } = registry;
  const layer = `/v2/app/blobs/${digestOf(LAYER)}`;
  for (const method of ['GET', 'HEAD']) {
    const refused = await get(url, layer, 'reader', method);
    const absent = await get(url, `/v2/app/blobs/${digestOf('nowhere')}`, 'reader', method);
    assert.equal(refused.status, 404);
    assert.deepEqual([refused.status, refused.error], [absent.status, absent.error]);
  }
  assert.equal((await get(url, `/v2/app/blobs/${digestOf(PAYLOAD)}`)).status, 200, 'material');
  assert.equal((await get(url, layer, 'pusher')).status, 200, 'uploader');
  assert.equal((await get(url, layer, 'pusher', 'HEAD')).status, 200);
  table.admits.add(DIGEST);
  const served = await get(url, layer);
  assert.equal(served.status, 200);
  assert.equal(served.body.toString(), LAYER);
  assert.equal(served.headers['content-security-policy'], 'sandbox');
  // The right to push elsewhere tells nothing here, and an admission ends for blobs as well.
  table.admits.delete(DIGEST);
  assert.equal((await get(url, layer, 'elsewhere', 'HEAD')).status, 404);
  assert.equal((await get(url, layer)).status, 404);
});

test('who may push learns of a blob of that very repository that it is there, and no byte of it', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  const { url } = registry;
  const mounted = await ask(url, {
    method: 'POST',
    path: `/v2/other/blobs/uploads/?mount=${digestOf(LAYER)}&from=app`,
    headers: as('elsewhere'),
  });
  assert.equal(mounted.status, 201);
  const there = `/v2/other/blobs/${digestOf(LAYER)}`;
  assert.equal((await get(url, there, 'elsewhere', 'HEAD')).status, 200);
  // Who mounts did not show the bytes, so they are not theirs to read.
  assert.equal((await get(url, there, 'elsewhere')).status, 404);
});

test('who mounts what they uploaded is its uploader there as well, and nobody else is', async () => {
  const everywhere = person('everywhere', { repository: '**', actions: ['pull', 'push'] });
  const access = tableAccess([...PEOPLE, everywhere]);
  const ports = tablePorts(decisionTable(), access);
  await using registry = await startRegistry({ storage: 'memory' }, { ports });
  const { url } = registry;
  const headers = as('everywhere');
  const post = (path: string, body?: string) =>
    ask(url, { method: 'POST', path, headers, ...(body === undefined ? {} : { body }) });
  const digest = digestOf(LAYER);
  assert.equal((await post(`/v2/a/blobs/uploads/?digest=${digest}`, LAYER)).status, 201);
  for (const [repository, from] of [
    ['b', '&from=a'],
    ['c', '&from=b'],
    ['d', ''],
  ]) {
    const path = `/v2/${repository}/blobs/uploads/?mount=${digest}${from}`;
    assert.equal((await post(path)).status, 201);
    const blob = `/v2/${repository}/blobs/${digest}`;
    assert.equal((await get(url, blob, 'everywhere')).body.toString(), LAYER);
    assert.equal((await get(url, blob, 'reader')).status, 404);
  }
});

test('what an anonymous caller uploaded is nobody’s', async () => {
  const table = decisionTable();
  const everybody = person('nobody', { repository: '**', actions: ['pull', 'push'] });
  const ports = tablePorts(table, tableAccess([everybody]));
  await using registry = await startRegistry({ storage: 'memory' }, { ports });
  await pushBlob(registry.url, 'app', LAYER);
  const answer = await get(registry.url, `/v2/app/blobs/${digestOf(LAYER)}`, 'nobody');
  assert.equal(answer.status, 404);
});

test('a layer of many images is served after any of them that is admitted was pulled', async () => {
  const table = decisionTable();
  await using registry = await openRegistry(table);
  table.admits.add(DIGEST);
  for (let n = 0; n < 80; n++) {
    const body = manifestOf({ layers: [LAYER], annotations: { n: String(n) } });
    assert.equal((await registry.push(`n${n}`, body)).status, 201);
  }
  const layer = `/v2/app/blobs/${digestOf(LAYER)}`;
  assert.equal((await get(registry.url, manifest(DIGEST))).status, 200);
  const before = table.asks.length;
  assert.equal((await get(registry.url, layer)).status, 200);
  assert.equal(table.asks.length, before + 1, 'one decision, not one for each image');
});
