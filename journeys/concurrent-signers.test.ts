import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { takeInventory } from '@bulla/trust/inventory';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { startDockerRegistry } from '../test/docker-registry.ts';
import { requirePeer } from '../test/peers.ts';
import { makeKey, openStage, ROOT, type Run, type Stage } from './stage.ts';

const SIGNERS = [1, 2, 3, 4];
const OPTIONS = { env: {}, homeFolder: '/nonexistent' };

let stage: Stage;
before(async () => {
  stage = await openStage();
  await Promise.all(SIGNERS.map((signer) => makeKey(stage, `k${signer}`)));
});
after(() => stage[Symbol.asyncDispose]());

function key(signer: number): string {
  return stage.path(`k${signer}`);
}

async function pushImage(host: string): Promise<string> {
  const image = `${host}/app:v1`;
  const layout = join(ROOT, 'vectors/cosign/oci/cosign-key-bundle.tar');
  await stage.succeeds(['copy', `oci:${layout}:nolog-p256`, image]);
  return image;
}

function sign(image: string, signer: number): Promise<Run> {
  return stage.bulla(['sign', image, '--key', `${key(signer)}.key`, '--format', 'both']);
}

/** How many signatures of each format the registry lists; the image came with one bundle. */
async function countSignatures(image: string): Promise<{ legacy: number; bundles: number }> {
  const node = await takeInventory(await openStore(parseReference(image), OPTIONS), 'v1');
  const legacy = node.attached.find(({ tag }) => tag?.endsWith('.sig') === true);
  const bundles = node.attached.filter(({ format }) => format === 'sigstore-bundle');
  return { legacy: legacy?.count ?? 0, bundles: bundles.length - 1 };
}

test('signers at the same time lose nothing in Bulla’s registry', async (t) => {
  for (const referrers of [true, false]) {
    await t.test(referrers ? 'with the referrers API' : 'without it', async () => {
      await using registry = await startRegistry({ storage: 'memory' }, { referrers });
      const image = await pushImage(registry.host);
      const runs = await Promise.all(SIGNERS.map((signer) => sign(image, signer)));
      for (const { code, err } of runs) assert.equal(code, 0, err);
      const all = SIGNERS.length;
      assert.deepEqual(await countSignatures(image), { legacy: all, bundles: all });
    });
  }
});

// Without conditional writes the last of two writers wins, and one that wrote after our last look
// can take an entry away unsaid (docs/registries.md): what can be promised is that the list stays
// whole and that signing again brings back what was lost.
test('a registry without conditions keeps a whole list, to which a lost signer can return', async (t) => {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return;
  await using registry = await startDockerRegistry(program);
  const image = await pushImage(registry.host);
  const runs = await Promise.all(SIGNERS.map((signer) => sign(image, signer)));
  for (const { code, err } of runs) {
    if (code !== 0) assert.match(err, /\[(registry\.referrer-lost|sign\.not-served)\]/);
  }
  const after = await countSignatures(image);
  assert.ok(after.legacy >= 1 && after.bundles >= 1, JSON.stringify(after));
  for (const signer of SIGNERS) {
    const again = await sign(image, signer);
    assert.equal(again.code, 0, again.err);
    await stage.succeeds(['verify', image, '--key', `${key(signer)}.pub`]);
  }
  const { legacy, bundles } = await countSignatures(image);
  assert.ok(legacy >= SIGNERS.length && bundles >= SIGNERS.length, `${legacy} and ${bundles}`);
});
