import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { takeInventory } from '@bulla/trust/inventory';
import { openStore } from '@bulla/trust/oci/open';
import { parseReference } from '@bulla/trust/oci/reference';
import { bulla, emptyFolder, vector } from '../packages/cli/test/commands/run.ts';
import { startDockerRegistry } from '../test/docker-registry.ts';
import { requirePeer } from '../test/peers.ts';

const SIGNERS = [1, 2, 3, 4];
const ENV = { BULLA_PASSPHRASE: 'secret' };
const OPTIONS = { env: {}, homeFolder: '/nonexistent' };

let folder: Awaited<ReturnType<typeof emptyFolder>>;
before(async () => {
  folder = await emptyFolder();
  for (const signer of SIGNERS) {
    const made = await bulla(['key', 'generate', '--output-key-prefix', key(signer)], ENV);
    assert.equal(made.code, 0, made.err);
  }
});
after(() => folder[Symbol.asyncDispose]());

function key(signer: number): string {
  return `${folder.path}/k${signer}`;
}

/**
 * All sign at once, in both formats. Each either has its signatures there in the end, or ended with
 * a fault that says that they are not.
 */
async function signAtOnce(host: string, mayLose: boolean): Promise<void> {
  const image = `${host}/app:v1`;
  const copied = await bulla([
    'copy',
    `oci:${vector('oci/cosign-key-bundle.tar')}:nolog-p256`,
    image,
  ]);
  assert.equal(copied.code, 0, copied.err);
  const runs = await Promise.all(
    SIGNERS.map((signer) =>
      bulla(['sign', image, '--key', `${key(signer)}.key`, '--format', 'both'], ENV),
    ),
  );
  const done = runs.filter(({ code }) => code === 0).length;
  if (!mayLose) assert.equal(done, SIGNERS.length, runs.map(({ err }) => err).join('\n'));
  for (const { code, err } of runs) {
    if (code !== 0) assert.match(err, /\[(registry\.referrer-lost|sign\.not-served)\]/);
  }
  for (const [at, signer] of SIGNERS.entries()) {
    if (runs[at]?.code !== 0) continue;
    const verified = await bulla(['verify', image, '--key', `${key(signer)}.pub`]);
    assert.equal(verified.code, 0, verified.out + verified.err);
  }
  const node = await takeInventory(await openStore(parseReference(image), OPTIONS), 'v1');
  const legacy = node.attached.find(({ tag }) => tag?.endsWith('.sig') === true);
  const bundles = node.attached.filter(({ format }) => format === 'sigstore-bundle');
  assert.ok((legacy?.count ?? 0) >= done, `${legacy?.count} of ${done} legacy signatures`);
  // One more than the signers made: the image came with a bundle.
  assert.ok(bundles.length >= done + 1, `${bundles.length} bundles`);
}

test('signers at the same time lose nothing in Bulla’s registry', async (t) => {
  for (const referrers of [true, false]) {
    await t.test(referrers ? 'with the referrers API' : 'without it', async () => {
      await using registry = await startRegistry({ storage: 'memory' }, { referrers });
      await signAtOnce(registry.host, false);
    });
  }
});

test('signers at the same time lose nothing unsaid in a registry without conditions', async (t) => {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return;
  await using registry = await startDockerRegistry(program);
  await signAtOnce(registry.host, true);
});
