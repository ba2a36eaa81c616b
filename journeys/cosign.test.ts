// Journeys with cosign 3 and crane, both directions, by key. Both are optional peers.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { requirePeer } from '../test/peers.ts';
import { pushSmallImage } from './artifact.ts';
import { makeKey, openStage, peerSucceeds, ROOT, type Stage } from './stage.ts';

const TRUST = join(ROOT, 'vectors/cosign/trust');

// With a trust root at hand cosign asks no network for one; no service is named in either file.
const ROOT_OPTION = ['--trusted-root', join(TRUST, 'trusted_root.json')];
const NO_SERVICES = [
  '--signing-config',
  join(TRUST, 'signing_config.none.json'),
  ...ROOT_OPTION,
  '--yes',
];
const NO_LOG = ['--insecure-ignore-tlog=true', ...ROOT_OPTION];

async function writePredicate(stage: Stage): Promise<string> {
  return stage.write('predicate.json', '{"reviewed":true}');
}

test('cosign verifies what bulla signs', async (t) => {
  const cosign = requirePeer(t, 'cosign');
  if (cosign === null) return;
  await using registry = await startRegistry({ storage: 'memory' });
  await using stage = await openStage();
  const { key, pub } = await makeKey(stage, 'release');
  const stranger = await makeKey(stage, 'stranger');
  const judge = (...args: string[]) => stage.run(cosign, args);
  const accepts = async (...args: string[]) => {
    const { code, all } = await judge(...args);
    assert.equal(code, 0, `cosign ${args.join(' ')}\n${all}`);
  };
  const refuses = async (...args: string[]) => {
    const { code, all } = await judge(...args);
    assert.notEqual(code, 0, `cosign ${args.join(' ')}\n${all}`);
  };

  for (const format of ['sigstore-bundle', 'cosign-legacy']) {
    await t.test(`${format}, with annotations`, async () => {
      const image = `${registry.host}/team/${format}:v1`;
      await pushSmallImage(`${registry.host}/team/${format}`, 'v1', format);
      await stage.succeeds(['sign', '--key', key, '--format', format, '-a', 'env=prod', image]);
      await accepts('verify', '--key', pub, ...NO_LOG, '-a', 'env=prod', image);
      await refuses('verify', '--key', pub, ...NO_LOG, '-a', 'env=test', image);
      await refuses('verify', '--key', stranger.pub, ...NO_LOG, image);
    });
  }
  await t.test('an attestation', async () => {
    const image = `${registry.host}/team/attested:v1`;
    await pushSmallImage(`${registry.host}/team/attested`, 'v1', 'attested');
    const predicate = ['--type', 'custom', '--predicate', await writePredicate(stage)];
    await stage.succeeds(['attest', '--key', key, ...predicate, image]);
    await accepts('verify-attestation', '--key', pub, ...NO_LOG, '--type', 'custom', image);
    await refuses('verify-attestation', '--key', pub, ...NO_LOG, '--type', 'vuln', image);
  });
  await t.test('a file, signed and attested', async () => {
    const file = await stage.write('release.tar', 'what is released');
    await stage.succeeds(['blob', 'sign', '--key', key, '--signature', 'release.sig', file]);
    const bundle = ['--bundle', `${file}.sigstore.json`];
    await accepts('verify-blob', '--key', pub, ...NO_LOG, ...bundle, file);
    await refuses('verify-blob', '--key', stranger.pub, ...NO_LOG, ...bundle, file);
    const predicate = ['--type', 'custom', '--predicate', await writePredicate(stage)];
    const attested = ['--bundle', 'attested.json'];
    await stage.succeeds(['blob', 'attest', '--key', key, ...predicate, ...attested, file]);
    const type = ['--type', 'custom', ...attested];
    await accepts('verify-blob-attestation', '--key', pub, ...NO_LOG, ...type, file);
  });
});

test('bulla verifies what cosign signs', async (t) => {
  const cosign = requirePeer(t, 'cosign');
  if (cosign === null) return;
  await using registry = await startRegistry({ storage: 'memory' });
  await using stage = await openStage();
  await peerSucceeds(stage, cosign, ['generate-key-pair', '--output-key-prefix', 'theirs']);
  const stranger = await makeKey(stage, 'stranger');
  const sign = ['sign', '--key', 'theirs.key', '-a', 'env=prod'];
  const image = `${registry.host}/team/app:v1`;
  await pushSmallImage(`${registry.host}/team/app`, 'v1');
  const verify = ['verify', '--key', 'theirs.pub'];

  await t.test('a bundle', async () => {
    await peerSucceeds(stage, cosign, [...sign, ...NO_SERVICES, image]);
    assert.match(await stage.succeeds([...verify, image]), /pass {2}sigstore-bundle/);
    await stage.succeeds([...verify, '-a', 'env=prod', image]);
    await stage.ends(1, [...verify, '-a', 'env=test', image]);
    await stage.ends(1, ['verify', '--key', stranger.pub, image]);
  });
  await t.test('the tag scheme', async () => {
    const legacy = ['--use-signing-config=false', '--new-bundle-format=false'];
    await peerSucceeds(stage, cosign, [...sign, ...legacy, '--tlog-upload=false', '-y', image]);
    assert.match(await stage.succeeds([...verify, image]), /pass {2}cosign-legacy/);
  });
  await t.test('an attestation', async () => {
    const predicate = ['--type', 'custom', '--predicate', await writePredicate(stage)];
    const attest = ['attest', '--key', 'theirs.key', ...predicate, ...NO_SERVICES, image];
    await peerSucceeds(stage, cosign, attest);
    await stage.succeeds([...verify, '--attested', 'custom', image]);
    await stage.ends(1, [...verify, '--attested', 'vuln', image]);
  });
  await t.test('a file', async () => {
    const file = await stage.write('release.tar', 'what is released');
    const bundle = ['--bundle', 'theirs.json'];
    await peerSucceeds(stage, cosign, [
      ...['sign-blob', '--key', 'theirs.key', ...bundle, ...NO_SERVICES, file],
    ]);
    await stage.succeeds(['blob', ...verify, ...bundle, file]);
    await stage.ends(1, ['blob', ...verify, ...bundle, 'theirs.pub']);
  });
  await t.test('and signs with a key that cosign made', async () => {
    await stage.succeeds(['sign', '--key', 'theirs.key', image]);
    await peerSucceeds(stage, cosign, ['verify', '--key', 'theirs.pub', ...NO_LOG, image]);
  });
});

test('crane copies an image and bulla finds its signatures where crane lists them', async (t) => {
  const crane = requirePeer(t, 'crane');
  if (crane === null) return;
  await using registry = await startRegistry({ storage: 'memory' });
  await using stage = await openStage();
  const { key, pub } = await makeKey(stage, 'release');
  const repository = `${registry.host}/team/app`;
  const digest = await pushSmallImage(repository, 'v1');
  await stage.succeeds(['sign', '--key', key, '--format', 'both', `${repository}:v1`]);
  const tag = `${digest.replace(':', '-')}.sig`;
  const tags = await peerSucceeds(stage, crane, ['ls', repository]);
  assert.ok(tags.split('\n').includes(tag), tags);
  const copied = `${registry.host}/crane/app`;
  await peerSucceeds(stage, crane, ['copy', `${repository}:v1`, `${copied}:v1`]);
  await stage.ends(1, ['verify', '--key', pub, `${copied}:v1`]);
  await peerSucceeds(stage, crane, ['copy', `${repository}:${tag}`, `${copied}:${tag}`]);
  await stage.succeeds(['verify', '--key', pub, `${copied}:v1`]);
});
