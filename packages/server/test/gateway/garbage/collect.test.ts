import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ask,
  digestOf,
  KINDS,
  manifestOf,
  OCI_INDEX,
  OCI_MANIFEST,
  pushImage,
  putManifest,
} from '../client.ts';

const DAY_MS = 24 * 3600_000;

/** A registry whose clock the test moves; `collect` is a day's upkeep. */
async function openRegistry(kind: (typeof KINDS)[number]) {
  let now = new Date('2026-01-01T00:00:00Z');
  const config = { untaggedMs: 7 * DAY_MS };
  const registry = await kind.start({ config, clock: () => now });
  return {
    ...registry,
    pass(days: number) {
      now = new Date(now.getTime() + days * DAY_MS);
    },
  };
}

const signatureOf = (subject: string, n: number) =>
  manifestOf({ layers: ['signature'], annotations: { of: subject, n: String(n) } });

for (const kind of KINDS) {
  test(`${kind.kind}: no signature of a kept image is collected, of whatever scheme`, async () => {
    await using registry = await openRegistry(kind);
    const { url } = registry;
    const image = await pushImage(url, 'app', 'v1', { layers: ['layer'] });
    const child = await pushImage(url, 'app', null, { layers: ['child'] });
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ mediaType: OCI_MANIFEST, digest: child, size: 1 }],
    });
    await putManifest(url, 'app', 'multi', index, { 'content-type': OCI_INDEX });
    const stray = await pushImage(url, 'app', null, { annotations: { stray: 'yes' } });
    // A referrer, a referrer of that, a referrer of an index's child, cosign's tag, a fallback tag.
    const referrer = await pushImage(url, 'app', null, { subject: image, layers: ['bundle'] });
    const countersigned = await pushImage(url, 'app', null, { subject: referrer });
    const ofChild = await pushImage(url, 'app', null, { subject: child });
    const ofStray = await pushImage(url, 'app', null, { subject: stray });
    const tagOf = (digest: string) => digest.replace(':', '-');
    await pushImage(url, 'app', null, { layers: ['signature'] });
    const push = (tag: string, body: string, type = OCI_MANIFEST) =>
      putManifest(url, 'app', tag, body, { 'content-type': type });
    await push(`${tagOf(image)}.sig`, signatureOf(image, 1));
    await push(`${tagOf(child)}.att`, signatureOf(child, 2));
    await push(`${tagOf(stray)}.sig`, signatureOf(stray, 3));
    const listed = signatureOf(image, 4);
    await push(digestOf(listed), listed);
    const list = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ mediaType: OCI_MANIFEST, digest: digestOf(listed), size: listed.length }],
    });
    await push(tagOf(image), list, OCI_INDEX);
    // Some repositories hold the signatures of another.
    const foreign = digestOf('in another repository');
    const ofForeign = await pushImage(url, 'app', null, { subject: foreign });
    await push(`${tagOf(foreign)}.sig`, signatureOf(foreign, 5));

    const kept = [
      ...[image, child, digestOf(index), referrer, countersigned, ofChild, ofForeign],
      ...[signatureOf(image, 1), signatureOf(child, 2), listed, list].map(digestOf),
      digestOf(signatureOf(foreign, 5)),
    ];
    const gone = [stray, ofStray, digestOf(signatureOf(stray, 3))];
    const statusOf = async (digest: string) =>
      (await ask(url, { path: `/v2/app/manifests/${digest}` })).status;
    registry.pass(6);
    await registry.upkeep();
    for (const digest of [...kept, ...gone]) assert.equal(await statusOf(digest), 200, 'young');
    registry.pass(2);
    await registry.upkeep();
    registry.pass(2);
    await registry.upkeep();
    for (const digest of kept) assert.equal(await statusOf(digest), 200);
    for (const digest of gone) assert.equal(await statusOf(digest), 404);
    for (const layer of ['layer', 'child', 'bundle', 'signature', '{}']) {
      const answer = await ask(url, { path: `/v2/app/blobs/${digestOf(layer)}` });
      assert.equal(answer.body.toString(), layer);
    }
    const found = await ask(url, { path: `/v2/app/referrers/${image}` });
    assert.ok(found.body.includes(referrer));
    const tags = await ask(url, { path: '/v2/app/tags/list' });
    assert.ok(!tags.body.includes(`${tagOf(stray)}.sig`));
  });

  test(`${kind.kind}: blobs that no manifest lists go, and come back with a push`, async () => {
    await using registry = await openRegistry(kind);
    const { url } = registry;
    const image = await pushImage(url, 'app', 'v1', { layers: ['layer'] });
    await ask(url, {
      method: 'POST',
      path: `/v2/app/blobs/uploads/?digest=${digestOf('abandoned')}`,
      body: 'abandoned',
    });
    registry.pass(8);
    await registry.upkeep();
    const abandoned = `/v2/app/blobs/${digestOf('abandoned')}`;
    assert.equal((await ask(url, { path: abandoned })).status, 404);
    assert.equal(
      (await ask(url, { method: 'DELETE', path: `/v2/app/manifests/${image}` })).status,
      202,
    );
    assert.equal((await ask(url, { path: `/v2/app/blobs/${digestOf('layer')}` })).status, 200);
    registry.pass(8);
    await registry.upkeep();
    assert.equal((await ask(url, { path: `/v2/app/blobs/${digestOf('layer')}` })).status, 404);
    assert.equal(await pushImage(url, 'app', 'v1', { layers: ['layer'] }), image);
    await registry.upkeep();
    assert.equal((await ask(url, { path: '/v2/app/manifests/v1' })).status, 200);
    assert.equal((await ask(url, { path: `/v2/app/blobs/${digestOf('layer')}` })).status, 200);
  });
}
