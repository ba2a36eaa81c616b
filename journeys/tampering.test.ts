// Who can write to a registry tries to pass off what was not signed; each attempt is refused.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { computeDigest, type Digest } from '@bulla/trust/oci/digest';
import { fallbackTag } from '@bulla/trust/oci/referrer-list';
import { openRepository, pushSmallImage } from './artifact.ts';
import { makeKey, openStage, ROOT } from './stage.ts';

interface LayeredManifest {
  layers: { digest: string; size: number; mediaType: string }[];
  subject?: { digest: string };
}

/** Replaces the only layer below a tag or digest by an edited one, and pushes the manifest anew. */
async function editLayer(
  repository: string,
  tagOrDigest: string,
  edit: (layer: string) => string,
  tag?: string,
): Promise<void> {
  const target = await openRepository(repository);
  const stored = await target.manifest(tagOrDigest);
  assert.ok(stored !== null, `${repository} has no ${tagOrDigest}`);
  const manifest: LayeredManifest = JSON.parse(Buffer.from(stored.bytes).toString());
  const [layer] = manifest.layers;
  assert.ok(layer !== undefined && manifest.layers.length === 1);
  const before = await target.blob({ digest: layer.digest as Digest, size: layer.size });
  assert.ok(before !== null);
  const after = utf8(edit(Buffer.from(before).toString()));
  assert.notDeepEqual(after, before);
  const descriptor = { digest: computeDigest(after), size: after.length };
  await target.putBlob(descriptor, after);
  const bytes = utf8(JSON.stringify({ ...manifest, layers: [{ ...layer, ...descriptor }] }));
  await target.deleteManifest(stored.digest);
  await target.putManifest(
    { bytes, mediaType: stored.mediaType },
    tag === undefined ? {} : { tag },
  );
}

/** Changes the payload of the DSSE envelope in a text, and leaves its signature. */
function editEnvelope(text: string): string {
  const document = JSON.parse(text);
  const envelope = document.dsseEnvelope ?? document;
  const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
  statement.predicate = { ...statement.predicate, forged: true };
  envelope.payload = Buffer.from(JSON.stringify(statement)).toString('base64');
  return JSON.stringify(document);
}

test('an attestation under the tag .att that was edited is refused', async () => {
  await using registry = await startRegistry({ storage: 'memory' });
  await using stage = await openStage();
  const vectors = join(ROOT, 'vectors/cosign');
  const layout = `oci:${join(vectors, 'oci/cosign-attestations.tar')}:key-legacy`;
  const repository = `${registry.host}/team/app`;
  await stage.succeeds(['copy', layout, `${repository}:v1`]);
  const target = await openRepository(repository);
  const resolved = await target.resolve('v1');
  assert.ok(resolved !== null);
  // All layers of the tag but one go, so that nothing genuine is left beside the edited one.
  const tag = `${fallbackTag(resolved.digest)}.att`;
  const stored = await target.manifest(tag);
  assert.ok(stored !== null);
  const manifest = JSON.parse(Buffer.from(stored.bytes).toString());
  const ofType = (layer: { annotations: Record<string, string> }) =>
    layer.annotations['predicateType'] === 'https://cyclonedx.org/bom';
  const bytes = utf8(JSON.stringify({ ...manifest, layers: manifest.layers.filter(ofType) }));
  await target.putManifest({ bytes, mediaType: stored.mediaType }, { tag });
  const key = join(vectors, 'keys/p256.pub');
  const verify = ['verify', '--key', key, '--attested', 'cyclonedx', `${repository}:v1`];
  await stage.succeeds(verify);
  await editLayer(repository, tag, editEnvelope, tag);
  assert.match(await stage.ends(1, verify), /no signature of 1 was made by it/);
});

test('a bundle that was edited, and signatures of another image, are refused', async (t) => {
  await using registry = await startRegistry({ storage: 'memory' });
  await using stage = await openStage();
  const { key, pub } = await makeKey(stage, 'release');
  const repository = `${registry.host}/team/app`;
  const target = await openRepository(repository);
  const good = await pushSmallImage(repository, 'good');
  const bad = await pushSmallImage(repository, 'bad');
  await stage.succeeds(['sign', '--key', key, '--format', 'both', `${repository}:good`]);
  const verify = (tag: string) => ['verify', '--key', pub, `${repository}:${tag}`];

  await t.test('the tag of one image under the name of another', async () => {
    const stolen = await target.manifest(`${fallbackTag(good)}.sig`);
    assert.ok(stolen !== null);
    await target.putManifest(stolen, { tag: `${fallbackTag(bad)}.sig` });
    assert.match(await stage.ends(1, verify('bad')), /payload\.digest/);
  });
  await t.test('the bundle of one image as a referrer of another', async () => {
    const { descriptors } = await target.referrers(good);
    const stolen = await target.manifest(descriptors[0]?.digest ?? '');
    const subject = await target.resolve(bad);
    assert.ok(stolen !== null && subject !== null);
    const manifest: LayeredManifest = JSON.parse(Buffer.from(stolen.bytes).toString());
    const bytes = utf8(JSON.stringify({ ...manifest, subject }));
    await target.putManifest({ bytes, mediaType: stolen.mediaType });
    assert.match(await stage.ends(1, verify('bad')), /statement\.subject/);
  });
  await t.test('a tag that was moved to an image without signature', async () => {
    const other = await pushSmallImage(repository, 'good', 'another image');
    assert.notEqual(other, good);
    await stage.ends(1, verify('good'));
    await stage.succeeds(['verify', '--key', pub, `${repository}@${good}`]);
  });
  await t.test('an edited bundle', async () => {
    await stage.succeeds(['clean', '--force', '--type', 'signature', `${repository}@${good}`]);
    await stage.succeeds(['sign', '--key', key, `${repository}@${good}`]);
    const { descriptors } = await target.referrers(good);
    await editLayer(repository, descriptors[0]?.digest ?? '', editEnvelope);
    const verifyGood = ['verify', '--key', pub, `${repository}@${good}`];
    assert.match(await stage.ends(1, verifyGood), /no signature of 1 was made by it/);
  });
});
