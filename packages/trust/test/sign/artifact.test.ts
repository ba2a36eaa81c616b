import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { attachLegacy } from '@bulla/trust/formats/cosign-legacy/attach';
import { companionTag } from '@bulla/trust/formats/cosign-legacy/layer';
import { signLegacy } from '@bulla/trust/formats/cosign-legacy/sign';
import type { Digest } from '@bulla/trust/oci/digest';
import { parseManifest } from '@bulla/trust/oci/manifest';
import { NO_SERVICES, type SigningServices } from '@bulla/trust/proof/services';
import { attestArtifact, type SignArtifactOptions, signArtifact } from '@bulla/trust/sign';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import { judgeArtifact, keyed } from '../sigstore-lab/question.ts';
import {
  type LabRepository,
  openRepository,
  putImage,
  putIndex,
} from '../sigstore-lab/repository.ts';
import { garblingSigner, signerOf } from '../sigstore-lab/signer.ts';
import { testKey } from '../tlog/synthetic-log.ts';

const lab = openLab();
const stranger = openLab();
const KEY = testKey('ecdsa-p256');
const OTHER = testKey('ecdsa-p256');

/** The lab's own witnesses, as a signing configuration would name them. */
function servicesOf(from: typeof lab): SigningServices {
  return {
    timestamp: async (signature) => [from.tsa.stamp(signature, NOW)],
    log: async ({ digest, signature }) => [logged(from, digest, signature)],
  };
}

/** The log is handed a digest only; the lab's log takes the signed bytes, so it is told the digest. */
function logged(from: typeof lab, digest: Uint8Array, signature: Uint8Array) {
  const spec = {
    hashedRekordV002: {
      data: { algorithm: 'SHA2_256', digest: Buffer.from(digest).toString('base64') },
      signature: {
        content: Buffer.from(signature).toString('base64'),
        verifier: {
          publicKey: { rawBytes: Buffer.from(KEY.publicKey.spki).toString('base64') },
          keyDetails: 'PKIX_ECDSA_P256_SHA_256',
        },
      },
    },
  };
  const body = Buffer.from(JSON.stringify({ apiVersion: '0.0.2', kind: 'hashedrekord', spec }));
  return from.tlog.appendBody('hashedrekord', '0.0.2', body, NOW);
}

function optionsFor(
  target: LabRepository,
  more: Partial<SignArtifactOptions> = {},
): SignArtifactOptions {
  return {
    target,
    tagOrDigest: 'v1',
    dockerReference: 'registry.example/app',
    formats: ['sigstore-bundle'],
    annotations: {},
    recursive: false,
    upload: true,
    signer: signerOf(KEY),
    services: NO_SERVICES,
    trustRoot: null,
    at: NOW,
    now: () => 0,
    ...more,
  };
}

function repositoryWithImage(): LabRepository {
  const repository = openRepository();
  putImage(repository, 'an image', { tag: 'v1' });
  return repository;
}

const isFault = (code: string) => (error: unknown) =>
  error instanceof TrustFault && error.code === code && error.remedy !== '';

const writes = (repository: LabRepository) =>
  repository.calls.filter((call) => call.startsWith('put'));

test('what is signed in each format verifies, with its annotations and the services’ answers', async () => {
  for (const formats of [
    ['sigstore-bundle'],
    ['cosign-legacy'],
    ['sigstore-bundle', 'cosign-legacy'],
  ] as const) {
    for (const withServices of [false, true]) {
      const repository = repositoryWithImage();
      const annotations = { env: 'prod' };
      const documents = await signArtifact(
        optionsFor(repository, {
          formats,
          annotations,
          ...(withServices ? { services: servicesOf(lab), trustRoot: lab.trustRoot } : {}),
        }),
      );
      assert.deepEqual(
        documents.map(({ format }) => format),
        formats,
      );
      const isLogged = withServices && formats[0] === 'sigstore-bundle';
      const { finding } = await judgeArtifact(
        lab,
        { source: repository, tagOrDigest: 'v1' },
        {
          authorities: [keyed(KEY)],
          wanted: { kind: 'signature', annotations },
          requirements: { log: isLogged },
        },
      );
      assert.equal(finding.outcome, 'pass', renderFinding(finding).join('\n'));
    }
  }
});

test('an attestation verifies as what it is', async () => {
  const repository = repositoryWithImage();
  const { upload, signer, services, trustRoot, at, now, target, tagOrDigest } =
    optionsFor(repository);
  const document = await attestArtifact({
    upload,
    signer,
    services,
    trustRoot,
    at,
    now,
    target,
    tagOrDigest,
    subjectName: 'registry.example/app',
    type: 'vuln',
    predicate: { scanner: {} },
  });
  assert.notEqual(document.stored, null);
  const ask = (predicateType: string) =>
    judgeArtifact(
      lab,
      { source: repository, tagOrDigest: 'v1' },
      {
        authorities: [keyed(KEY)],
        wanted: { kind: 'attestation', predicateType },
        requirements: { trustRoot: null },
      },
    );
  const vuln = await ask('https://cosign.sigstore.dev/attestation/vuln/v1');
  assert.equal(vuln.finding.outcome, 'pass');
  const provenance = await ask('https://slsa.dev/provenance/v1');
  assert.equal(provenance.finding.code, 'statement.missing');
});

test('a signer that signs garbage is found out before anything is pushed', async () => {
  for (const format of ['sigstore-bundle', 'cosign-legacy'] as const) {
    const repository = repositoryWithImage();
    const options = optionsFor(repository, { signer: garblingSigner(KEY), formats: [format] });
    await assert.rejects(signArtifact(options), isFault('sign.not-verified'));
    assert.deepEqual(writes(repository), []);
  }
});

test('services that do not belong to the trust root are found out before anything is pushed', async () => {
  const mixed = [
    { name: 'a stranger’s log', services: { ...servicesOf(lab), log: servicesOf(stranger).log } },
    {
      name: 'a stranger’s timestamps',
      services: { ...servicesOf(lab), timestamp: servicesOf(stranger).timestamp },
    },
    {
      name: 'a timestamp over something else',
      services: { ...servicesOf(lab), timestamp: async () => [lab.tsa.stamp(Buffer.of(1), NOW)] },
    },
    {
      name: 'a timestamp that is none',
      services: { ...servicesOf(lab), timestamp: async () => [Buffer.of(0x30, 0)] },
    },
    {
      name: 'no log entry where the trust root names a log',
      services: { ...servicesOf(lab), log: async () => [] },
    },
  ];
  for (const { name, services } of mixed) {
    const repository = repositoryWithImage();
    const options = optionsFor(repository, { services, trustRoot: lab.trustRoot });
    await assert.rejects(signArtifact(options), isFault('sign.not-verified'), name);
    assert.deepEqual(writes(repository), [], name);
  }
});

test('a service that is away stops the signing before anything is pushed', async () => {
  const repository = repositoryWithImage();
  const away = async () => {
    throw new TrustFault('registry.unreachable', 'no answer');
  };
  const options = optionsFor(repository, { services: { ...servicesOf(lab), timestamp: away } });
  await assert.rejects(signArtifact(options), isFault('registry.unreachable'));
  assert.deepEqual(writes(repository), []);
});

test('a registry that takes the signature and does not serve it is told', async () => {
  const lost = repositoryWithImage();
  lost.faults = { putManifest: () => 'lose' };
  await assert.rejects(signArtifact(optionsFor(lost)), isFault('sign.not-served'));
  const unlisted = repositoryWithImage();
  unlisted.faults = { referrers: () => [] };
  await assert.rejects(signArtifact(optionsFor(unlisted)), isFault('sign.not-served'));
  const layers = repositoryWithImage();
  layers.faults = { putManifest: () => 'lose' };
  const legacy = optionsFor(layers, { formats: ['cosign-legacy'] });
  await assert.rejects(signArtifact(legacy), isFault('registry.referrer-lost'));
});

test('a registry that serves another signature than it took is told', async () => {
  const repository = repositoryWithImage();
  repository.faults = { blob: () => Buffer.from('{}') };
  await assert.rejects(signArtifact(optionsFor(repository)), isFault('sign.not-verified'));
});

test('nothing half-written: no manifest when a blob cannot be uploaded', async () => {
  for (const format of ['sigstore-bundle', 'cosign-legacy'] as const) {
    const repository = repositoryWithImage();
    repository.faults = {
      putBlob: () => {
        throw new TrustFault('registry.server-error', 'the disk is full');
      },
    };
    const options = optionsFor(repository, { formats: [format] });
    await assert.rejects(signArtifact(options), isFault('registry.server-error'));
    assert.deepEqual(
      writes(repository).filter((call) => call.startsWith('putManifest')),
      [],
    );
    assert.equal(repository.manifests.size, 1);
  }
});

test('blobs come before the manifest that names them', async () => {
  for (const format of ['sigstore-bundle', 'cosign-legacy'] as const) {
    const repository = repositoryWithImage();
    await signArtifact(optionsFor(repository, { formats: [format] }));
    const kinds = writes(repository).map((call) => call.split(' ')[0]);
    assert.equal(kinds.at(-1), 'putManifest');
    assert.equal(kinds.filter((kind) => kind === 'putManifest').length, 1);
  }
});

test('without upload nothing is written, and the signature is returned', async () => {
  const repository = repositoryWithImage();
  const formats = ['sigstore-bundle', 'cosign-legacy'] as const;
  const documents = await signArtifact(optionsFor(repository, { upload: false, formats }));
  assert.deepEqual(
    documents.map(({ stored, tag }) => [stored, tag]),
    [
      [null, null],
      [null, null],
    ],
  );
  assert.deepEqual(writes(repository), []);
});

test('an index is signed after each of its runnable children, each once', async () => {
  const repository = openRepository();
  const leaf = putImage(repository, 'leaf');
  const platform = (architecture: string) => ({ platform: { os: 'linux', architecture } });
  const buildx = putImage(repository, 'buildx');
  const index = putIndex(
    repository,
    [
      { of: leaf, more: platform('amd64') },
      { of: leaf, more: platform('arm64') },
      { of: buildx, more: { platform: { os: 'unknown', architecture: 'unknown' } } },
    ],
    { tag: 'v1' },
  );
  const documents = await signArtifact(optionsFor(repository, { recursive: true }));
  assert.deepEqual(
    documents.map(({ subject }) => subject),
    [leaf.digest, index.digest],
  );
});

test('indexes that fan out without end are not signed', async () => {
  const repository = openRepository();
  let children = [putImage(repository, 'leaf')];
  for (let level = 0; level < 6; level++) {
    children = [
      putIndex(
        repository,
        children.map((of) => ({ of })),
      ),
    ];
  }
  const [root] = children;
  const options = optionsFor(repository, { recursive: true, tagOrDigest: root?.digest ?? '' });
  await assert.rejects(signArtifact(options), isFault('registry.limit'));
  assert.deepEqual(writes(repository), []);
});

test('what is not there cannot be signed', async () => {
  const options = optionsFor(openRepository());
  await assert.rejects(signArtifact(options), isFault('artifact.not-found'));
});

/** The signatures under the tag of an image, in base64. */
function layersUnder(repository: LabRepository, digest: Digest): readonly string[] {
  const stored = repository.manifests.get(repository.tagged.get(companionTag(digest, 'sig')) ?? '');
  if (stored === undefined) return [];
  const manifest = parseManifest(stored);
  assert.ok(manifest.kind === 'image');
  return manifest.layers.map(
    ({ annotations }) => annotations?.['dev.cosignproject.cosign/signature'] ?? '',
  );
}

async function layerBy(key: typeof KEY, digest: Digest) {
  const content = { dockerReference: 'registry.example/app', digest, annotations: {} };
  return signLegacy(content, signerOf(key), NO_SERVICES);
}

test('two signers of the tag scheme at once both end up there', async () => {
  const repository = repositoryWithImage();
  const [image] = repository.manifests.values();
  assert.ok(image !== undefined);
  const layers = await Promise.all([KEY, OTHER].map((key) => layerBy(key, image.digest)));
  await Promise.all(layers.map((layer) => attachLegacy(repository, image.digest, 'sig', layer)));
  const found = layersUnder(repository, image.digest);
  assert.equal(new Set(found).size, 2);
  const { finding } = await judgeArtifact(
    lab,
    { source: repository, tagOrDigest: 'v1' },
    {
      authorities: [keyed(KEY, 'a'), keyed(OTHER, 'b')],
      atLeast: 2,
      requirements: { trustRoot: null },
    },
  );
  assert.equal(finding.outcome, 'pass', renderFinding(finding).join('\n'));
});

test('a signer whose tag is overwritten between write and read-back writes it again', async () => {
  const repository = repositoryWithImage();
  const [image] = repository.manifests.values();
  assert.ok(image !== undefined);
  const mine = await layerBy(KEY, image.digest);
  const theirs = await layerBy(OTHER, image.digest);
  let interfered = false;
  const tag = companionTag(image.digest, 'sig');
  const { putManifest } = repository;
  const racing = {
    ...repository,
    putManifest: async (...call: Parameters<typeof putManifest>) => {
      const digest = await putManifest(...call);
      if (!interfered) {
        interfered = true;
        // Another signer, who read the empty tag before, writes over it now.
        repository.tagged.delete(tag);
        await attachLegacy(repository, image.digest, 'sig', theirs);
      }
      return digest;
    },
  };
  await attachLegacy(racing, image.digest, 'sig', mine);
  assert.equal(new Set(layersUnder(repository, image.digest)).size, 2);
});

test('a tag that is always overwritten is a fault, not a loop', async () => {
  const repository = repositoryWithImage();
  const [image] = repository.manifests.values();
  assert.ok(image !== undefined);
  const layer = await layerBy(KEY, image.digest);
  repository.faults = { putManifest: () => 'lose' };
  const attached = attachLegacy(repository, image.digest, 'sig', layer);
  await assert.rejects(attached, isFault('registry.referrer-lost'));
});

test('signing again with the same signature changes nothing', async () => {
  const repository = repositoryWithImage();
  const [image] = repository.manifests.values();
  assert.ok(image !== undefined);
  const layer = await layerBy(KEY, image.digest);
  const first = await attachLegacy(repository, image.digest, 'sig', layer);
  const second = await attachLegacy(repository, image.digest, 'sig', layer);
  assert.equal(first, second);
  assert.equal(layersUnder(repository, image.digest).length, 1);
});
