import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ask,
  digestOf,
  KINDS,
  OCI_INDEX,
  OCI_MANIFEST,
  pushBlob,
  pushImage,
  putManifest,
} from './client.ts';

const CONFIG = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';
const image = (more: object) =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: CONFIG,
    layers: [],
    ...more,
  });

const PUSHES: readonly {
  readonly name: string;
  readonly type?: string;
  readonly body: string;
  readonly status: number;
  readonly error?: string;
  readonly served?: string;
}[] = [
  { name: 'an image', body: image({}), status: 201, served: OCI_MANIFEST },
  { name: 'unknown members', body: image({ extra: { a: [1] } }), status: 201 },
  {
    name: 'a Docker image',
    type: DOCKER,
    body: image({ mediaType: DOCKER }),
    status: 201,
    served: DOCKER,
  },
  {
    name: 'a Docker list',
    type: DOCKER_LIST,
    body: JSON.stringify({ schemaVersion: 2, mediaType: DOCKER_LIST, manifests: [] }),
    status: 201,
    served: DOCKER_LIST,
  },
  {
    name: 'an index without a mediaType',
    type: OCI_INDEX,
    body: '{"schemaVersion":2,"manifests":[]}',
    status: 201,
    served: OCI_INDEX,
  },
  {
    name: 'a layer that lies elsewhere',
    body: image({
      layers: [
        {
          mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar',
          digest: digestOf('far'),
          size: 3,
          urls: ['https://example.test/far'],
        },
      ],
    }),
    status: 201,
  },
  {
    name: 'an index that names a blob',
    type: OCI_INDEX,
    body: JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [CONFIG] }),
    status: 201,
  },
  {
    name: 'an index of a missing child',
    type: OCI_INDEX,
    body: JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ mediaType: OCI_MANIFEST, digest: digestOf('child'), size: 1 }],
    }),
    status: 404,
    error: 'MANIFEST_BLOB_UNKNOWN',
  },
  { name: 'nothing', body: '', status: 400, error: 'MANIFEST_INVALID' },
  {
    name: 'no JSON',
    body: '<html><script>alert(1)</script>',
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  { name: 'no object', body: '[]', status: 400, error: 'MANIFEST_INVALID' },
  { name: 'bytes after the end', body: `${image({})}x`, status: 400, error: 'MANIFEST_INVALID' },
  {
    name: 'a key twice',
    body: '{"schemaVersion":2,"layers":[],"layers":[]}',
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  {
    name: 'too deep',
    body: `{"a":${'['.repeat(100)}${']'.repeat(100)}}`,
    status: 413,
    error: 'MANIFEST_INVALID',
  },
  {
    name: 'schema 1',
    type: 'application/vnd.docker.distribution.manifest.v1+json',
    body: '{"schemaVersion":1}',
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  {
    name: 'another schemaVersion',
    body: image({ schemaVersion: 1 }),
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  {
    name: 'a type that is no manifest',
    type: 'text/html',
    body: image({ mediaType: 'text/html' }),
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  {
    name: 'HTML by the header alone',
    type: 'text/html',
    body: image({ mediaType: undefined }),
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  {
    name: 'an image that is an index too',
    body: image({ manifests: [] }),
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  { name: 'no config', body: image({ config: undefined }), status: 400, error: 'MANIFEST_INVALID' },
  {
    name: 'a digest that is none',
    body: image({ config: { ...CONFIG, digest: '../../x' } }),
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  {
    name: 'a negative size',
    body: image({ config: { ...CONFIG, size: -1 } }),
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  {
    name: 'a subject without a digest',
    body: image({ subject: {} }),
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  {
    name: 'annotations that are no strings',
    body: image({ annotations: { a: 1 } }),
    status: 400,
    error: 'MANIFEST_INVALID',
  },
  {
    name: 'a Content-Type that is none',
    type: 'text/html\u00e9<x>',
    body: image({ n: 1 }),
    status: 400,
    error: 'UNSUPPORTED',
  },
  {
    name: 'a Content-Type of nothing but a parameter',
    type: ';charset=x',
    body: image({ n: 2 }),
    status: 400,
    error: 'UNSUPPORTED',
  },
];

for (const { kind, start } of KINDS) {
  test(`${kind}: what may be pushed as a manifest`, async (context) => {
    await using registry = await start();
    const { url } = registry;
    await pushBlob(url, 'app', '{}');
    for (const { name, type = OCI_MANIFEST, body, status, error, served } of PUSHES) {
      await context.test(name, async () => {
        const answer = await putManifest(url, 'app', 'tag', body, { 'content-type': type });
        assert.equal(answer.status, status, answer.body.toString());
        assert.equal(answer.error, error);
        const found = await ask(url, { path: `/v2/app/manifests/${digestOf(body)}` });
        assert.equal(found.status, status === 201 ? 200 : 404);
        assert.doesNotMatch(found.headers['content-type'] ?? '', /html/);
        if (served !== undefined) assert.equal(found.headers['content-type'], served);
      });
    }
  });

  test(`${kind}: 4 MiB are accepted, one byte more is not`, async () => {
    await using registry = await start();
    const { url } = registry;
    await pushBlob(url, 'app', '{}');
    const most = 4 << 20;
    const pad = (size: number) => {
      const empty = image({ annotations: { a: '' } });
      return image({ annotations: { a: 'x'.repeat(size - empty.length) } });
    };
    assert.equal((await putManifest(url, 'app', 'big', pad(most))).status, 201);
    const found = await ask(url, { path: '/v2/app/manifests/big' });
    assert.equal(found.body.length, most);
    const over = pad(most + 1);
    const path = '/v2/app/manifests/over';
    for (const chunked of [false, true]) {
      const headers = { 'content-type': OCI_MANIFEST };
      const answer = await ask(url, { method: 'PUT', path, body: over, chunked, headers });
      assert.equal(answer.status, 413);
      assert.equal(answer.error, 'SIZE_INVALID');
    }
  });

  test(`${kind}: If-Match and If-None-Match on a push by tag`, async (context) => {
    await using registry = await start();
    const { url } = registry;
    const first = await pushImage(url, 'app', 'tag');
    const next = (n: number) => image({ annotations: { n: String(n) } });
    const tag = (digest: string) => `"${digest}"`;
    const current = async () =>
      (await ask(url, { path: '/v2/app/manifests/tag' })).headers['docker-content-digest'];
    const cases = [
      { name: 'the current one', body: next(1), headers: { 'if-match': tag(first) }, status: 201 },
      { name: 'an old one', body: next(2), headers: { 'if-match': tag(first) }, status: 412 },
      {
        name: 'one of several',
        body: next(3),
        headers: { 'if-match': `${tag(first)}, ${tag(digestOf(next(1)))}` },
        status: 201,
      },
      {
        name: 'a weak one',
        body: next(4),
        headers: { 'if-match': `W/${tag(digestOf(next(3)))}` },
        status: 412,
      },
      { name: 'any', body: next(5), headers: { 'if-match': '*' }, status: 201 },
      { name: 'garbage', body: next(6), headers: { 'if-match': 'x' }, status: 412 },
      { name: 'none', body: next(7), headers: { 'if-none-match': '*' }, status: 412 },
      {
        name: 'none of another',
        body: next(8),
        headers: { 'if-none-match': tag(first) },
        status: 201,
      },
    ];
    for (const { name, body, headers, status } of cases) {
      await context.test(name, async () => {
        const before = await current();
        const answer = await putManifest(url, 'app', 'tag', body, headers);
        assert.equal(answer.status, status, answer.body.toString());
        assert.equal(await current(), status === 201 ? digestOf(body) : before);
      });
    }
    await context.test('a tag that is not there yet', async () => {
      const there = await putManifest(url, 'app', 'new', next(9), { 'if-match': '*' });
      assert.equal(there.status, 412);
      const fresh = await putManifest(url, 'app', 'new', next(9), { 'if-none-match': '*' });
      assert.equal(fresh.status, 201);
    });
  });

  test(`${kind}: of many conditional pushes at once one wins`, async () => {
    await using registry = await start();
    const { url } = registry;
    const first = await pushImage(url, 'app', 'tag');
    const bodies = Array.from({ length: 10 }, (_, n) => image({ annotations: { n: String(n) } }));
    const condition = { 'if-match': `"${first}"` };
    const answers = await Promise.all(
      bodies.map((body) => putManifest(url, 'app', 'tag', body, condition)),
    );
    const statuses = answers.map(({ status }) => status).toSorted();
    assert.deepEqual(statuses, [201, ...Array.from({ length: 9 }, () => 412)]);
  });
}
