import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { TrustFault } from '@bulla/trust/fault/fault';
import { computeDigest } from '@bulla/trust/oci/digest';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import { fallbackTag, filterReferrers, parseReferrerList } from '@bulla/trust/oci/referrer-list';
import fc from 'fast-check';
import { image, point, referrer, sample } from '../sample.ts';
import { answer, type Script, type Scripted, scripted } from './scripted.ts';

const INDEX = { 'content-type': MEDIA_TYPES.ociIndex };
const subject = image('subject').manifest;
const [one, two, three] = ['1', '2', '3'].map(
  (text) => referrer(subject, `a/${text}`, text).manifest,
);
assert.ok(one && two && three);
const entry = (of: typeof one, artifactType?: string) =>
  point(of, artifactType === undefined ? {} : { artifactType });
const list = (...manifests: readonly unknown[]) =>
  JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });

describe('referrers by the API', () => {
  it('all pages are joined, each entry once', async () => {
    await using server = await scripted((request, response) => {
      const page = Number(new URL(request.url, 'http://x').searchParams.get('page') ?? 0);
      const next = { link: `</v2/app/referrers/${subject.digest}?page=${page + 1}>; rel="next"` };
      const [first = one, second = two] =
        [
          [one, two],
          [two, three],
        ][page] ?? [];
      answer(
        response,
        200,
        { ...INDEX, ...(page === 0 ? next : {}) },
        list(entry(first, 'a/b'), entry(second, 'a/b')),
      );
    });
    const found = await server.store().referrers(subject.digest);
    assert.equal(found.by, 'api');
    assert.deepEqual(
      found.descriptors.map(({ digest }) => digest),
      [one, two, three].map(({ digest }) => digest),
    );
  });

  it('the filter is sent, and applied again whatever the registry says that it did', async () => {
    await using server = await scripted((_, response) =>
      answer(
        response,
        200,
        { ...INDEX, 'oci-filters-applied': 'artifactType' },
        list(entry(one, 'a/1'), entry(two, 'a/2')),
      ),
    );
    const found = await server.store().referrers(subject.digest, { artifactType: 'a/2' });
    assert.deepEqual(
      found.descriptors.map(({ digest }) => digest),
      [two.digest],
    );
    assert.match(server.lines()[0] ?? '', /\?artifactType=a%2F2$/);
  });

  it('broken entries are told and hide none', async () => {
    const broken = [
      {},
      'x',
      null,
      { ...point(one), digest: 'sha256:1' },
      { ...point(one), size: -1 },
    ];
    await using server = await scripted((_, r) =>
      answer(r, 200, INDEX, list(...broken, entry(two, 'a/2'))),
    );
    const found = await server.store().referrers(subject.digest);
    assert.deepEqual(
      found.descriptors.map(({ digest }) => digest),
      [two.digest],
    );
    assert.equal(found.broken.length, broken.length);
  });

  const hostile: readonly { name: string; script: Script; code: string }[] = [
    {
      name: 'a web page',
      script: (_, r) => answer(r, 200, { 'content-type': 'text/html' }, '<html>'),
      code: 'registry.malformed-answer',
    },
    {
      name: 'another document',
      script: (_, r) => answer(r, 200, INDEX, '{"manifests":{}}'),
      code: 'registry.malformed-answer',
    },
    { name: '500', script: (_, r) => answer(r, 500), code: 'registry.server-error' },
    { name: '403', script: (_, r) => answer(r, 403), code: 'registry.denied' },
    {
      name: 'a next page elsewhere',
      script: (_, r) =>
        answer(r, 200, { ...INDEX, link: '<https://evil.example/x>; rel="next"' }, list()),
      code: 'registry.malformed-answer',
    },
    {
      name: 'a next page that is itself',
      script: (q, r) => answer(r, 200, { ...INDEX, link: `<${q.url}>; rel="next"` }, list()),
      code: 'registry.malformed-answer',
    },
    {
      name: 'pages without end',
      script: (_, r, at) => answer(r, 200, { ...INDEX, link: `<?p=${at}>; rel=next` }, list()),
      code: 'registry.limit',
    },
    {
      name: 'a second page that is gone',
      script: (_, r, at) =>
        at === 0
          ? answer(r, 200, { ...INDEX, link: '<?p=1>; rel="next"' }, list())
          : answer(r, 404),
      code: 'registry.refused',
    },
    {
      name: 'more than 10,000',
      script: (_, r) => answer(r, 200, INDEX, list(...Array.from({ length: 10_001 }, () => 1))),
      code: 'registry.limit',
    },
  ];
  for (const { name, script, code } of hostile) {
    it(`${name}: ${code}, never an empty list`, async () => {
      await using server = await scripted(script);
      await assert.rejects(server.store().referrers(subject.digest), { code });
    });
  }
});

/** A registry with one repository of manifests by tag; `api` and conditions as a test wants them. */
interface Kept {
  readonly tags: Map<string, { bytes: Buffer; etag: string }>;
  readonly conditions: 'honoured' | 'ignored';
  /** Called before a write of the fallback tag is done. */
  readonly beforeWrite?: (at: number) => void;
  readonly drop?: boolean;
}

function keeping(kept: Kept): Script {
  let writes = 0;
  return (request, response) => {
    const name = request.url.slice('/v2/app/manifests/'.length);
    if (!request.url.startsWith('/v2/app/manifests/')) return answer(response, 404);
    if (request.method === 'PUT') {
      if (name.startsWith('sha256-')) kept.beforeWrite?.(writes++);
      const before = kept.tags.get(name);
      const { 'if-match': match, 'if-none-match': none } = request.headers;
      const isChanged = (match !== undefined && match !== before?.etag) || (none === '*' && before);
      if (kept.conditions === 'honoured' && isChanged) return answer(response, 412);
      const etag = `"${computeDigest(request.body)}"`;
      if (!(kept.drop === true && name.startsWith('sha256-'))) {
        kept.tags.set(name, { bytes: request.body, etag });
      }
      return answer(response, 201);
    }
    const found = kept.tags.get(name);
    if (found === undefined) return answer(response, 404);
    return answer(
      response,
      200,
      { ...INDEX, etag: found.etag },
      request.method === 'HEAD' ? '' : found.bytes,
    );
  };
}

const tag = fallbackTag(subject.digest);
const listed = async (server: Scripted) =>
  (await server.store().referrers(subject.digest)).descriptors.map(({ digest }) => digest);

describe('referrers by the fallback tag', () => {
  it('are found where the API is not there, and the API is asked once', async () => {
    const tags = new Map([
      [tag, { bytes: Buffer.from(list(entry(one), entry(two, 'a/2'))), etag: '"x"' }],
    ]);
    await using server = await scripted(keeping({ tags, conditions: 'ignored' }));
    const store = server.store();
    assert.equal((await store.referrers(subject.digest)).by, 'tag');
    // An entry without artifactType may be of any type; only its manifest tells.
    const found = await store.referrers(subject.digest, { artifactType: 'a/1' });
    assert.deepEqual(
      found.descriptors.map(({ digest }) => digest),
      [one.digest],
    );
    assert.equal(server.lines().filter((line) => line.includes('/referrers/')).length, 1);
  });

  for (const body of ['not JSON', '[]', '{"manifests":1}', '{"a":1,"a":2}']) {
    it(`a tag that holds ${body} is broken, which is no outage`, async () => {
      const tags = new Map([[tag, { bytes: Buffer.from(body), etag: '"x"' }]]);
      // The registry states the digest: this is what somebody pushed.
      await using server = await scripted((request, response, at) => {
        if (request.url.endsWith(tag))
          response.setHeader('docker-content-digest', computeDigest(utf8(body)));
        return keeping({ tags, conditions: 'ignored' })(request, response, at);
      });
      const found = await server.store().referrers(subject.digest);
      assert.deepEqual(found.descriptors, []);
      assert.equal(found.broken.length, 1);
    });
  }

  const foreign = Buffer.from(list(entry(three, 'a/3'), { broken: true }));
  for (const conditions of ['honoured', 'ignored'] as const) {
    it(`another writer in between is merged, conditions ${conditions}`, async () => {
      const tags: Kept['tags'] = new Map();
      const beforeWrite = (at: number): void => {
        if (at === 0) tags.set(tag, { bytes: foreign, etag: '"foreign"' });
      };
      await using server = await scripted(keeping({ tags, conditions, beforeWrite }));
      await server.store().putManifest(one);
      // Without conditions the write overwrites: that writer reads back and enters itself again.
      if (conditions === 'honoured') {
        assert.deepEqual(await listed(server), [three.digest, one.digest]);
        const kept = JSON.parse(tags.get(tag)?.bytes.toString() ?? '');
        assert.deepEqual(kept.manifests[1], { broken: true });
      } else {
        assert.deepEqual(await listed(server), [one.digest]);
      }
    });
  }

  it('a writer that is overwritten after its write enters itself again', async () => {
    const tags: Kept['tags'] = new Map();
    let isOverwritten = false;
    await using server = await scripted((request, response, at) => {
      void keeping({ tags, conditions: 'ignored' })(request, response, at);
      if (request.method === 'PUT' && request.url.endsWith(tag) && !isOverwritten) {
        isOverwritten = true;
        tags.set(tag, { bytes: foreign, etag: '"foreign"' });
      }
    });
    await server.store().putManifest(one);
    assert.deepEqual(await listed(server), [three.digest, one.digest]);
  });
  it('an entry that never stays is a fault, after eight tries', async () => {
    const tags: Kept['tags'] = new Map();
    await using server = await scripted(keeping({ tags, conditions: 'ignored', drop: true }));
    await assert.rejects(server.store().putManifest(one), { code: 'registry.referrer-lost' });
    assert.equal(
      server.lines().filter((line) => line === `PUT /v2/app/manifests/${tag}`).length,
      8,
    );
  });

  it('a tag that is no index is not overwritten', async () => {
    const tags: Kept['tags'] = new Map([
      [tag, { bytes: Buffer.from('{"layers":3,"manifests":4}'), etag: '"x"' }],
    ]);
    await using server = await scripted(keeping({ tags, conditions: 'ignored' }));
    await assert.rejects(server.store().putManifest(one), { code: 'registry.referrer-lost' });
    assert.equal(tags.get(tag)?.etag, '"x"');
  });

  it('is not touched where OCI-Subject says that the registry keeps the list', async () => {
    await using server = await scripted((_, r) =>
      answer(r, 201, { 'oci-subject': subject.digest }),
    );
    await server.store().putManifest(one);
    assert.deepEqual(server.lines(), [`PUT /v2/app/manifests/${one.digest}`]);
  });

  it('is not touched where the API lists the referrer without OCI-Subject', async () => {
    await using server = await scripted((request, response) =>
      request.method === 'PUT'
        ? answer(response, 201)
        : answer(response, 200, INDEX, list(entry(one))),
    );
    await server.store().putManifest(one);
    assert.equal(server.seen.length, 2);
  });

  it('an API that does not list what was stored is a fault', async () => {
    await using server = await scripted((request, response) =>
      request.method === 'PUT' ? answer(response, 201) : answer(response, 200, INDEX, list()),
    );
    await assert.rejects(server.store().putManifest(one), { code: 'registry.referrer-lost' });
  });
});

describe('lists of referrers', () => {
  it('tags are cut as the specification says', () => {
    assert.equal(fallbackTag(`sha256:${'a'.repeat(64)}`), `sha256-${'a'.repeat(64)}`);
    assert.equal(fallbackTag(`sha512:${'b'.repeat(128)}`), `sha512-${'b'.repeat(64)}`);
  });

  it('no input throws anything but TrustFault, and what is kept can be written back', () => {
    const item = fc.oneof(fc.jsonValue(), fc.constant(point(sample(utf8('x'), 'a/b'))));
    const document = fc.oneof(
      fc.json(),
      fc.record({ manifests: fc.array(item) }).map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(document, (text) => {
        try {
          const found = parseReferrerList(utf8(text), 'x');
          assert.equal(found.descriptors.length + found.broken.length, found.entries.length);
          assert.ok(filterReferrers(found.descriptors, 'a/b').length <= found.descriptors.length);
        } catch (error) {
          assert.ok(error instanceof TrustFault, String(error));
        }
      }),
    );
  });
});
