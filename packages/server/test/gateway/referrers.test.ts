import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, KINDS, pushImage } from './client.ts';

for (const { kind, start } of KINDS) {
  test(`${kind}: referrers in pages, each once, in order`, async () => {
    await using registry = await start({ config: { pageEntries: 3 } });
    const { url } = registry;
    const subject = await pushImage(url, 'app', 'v1');
    const pushed: string[] = [];
    for (let n = 0; n < 8; n++) {
      const type = n % 2 === 0 ? 'application/vnd.example.even' : 'application/vnd.example.odd';
      const pieces = { subject, artifactType: type, annotations: { n: String(n) } };
      pushed.push(await pushImage(url, 'app', null, pieces));
    }
    const read = async (query: string) => {
      const found: { digest: string }[] = [];
      let path: string | undefined = `/v2/app/referrers/${subject}${query}`;
      let pages = 0;
      while (path !== undefined) {
        const answer = await ask(url, { path });
        assert.equal(answer.status, 200);
        found.push(...(JSON.parse(answer.body.toString()) as { manifests: [] }).manifests);
        path = /^<([^>]+)>; rel="next"$/.exec(answer.headers['link'] ?? '')?.[1];
        pages += 1;
      }
      return { pages, digests: found.map(({ digest }) => digest) };
    };
    assert.deepEqual(await read(''), { pages: 3, digests: pushed.toSorted() });
    const even = pushed.filter((_, n) => n % 2 === 0).toSorted();
    const filtered = await read('?artifactType=application/vnd.example.even');
    assert.deepEqual(filtered, { pages: 2, digests: even });
    assert.equal((await read('?n=2')).pages, 4);
  });

  test(`${kind}: a page of referrers stays below its bytes`, async () => {
    await using registry = await start({ config: { pageBytes: 1000 } });
    const { url } = registry;
    const subject = await pushImage(url, 'app', 'v1');
    for (let n = 0; n < 4; n++) {
      await pushImage(url, 'app', null, { subject, annotations: { n: `${n}${'x'.repeat(600)}` } });
    }
    const answer = await ask(url, { path: `/v2/app/referrers/${subject}` });
    assert.ok(answer.body.length < 1200);
    assert.match(answer.headers['link'] ?? '', /rel="next"/);
  });
}
