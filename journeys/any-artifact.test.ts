// Signing is not about images only: a Helm chart and a configuration file, as their tools push them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startRegistry } from '@bulla/server/registry';
import { type Artifact, pushArtifact, pushMultiArch } from './artifact.ts';
import { makeKey, openStage } from './stage.ts';

const EMPTY = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  content: Buffer.from('{}'),
};

const ARTIFACTS: readonly { readonly name: string; readonly artifact: Artifact }[] = [
  {
    name: 'a Helm chart',
    artifact: {
      config: {
        mediaType: 'application/vnd.cncf.helm.config.v1+json',
        content: Buffer.from('{"apiVersion":"v2","name":"app","version":"1.2.3"}'),
      },
      layers: [
        {
          mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
          content: gzipSync('apiVersion: v2\nname: app\nversion: 1.2.3\n'),
        },
      ],
    },
  },
  {
    name: 'a configuration file',
    artifact: {
      artifactType: 'application/vnd.acme.config.v1',
      config: EMPTY,
      layers: [{ mediaType: 'application/yaml', content: Buffer.from('replicas: 3\n') }],
    },
  },
];

for (const { name, artifact } of ARTIFACTS) {
  test(`${name} is signed, attested, verified and copied`, async () => {
    await using registry = await startRegistry({ storage: 'memory' });
    await using stage = await openStage();
    const { key, pub } = await makeKey(stage, 'release');
    const reference = `${registry.host}/team/thing:1.2.3`;
    const digest = await pushArtifact(`${registry.host}/team/thing`, '1.2.3', artifact);
    const refused = await stage.ends(1, ['verify', '--key', pub, reference]);
    assert.match(refused, /carries no signature/);

    await stage.succeeds(['sign', '--key', key, '--format', 'both', '-a', 'by=ci', reference]);
    const predicate = await stage.write('review.json', '{"approved":true}');
    await stage.succeeds(['attest', '--key', key, '--predicate', predicate, reference]);

    const copied = `${registry.host}/live/thing:1.2.3`;
    await stage.succeeds(['copy', reference, copied]);
    for (const place of [reference, copied]) {
      const said = await stage.succeeds(['verify', '--key', pub, '-a', 'by=ci', place]);
      assert.match(said, new RegExp(`^VERIFIED {2}\\S+@${digest}`));
      await stage.ends(1, ['verify', '--key', pub, '-a', 'by=hand', place]);
      await stage.succeeds(['verify', '--key', pub, '--attested', 'custom', place]);
    }
  });
}

test('a multi-arch image is signed as a whole, or with each platform', async (t) => {
  await using registry = await startRegistry({ storage: 'memory' });
  await using stage = await openStage();
  const { key, pub } = await makeKey(stage, 'release');
  const repository = `${registry.host}/team/app`;
  const { amd64 } = await pushMultiArch(repository, 'v1');
  const verify = ['verify', '--key', pub];

  await t.test('the index only', async () => {
    await stage.succeeds(['sign', '--key', key, `${repository}:v1`]);
    await stage.succeeds([...verify, `${repository}:v1`]);
    const platform = ['--tree', 'any', '--platform', 'linux/amd64'];
    assert.match(await stage.succeeds([...verify, ...platform, `${repository}:v1`]), /VERIFIED/);
    // The index's signature covers its children where the tree is asked for, not by themselves.
    await stage.ends(1, [...verify, `${repository}@${amd64}`]);
    await stage.ends(1, [...verify, '--tree', 'both', `${repository}:v1`]);
  });
  await t.test('each platform too', async () => {
    await stage.succeeds(['sign', '--key', key, '--recursive', `${repository}:v1`]);
    await stage.succeeds([...verify, '--tree', 'both', `${repository}:v1`]);
    await stage.succeeds([...verify, `${repository}@${amd64}`]);
  });
});
