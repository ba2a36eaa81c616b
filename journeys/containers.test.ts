// Journeys with the tools that read cosign's tag scheme by policy: podman and skopeo.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { type Peer, requirePeer } from '../test/peers.ts';
import { pushSmallImage } from './artifact.ts';
import {
  makeKey,
  openStage,
  PASSPHRASE,
  peerSucceeds,
  ROOT,
  type Run,
  type Stage,
} from './stage.ts';

/** What Debian's builds answer wherever a Sigstore signature would be checked or made. */
const SWITCHED_OFF = 'Debian-local change: sigstore disabled';

/** containers/image before 5.26 opens private keys of cosign 1 only (scrypt N 32768). */
const OLDER_KEYS_ONLY = /unsupported pem type|unexpected kdf parameters/;

/** Writes a policy that asks for a Sigstore signature by `pub` on everything, and where to look. */
async function demandSignature(stage: Stage, pub: string): Promise<void> {
  const signed = {
    type: 'sigstoreSigned',
    keyPath: pub,
    signedIdentity: { type: 'matchRepository' },
  };
  const policy = { default: [{ type: 'reject' }], transports: { docker: { '': [signed] } } };
  await stage.write('policy.json', JSON.stringify(policy));
  // podman reads this folder of the home when there is one; skopeo is told of it.
  await stage.write(
    '.config/containers/registries.d/all.yaml',
    'default-docker:\n  use-sigstore-attachments: true\n',
  );
}

function registriesFolder(stage: Stage): string {
  return stage.path('.config/containers/registries.d');
}

type Pull = (stage: Stage, program: string, image: string) => Promise<Run>;

const PULLERS: readonly { readonly peer: Peer; readonly pull: Pull }[] = [
  {
    peer: 'skopeo',
    pull: (stage, program, image) =>
      stage.run(program, [
        ...['--policy', stage.path('policy.json'), '--registries.d', registriesFolder(stage)],
        ...['copy', '--src-tls-verify=false', `docker://${image}`],
        `dir:${stage.path(`pulled-${image.split(':').at(-1)}`)}`,
      ]),
  },
  {
    peer: 'podman',
    pull: (stage, program, image) =>
      stage.run(program, [
        ...['--storage-driver', 'vfs', '--root', stage.path('storage')],
        ...['--runroot', stage.path('run'), '--events-backend', 'none'],
        ...['pull', '--quiet', '--tls-verify=false'],
        ...['--signature-policy', stage.path('policy.json'), image],
      ]),
  },
];

for (const { peer, pull } of PULLERS) {
  test(`${peer} finds what bulla signed, accepts it, and refuses the rest`, async (t) => {
    const program = requirePeer(t, peer);
    if (program === null) return;
    await using registry = await startRegistry({ storage: 'memory' });
    await using stage = await openStage();
    const { key, pub } = await makeKey(stage, 'release');
    const other = await makeKey(stage, 'other');
    await demandSignature(stage, pub);
    const repository = `${registry.host}/team/app`;
    for (const tag of ['signed', 'unsigned', 'foreign']) await pushSmallImage(repository, tag);
    const sign = ['sign', '--format', 'cosign-legacy', '--key'];
    await stage.succeeds([...sign, key, `${repository}:signed`]);
    await stage.succeeds([...sign, other.key, `${repository}:foreign`]);

    await t.test('the unsigned image is refused for its missing signature', async () => {
      const { code, all } = await pull(stage, program, `${repository}:unsigned`);
      assert.notEqual(code, 0, all);
      assert.match(all, /A signature was required, but no signature exists/);
    });
    await t.test('the signed image is accepted', async (nested) => {
      const { code, all } = await pull(stage, program, `${repository}:signed`);
      // The signature was found: a build that cannot check it says so only then.
      assert.doesNotMatch(all, /no signature exists/);
      if (switchedOff(nested, peer, all)) return;
      assert.equal(code, 0, all);
    });
    await t.test('an image that another key signed is refused', async (nested) => {
      const { code, all } = await pull(stage, program, `${repository}:foreign`);
      assert.notEqual(code, 0, all);
      assert.doesNotMatch(all, /no signature exists/);
      if (switchedOff(nested, peer, all)) return;
      assert.match(all, /cryptographic signature verification failed/);
    });
  });
}

function switchedOff(t: Pick<TestContext, 'skip'>, name: Peer, said: string): boolean {
  if (!said.includes(SWITCHED_OFF)) return false;
  t.skip(`this ${name} was built without Sigstore ("${SWITCHED_OFF}")`);
  return true;
}

test('skopeo carries the signature of bulla to another registry, where bulla verifies it', async (t) => {
  const skopeo = requirePeer(t, 'skopeo');
  if (skopeo === null) return;
  await using source = await startRegistry({ storage: 'memory' });
  await using target = await startRegistry({ storage: 'memory' });
  await using stage = await openStage();
  const { key, pub } = await makeKey(stage, 'release');
  await demandSignature(stage, pub);
  const image = `${source.host}/team/app:v1`;
  await pushSmallImage(`${source.host}/team/app`, 'v1');
  await stage.succeeds(['sign', '--key', key, '--format', 'cosign-legacy', image]);
  const copied = `${target.host}/mirror/app:v1`;
  await peerSucceeds(stage, skopeo, [
    ...['--insecure-policy', '--registries.d', registriesFolder(stage), 'copy'],
    ...['--src-tls-verify=false', '--dest-tls-verify=false'],
    ...[`docker://${image}`, `docker://${copied}`],
  ]);
  assert.match(await stage.succeeds(['verify', '--key', pub, copied]), /^VERIFIED/);
});

test('bulla verifies what skopeo signed', async (t) => {
  await using stage = await openStage();
  await t.test('in the recorded layout', async () => {
    const vectors = join(ROOT, 'vectors/skopeo');
    const image = `oci:${join(vectors, 'signed')}:v1`;
    const key = join(vectors, 'skopeo.pub');
    const said = await stage.succeeds(['verify', '--key', key, '--offline', image]);
    assert.match(said, /cosign-legacy {2}layer 0 of sha256-[0-9a-f]{64}\.sig/);
    const { pub } = await makeKey(stage, 'stranger');
    await stage.ends(1, ['verify', '--key', pub, '--offline', image]);
  });
  await t.test('just now', async (nested) => {
    const skopeo = requirePeer(nested, 'skopeo');
    if (skopeo === null) return;
    await using registry = await startRegistry({ storage: 'memory' });
    const { key, pub } = await makeKey(stage, 'release', { encrypted: true });
    await demandSignature(stage, pub);
    await pushSmallImage(`${registry.host}/team/app`, 'v1');
    const signed = `${registry.host}/team/signed:v1`;
    const { code, all } = await stage.run(skopeo, [
      ...['--insecure-policy', '--registries.d', registriesFolder(stage), 'copy'],
      ...['--sign-by-sigstore-private-key', key],
      ...['--sign-passphrase-file', await stage.write('passphrase', PASSPHRASE)],
      ...['--src-tls-verify=false', '--dest-tls-verify=false'],
      ...[`docker://${registry.host}/team/app:v1`, `docker://${signed}`],
    ]);
    if (switchedOff(nested, 'skopeo', all)) return;
    if (OLDER_KEYS_ONLY.test(all)) {
      nested.skip('this skopeo opens private keys of cosign 1 only');
      return;
    }
    assert.equal(code, 0, all);
    assert.match(await stage.succeeds(['verify', '--key', pub, signed]), /^VERIFIED/);
  });
});
