// Journeys with the independent Sigstore clients: sigstore-js in both directions by key, and
// sigstore for Python, which knows identities only, beside Bulla on the same bundles.
import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { startRegistry } from '@bulla/server/registry';
import { requirePeer } from '../test/peers.ts';
import { pushSmallImage } from './artifact.ts';
import { makeKey, openStage, ROOT, type Stage } from './stage.ts';

// The package `sigstore` takes its trust root from the network; the parts that it is made of do not.
const parts = createRequire(import.meta.resolve('sigstore'));

interface SigstoreVerify {
  readonly Verifier: new (
    material: unknown,
    options: Readonly<Record<string, number>>,
  ) => { verify(entity: unknown): unknown };
  readonly toTrustMaterial: (root: unknown, key: (hint: string) => unknown) => unknown;
  readonly toSignedEntity: (bundle: unknown, message?: Buffer) => unknown;
}

interface Builder {
  create(artifact: { readonly data: Buffer; readonly type?: string }): Promise<unknown>;
}

interface SigstoreSign {
  readonly DSSEBundleBuilder: new (options: unknown) => Builder;
  readonly MessageSignatureBundleBuilder: new (options: unknown) => Builder;
}

interface SigstoreBundle {
  readonly bundleFromJSON: (document: unknown) => unknown;
  readonly bundleToJSON: (bundle: unknown) => unknown;
}

const verifying: SigstoreVerify = parts('@sigstore/verify');
const signing: SigstoreSign = parts('@sigstore/sign');
const bundles: SigstoreBundle = parts('@sigstore/bundle');
const NO_SERVICES = { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 };

/** Whether sigstore-js accepts the bundle in a file for this key (and these bytes). */
async function sigstoreJsAccepts(path: string, pub: string, message?: Buffer): Promise<boolean> {
  const publicKey = createPublicKey(await readFile(pub, 'utf8'));
  const root = { tlogs: [], ctlogs: [], certificateAuthorities: [], timestampAuthorities: [] };
  const material = verifying.toTrustMaterial(root, () => ({ publicKey, validFor: () => true }));
  const bundle = bundles.bundleFromJSON(JSON.parse(await readFile(path, 'utf8')));
  const entity = verifying.toSignedEntity(bundle, message);
  try {
    new verifying.Verifier(material, NO_SERVICES).verify(entity);
    return true;
  } catch (error) {
    assert.equal(Reflect.get(Object(error), 'code'), 'SIGNATURE_ERROR', String(error));
    return false;
  }
}

test('sigstore-js accepts the bundles that bulla writes', async (t) => {
  await using registry = await startRegistry({ storage: 'memory' });
  await using stage = await openStage();
  const { pub: stranger } = await makeKey(stage, 'stranger');
  const file = await stage.write('release.tar', 'what is released');
  const image = `${registry.host}/team/app:v1`;
  await pushSmallImage(`${registry.host}/team/app`, 'v1');
  for (const type of ['p256', 'rsa3072', 'ed25519']) {
    const { key, pub } = await makeKey(stage, type, { type });
    const accepts = async (name: string, message?: string) => {
      const bytes = message === undefined ? undefined : Buffer.from(message);
      assert.ok(await sigstoreJsAccepts(stage.path(name), pub, bytes));
      if (type === 'p256') {
        assert.equal(await sigstoreJsAccepts(stage.path(name), stranger, bytes), false);
      }
    };
    await t.test(`${type}: of an image`, async () => {
      await stage.succeeds(['sign', '--key', key, '--bundle', `${type}-image.json`, image]);
      await accepts(`${type}-image.json`);
    });
    await t.test(`${type}: of a statement on a file`, async () => {
      const predicate = await stage.write('predicate.json', '{"tested":true}');
      const bundle = ['--bundle', `${type}-statement.json`];
      const attest = ['blob', 'attest', '--key', key, '--predicate', predicate];
      await stage.succeeds([...attest, ...bundle, file]);
      await accepts(`${type}-statement.json`);
    });
    // sigstore-js knows no Ed25519ph, which signatures over digests by Ed25519 keys are.
    if (type === 'ed25519') continue;
    await t.test(`${type}: of a file`, async () => {
      await stage.succeeds(['blob', 'sign', '--key', key, '--bundle', `${type}.json`, file]);
      await accepts(`${type}.json`, 'what is released');
      const changed = Buffer.from('what is changed');
      assert.equal(await sigstoreJsAccepts(stage.path(`${type}.json`), pub, changed), false);
    });
  }
});

/** A signer of sigstore-js that holds a key of Bulla's. */
function sigstoreJsSigner(key: KeyObject): unknown {
  return {
    sign: async (data: Buffer) => ({
      signature: sign('sha256', data, key),
      key: { $case: 'publicKey', publicKey: '', hint: 'a hint that says nothing' },
    }),
  };
}

test('bulla accepts the bundles that sigstore-js writes', async (t) => {
  await using stage = await openStage();
  await stage.succeeds(['key', 'generate', '--plain', '--output-key-prefix', 'js']);
  const signer = sigstoreJsSigner(createPrivateKey(await readFile(stage.path('js.key'), 'utf8')));
  const options = { signer, witnesses: [] };
  const file = await stage.write('release.tar', 'what is released');
  const changed = await stage.write('changed.tar', 'what is changed');

  await t.test('of a file', async () => {
    const builder = new signing.MessageSignatureBundleBuilder(options);
    await writeBundle(stage, 'file.json', await builder.create({ data: await readFile(file) }));
    const verify = ['blob', 'verify', '--key', 'js.pub', '--bundle', 'file.json'];
    assert.match(await stage.succeeds([...verify, file]), /^VERIFIED/);
    assert.match(await stage.ends(1, [...verify, changed]), /^REFUSED/);
  });
  await t.test('of a statement', async () => {
    const sha256 = 'a5b3ff61d5c0eaa9a2f7b9b4bd2ec0ef1cc25e4d1a6b3eb1f6b8d1dcdd6b3e02';
    const statement = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'release.tar', digest: { sha256 } }],
      predicateType: 'https://slsa.dev/provenance/v1',
      predicate: { buildDefinition: {}, runDetails: {} },
    };
    const data = Buffer.from(JSON.stringify(statement));
    const builder = new signing.DSSEBundleBuilder(options);
    const envelope = await builder.create({ data, type: 'application/vnd.in-toto+json' });
    await writeBundle(stage, 'statement.json', envelope);
    const verify = ['blob', 'verify', '--key', 'js.pub', '--bundle', 'statement.json'];
    const attested = [...verify, '--attested', 'slsaprovenance1', '--digest'];
    assert.match(await stage.succeeds([...attested, `sha256:${sha256}`]), /^VERIFIED/);
    await stage.ends(1, [...attested, `sha256:${'0'.repeat(64)}`]);
    await stage.ends(1, [...verify, '--digest', `sha256:${sha256}`]);
  });
});

async function writeBundle(stage: Stage, name: string, bundle: unknown): Promise<void> {
  await stage.write(name, JSON.stringify(bundles.bundleToJSON(bundle)));
}

const COSIGN = join(ROOT, 'vectors/cosign');
const DEV = 'dev@acme.example';

const IDENTITY_CASES = [
  { name: 'a keyless bundle', bundle: 'keyless', file: 'artifact.txt', who: DEV, accepted: true },
  { name: 'another file', bundle: 'keyless', file: 'empty.bin', who: DEV, accepted: false },
  {
    name: 'another identity',
    bundle: 'keyless',
    file: 'artifact.txt',
    who: 'x@acme.example',
    accepted: false,
  },
  {
    name: 'no log entry',
    bundle: 'edit-no-tlog',
    file: 'artifact.txt',
    who: DEV,
    accepted: false,
  },
];

test('bulla and sigstore for Python say the same of keyless bundles', async (t) => {
  const python = requirePeer(t, 'sigstore-python');
  if (python === null) return;
  await using stage = await openStage();
  const trustedRoot = join(COSIGN, 'trust/trusted_root.json');
  const read = async (path: string) => JSON.parse(await readFile(path, 'utf8'));
  const config = await stage.write(
    'trust-config.json',
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.clienttrustconfig.v0.1+json',
      trustedRoot: await read(trustedRoot),
      signingConfig: await read(join(COSIGN, 'trust/signing_config.json')),
    }),
  );
  const issuer = 'http://127.0.0.1:7005';
  for (const { name, bundle, file, who, accepted } of IDENTITY_CASES) {
    await t.test(`${name}: ${accepted ? 'accepted' : 'refused'}`, async () => {
      const bundlePath = join(COSIGN, 'blobs', `${bundle}.sigstore.json`);
      const filePath = join(COSIGN, 'blobs', file);
      const theirs = await stage.run(python, [
        ...['--trust-config', config, 'verify', 'identity', '--offline', '--bundle', bundlePath],
        ...['--cert-identity', who, '--cert-oidc-issuer', issuer, filePath],
      ]);
      assert.equal(theirs.code, accepted ? 0 : 1, theirs.all);
      await stage.ends(accepted ? 0 : 1, [
        ...['blob', 'verify', '--trusted-root', trustedRoot, '--bundle', bundlePath],
        ...['--certificate-identity', who, '--certificate-oidc-issuer', issuer, filePath],
      ]);
    });
  }
});
