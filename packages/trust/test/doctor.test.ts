import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { startDockerRegistry } from '../../../test/docker-registry.ts';
import { requirePeer } from '../../../test/peers.ts';
import { type DoctorOptions, type DoctorReport, examineRegistry } from '../src/doctor.ts';
import type { Finding } from '../src/finding/finding.ts';
import { exitCodeOf } from '../src/finding/verdict.ts';
import { companionTag } from '../src/formats/cosign-legacy/layer.ts';
import { fallbackTag } from '../src/oci/referrer-list.ts';
import { openRegistryStore } from '../src/oci/registry/registry-store.ts';
import type { ArtifactTarget } from '../src/oci/store.ts';
import { answer, options as registryOptions, scripted } from './oci/registry/scripted.ts';
import { image, index, point, push, referrer, type Sample } from './oci/sample.ts';

const app = image('app');
const other = image('other');
const TYPE = 'application/vnd.example.scan';
const TAG = fallbackTag(app.manifest.digest);

function examine(registry: string, given: Partial<DoctorOptions> = {}): Promise<DoctorReport> {
  return examineRegistry({
    registry,
    repository: 'app',
    registryOptions: registryOptions(),
    writeAs: null,
    repair: false,
    ...given,
  });
}

function storeOf(registry: string): ArtifactTarget {
  return openRegistryStore({ kind: 'registry', registry, repository: 'app' }, registryOptions());
}

/** The codes of all leaves that did not pass, sorted. */
function codes(finding: Finding): readonly string[] {
  const children = finding.because ?? [];
  if (children.length > 0) return children.flatMap(codes).toSorted();
  return finding.outcome === 'pass' || finding.code === undefined ? [] : [finding.code];
}

function saysOf(finding: Finding, check: string): string {
  const own = finding.check === check ? finding.says : '';
  return [own, ...(finding.because ?? []).map((child) => saysOf(child, check))].join('');
}

async function putIndex(store: ArtifactTarget, entries: readonly object[]): Promise<void> {
  await store.putManifest(index([], { manifests: entries }), { tag: TAG });
}

test('a registry with the referrers API', async (t) => {
  await using registry = await startRegistry({ storage: 'memory' });
  const store = storeOf(registry.host);
  await push(store, app, 'app');
  await push(store, referrer(app.manifest, TYPE, 'scan'));
  await t.test('is fine, and says what it can', async () => {
    const { finding } = await examine(registry.host);
    assert.deepEqual([exitCodeOf(finding), codes(finding)], [0, []]);
    assert.match(saysOf(finding, 'registry.referrers'), /is there/);
  });
  await t.test('is written to and cleaned up with --write', async () => {
    const before = await store.tags();
    const { finding } = await examine(registry.host, { writeAs: 'run' });
    assert.deepEqual([exitCodeOf(finding), codes(finding)], [0, []]);
    assert.match(saysOf(finding, 'registry.oci-subject'), /answers OCI-Subject/);
    assert.match(saysOf(finding, 'registry.conditions'), /If-Match is heeded/);
    assert.deepEqual(await store.tags(), before);
  });
  await t.test('an orphaned tag is found', async () => {
    await push(store, other, companionTag(other.layer.digest, 'sig'));
    const { finding } = await examine(registry.host);
    assert.deepEqual([exitCodeOf(finding), codes(finding)], [1, ['doctor.orphan']]);
  });
});

/** What is put under a fallback tag, what the doctor says of it, and the entries after a repair. */
const INDEXES = [
  {
    name: 'an entry that leads nowhere',
    entries: (scan: Sample) => [typed(scan), point(other.manifest)],
    codes: ['doctor.index-dangling'],
  },
  {
    name: 'an entry without artifactType',
    entries: (scan: Sample) => [point(scan)],
    codes: ['doctor.index-untyped'],
  },
  {
    name: 'an entry that is no descriptor',
    entries: (scan: Sample) => [typed(scan), { mediaType: 'x', digest: 'none', size: 1 }],
    codes: ['doctor.index-broken'],
  },
  {
    name: 'a referrer that is tagged and not listed',
    entries: () => [],
    codes: ['doctor.referrer-unlisted'],
  },
];

function typed(scan: Sample): object {
  return point(scan, { artifactType: TYPE });
}

test('fallback indexes, and how they are repaired', async (t) => {
  for (const { name, entries, codes: expected } of INDEXES) {
    await t.test(name, async () => {
      const scan = referrer(app.manifest, TYPE, 'scan');
      let list: Sample | null = null;
      await using registry = await fallbackOnly(() => list);
      const store = storeOf(registry.host);
      await push(store, app, 'app');
      await push(store, scan, 'scan');
      list = index([], { manifests: entries(scan.manifest) });
      const { finding } = await examine(registry.host);
      assert.deepEqual([exitCodeOf(finding), codes(finding)], [1, expected]);
      const repaired = await examine(registry.host, { repair: true });
      assert.equal(repaired.repaired.length, 1);
      assert.deepEqual([exitCodeOf(repaired.finding), codes(repaired.finding)], [0, []]);
      const { by, descriptors, broken } = await store.referrers(app.manifest.digest);
      assert.deepEqual(
        {
          by,
          broken,
          found: descriptors.map(({ digest, artifactType }) => [digest, artifactType]),
        },
        { by: 'tag', broken: [], found: [[scan.manifest.digest, TYPE]] },
      );
    });
  }
});

/**
 * Bulla's registry without the referrers API, behind a door that answers the fallback tag with what
 * `list` says until somebody writes the tag: registries check what they store, and this one has what
 * only deletions and other clients leave behind.
 */
async function fallbackOnly(list: () => Sample | null) {
  const inner = await startRegistry({ storage: 'memory' }, { referrers: false });
  let isWritten = false;
  const door = await scripted((request, response) => {
    const isTag = request.url === `/v2/app/manifests/${TAG}`;
    const wrong = list();
    if (isTag && request.method === 'PUT' && wrong !== null) isWritten = true;
    if (isTag && request.method !== 'PUT' && wrong !== null && !isWritten) {
      const headers = { 'content-type': wrong.mediaType, 'docker-content-digest': wrong.digest };
      answer(response, 200, headers, request.method === 'HEAD' ? '' : wrong.bytes);
      return;
    }
    forward(inner.port, request, response);
  });
  return {
    host: door.host,
    async [Symbol.asyncDispose]() {
      await door[Symbol.asyncDispose]();
      await inner.close();
    },
  };
}

function forward(
  port: number,
  { method, url, headers, body }: Parameters<Parameters<typeof scripted>[0]>[0],
  response: Parameters<typeof answer>[0],
): void {
  const onward = httpRequest({ host: '127.0.0.1', port, method, path: url, headers }, (inner) => {
    response.writeHead(inner.statusCode ?? 500, inner.headers);
    inner.pipe(response);
  });
  onward.on('error', () => response.destroy());
  onward.end(body);
}

test('a referrer that the API does not list is pushed again', async () => {
  const scan = referrer(app.manifest, TYPE, 'scan');
  await using inner = await startRegistry({ storage: 'memory' });
  let pushes = 0;
  await using door = await scripted((request, response) => {
    if (request.method === 'PUT' && request.url.endsWith(scan.manifest.digest)) pushes += 1;
    const isList = request.url.startsWith('/v2/app/referrers/');
    if (!isList || pushes > 0) return forward(inner.port, request, response);
    answer(response, 200, { 'content-type': index([]).mediaType }, index([]).bytes);
  });
  const store = storeOf(inner.host);
  await push(store, app, 'app');
  await push(store, scan, 'scan');
  const { finding } = await examine(door.host);
  assert.deepEqual(codes(finding), ['doctor.referrer-unlisted']);
  const repaired = await examine(door.host, { repair: true });
  assert.deepEqual([pushes, codes(repaired.finding)], [1, []]);
});

test('Debian’s docker-registry', async (t) => {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return;
  await using registry = await startDockerRegistry(program);
  const store = storeOf(registry.host);
  await push(store, app, 'app');
  const scan = referrer(app.manifest, TYPE, 'scan');
  await push(store, scan, 'scan');
  await t.test('is fine: it keeps fallback tags', async () => {
    const { finding } = await examine(registry.host, { writeAs: 'run' });
    assert.deepEqual([exitCodeOf(finding), codes(finding)], [0, []]);
    assert.match(saysOf(finding, 'registry.referrers'), /no referrers API \(404\)/);
    assert.deepEqual(await store.tags(), ['app', 'scan', TAG].toSorted());
  });
  await t.test('an entry that lost its type, and one whose manifest was deleted', async () => {
    const lost = referrer(app.manifest, TYPE, 'lost');
    await push(store, lost);
    await putIndex(store, [point(scan.manifest), typed(lost.manifest)]);
    const url = `http://${registry.host}/v2/app/manifests/${lost.manifest.digest}`;
    assert.equal((await fetch(url, { method: 'DELETE' })).status, 202);
    const { finding } = await examine(registry.host);
    assert.deepEqual(codes(finding), ['doctor.index-dangling', 'doctor.index-untyped']);
    const repaired = await examine(registry.host, { repair: true });
    assert.deepEqual([exitCodeOf(repaired.finding), repaired.repaired.length], [0, 1]);
  });
  await t.test('a fallback tag that holds an image', async () => {
    await push(store, other, TAG);
    const { finding } = await examine(registry.host);
    assert.deepEqual(codes(finding), ['doctor.index-broken', 'doctor.referrer-unlisted']);
    const repaired = await examine(registry.host, { repair: true });
    assert.deepEqual(codes(repaired.finding), []);
    assert.equal((await store.referrers(app.manifest.digest)).descriptors.length, 1);
  });
  await t.test('signatures of an artifact that is gone', async () => {
    await store.deleteManifest(app.manifest.digest);
    const { finding } = await examine(registry.host);
    assert.deepEqual(codes(finding), ['doctor.orphan']);
  });
});

/** Registries as no registry should be. */
const HOSTILE = [
  {
    name: 'the referrers API answers a web page',
    list: { status: 200, type: 'text/html', body: '<html>' },
    expect: { exit: 1, codes: ['doctor.referrers-api'] },
  },
  {
    name: 'the referrers API answers broken JSON',
    list: { status: 200, type: 'application/vnd.oci.image.index.v1+json', body: '{' },
    expect: { exit: 1, codes: ['doctor.referrers-api'] },
  },
  {
    name: 'the referrers API fails',
    list: { status: 500, type: 'text/plain', body: '' },
    expect: { exit: 3, codes: ['registry.server-error'] },
  },
  {
    name: 'it wants credentials',
    base: 401,
    expect: { exit: 3, codes: ['registry.unauthorized'] },
  },
  {
    name: 'it is no registry',
    base: 404,
    expect: { exit: 1, codes: ['registry.refused'] },
  },
];

test('registries that answer wrongly', async (t) => {
  for (const { name, base = 200, list, expect } of HOSTILE) {
    await t.test(name, async () => {
      await using registry = await scripted((request, response) => {
        if (request.url === '/v2/') return answer(response, base);
        if (request.url.includes('/tags/')) return answer(response, 200, {}, '{"tags":["app"]}');
        if (request.url.includes('/referrers/') && list !== undefined) {
          return answer(response, list.status, { 'content-type': list.type }, list.body);
        }
        const { mediaType, digest, bytes } = app.manifest;
        const headers = { 'content-type': mediaType, 'docker-content-digest': digest };
        answer(response, 200, headers, request.method === 'HEAD' ? '' : bytes);
      });
      const { finding } = await examine(registry.host);
      assert.deepEqual({ exit: exitCodeOf(finding), codes: codes(finding) }, expect);
    });
  }
  await t.test('nothing listens', async () => {
    const { finding } = await examine('127.0.0.1:1');
    assert.deepEqual([exitCodeOf(finding), codes(finding)], [3, ['registry.unreachable']]);
  });
});

test('tags that cannot be moved, and manifests that cannot be deleted', async () => {
  await using inner = await startRegistry({ storage: 'memory' });
  let writes = 0;
  await using door = await scripted((request, response) => {
    const isTag = request.url.endsWith('/manifests/bulla-doctor');
    if (request.method === 'DELETE') return answer(response, 405);
    if (request.method === 'PUT' && isTag && request.headers['if-match'] === undefined) {
      writes += 1;
      if (writes > 1) return answer(response, 409, {}, '{"errors":[{"code":"TAG_IMMUTABLE"}]}');
    }
    forward(inner.port, request, response);
  });
  await push(storeOf(inner.host), app, 'app');
  const { finding } = await examine(door.host, { writeAs: 'run' });
  assert.deepEqual(codes(finding), ['doctor.probe-left', 'doctor.tags-immutable']);
});

test('reading alone writes nothing', async () => {
  await using inner = await startRegistry({ storage: 'memory' });
  const methods = new Set<string>();
  await using door = await scripted((request, response) => {
    methods.add(request.method);
    forward(inner.port, request, response);
  });
  const store = storeOf(inner.host);
  await push(store, app, 'app');
  await examine(door.host);
  assert.deepEqual([...methods].toSorted(), ['GET', 'HEAD']);
});
