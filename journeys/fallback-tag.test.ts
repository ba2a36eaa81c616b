// The journey against Debian's docker-registry 2.8: no referrers API, so the fallback tag.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { startDockerRegistry } from '../test/docker-registry.ts';
import { requirePeer } from '../test/peers.ts';
import { openRepository, pushSmallImage } from './artifact.ts';
import { makeKey, openStage } from './stage.ts';

const SBOM = JSON.stringify({
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  components: [{ type: 'library', name: 'left-pad', version: '1.3.0' }],
});

test('a registry without the referrers API holds signatures and attestations all the same', async (t) => {
  const program = requirePeer(t, 'docker-registry');
  if (program === null) return;
  await using registry = await startDockerRegistry(program);
  await using stage = await openStage();
  const alice = await makeKey(stage, 'alice');
  const bob = await makeKey(stage, 'bob');
  const repository = `${registry.host}/team/app`;
  const image = `${repository}:v1`;
  const digest = await pushSmallImage(repository, 'v1');
  const fallback = digest.replace(':', '-');
  const verify = (...args: string[]) => stage.succeeds(['verify', ...args]);

  await t.test('signed in both formats', async () => {
    const said = await stage.succeeds(['sign', '--key', alice.key, '--format', 'both', image]);
    assert.match(said, /sigstore-bundle {2}referrer sha256:/);
    assert.match(said, new RegExp(`cosign-legacy {2}tag ${fallback}\\.sig`));
    const tags = await (await openRepository(repository)).tags();
    assert.deepEqual([...tags].sort(), [fallback, `${fallback}.sig`, 'v1'].sort());
    const tree = await verify('--key', alice.pub, image);
    assert.match(tree, /pass {2}sigstore-bundle/);
    assert.match(tree, /pass {2}cosign-legacy/);
  });

  await t.test('a second signer joins the first', async () => {
    await stage.succeeds(['sign', '--key', bob.key, '--format', 'both', image]);
    const both = ['--key', alice.pub, '--key', bob.pub, '--at-least', '2'];
    assert.match(await verify(...both, image), /is signed by 2 of 2 named authorities/);
    // One key twice is one signer.
    const once = ['--key', alice.pub, '--key', alice.pub, '--at-least', '2'];
    await stage.ends(1, ['verify', ...once, image]);
  });

  await t.test('an attestation lies beside the signatures and is none', async () => {
    const sbom = await stage.write('sbom.json', SBOM);
    const statement = ['--type', 'cyclonedx', '--predicate', sbom];
    await stage.succeeds(['attest', '--key', bob.key, ...statement, image]);
    const attested = ['--key', bob.pub, '--attested', 'cyclonedx'];
    await verify(...attested, image);
    const where = ['--where', 'predicate.components.all(c, c.name != "left-pad")'];
    await stage.ends(1, ['verify', ...attested, ...where, image]);
    await stage.ends(1, ['verify', '--key', alice.pub, '--attested', 'cyclonedx', image]);
  });

  await t.test('all of it moves to a registry that has the API', async () => {
    await using target = await startRegistry({ storage: 'memory' });
    const moved = `${target.host}/mirror/app:v1`;
    await stage.succeeds(['copy', image, moved]);
    const both = ['--key', alice.pub, '--key', bob.pub, '--at-least', '2'];
    await verify(...both, moved);
    await verify('--key', bob.pub, '--attested', 'cyclonedx', moved);
    const there = await openRepository(`${target.host}/mirror/app`);
    const { by, descriptors } = await there.referrers(digest);
    assert.equal(by, 'api');
    assert.equal(descriptors.length, 3);
  });

  await t.test('what was removed is gone, and the image can be signed again', async () => {
    await stage.succeeds(['clean', '--force', image]);
    await stage.ends(1, ['verify', '--key', alice.pub, image]);
    await stage.succeeds(['sign', '--key', alice.key, image]);
    await verify('--key', alice.pub, image);
  });
});
