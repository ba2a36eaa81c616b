import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { Descriptor } from '@bulla/trust/oci/descriptor';
import { MEDIA_TYPES } from '@bulla/trust/oci/manifest';
import type { StoredManifest } from '@bulla/trust/oci/store';
import { codesOf } from '../sigstore-lab/findings.ts';
import { openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { judgeArtifact, keyed } from '../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Indexes that nobody signed, whose leaf that a node runs is not the leaf that a verifier sees.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const asked = { authorities: [keyed(KEY)], requirements: { log: false } };
const LINUX = { os: 'linux', architecture: 'amd64' };

function descriptor(of: StoredManifest, more: object = {}): Descriptor {
  const { mediaType, digest, bytes } = of;
  return { mediaType, digest, size: bytes.length, platform: LINUX, ...more };
}

/** A repository with a signed leaf and an unsigned one, and the index that `write` makes of them. */
function repositoryOf(write: (signed: StoredManifest, evil: StoredManifest) => string) {
  const repository = openRepository();
  const signed = putImage(repository, 'signed');
  const evil = putImage(repository, 'evil');
  const shape = { by: KEY, payload: statement(signed.digest), logs: [], stampedAt: [] };
  attachBundle(repository, signed, bundleEvidence(mintBundle(lab, shape)));
  const text = write(signed, evil);
  repository.plant(utf8(text), { tag: 'v1', mediaType: MEDIA_TYPES.ociIndex });
  return repository;
}

function index(members: object): string {
  return JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, ...members });
}

const ATTACKS: readonly {
  readonly name: string;
  readonly write: Parameters<typeof repositoryOf>[0];
  readonly code: string;
}[] = [
  {
    name: 'a leaf of a real platform that is labelled as a buildx attestation',
    write: (signed, evil) => {
      const label = { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } };
      return index({ manifests: [descriptor(evil, label), descriptor(signed)] });
    },
    code: 'signature.none',
  },
  {
    name: 'a leaf without a platform that is labelled as a buildx attestation',
    write: (signed, evil) => {
      const label = { annotations: { 'vnd.docker.reference.type': 'x' }, platform: undefined };
      return index({ manifests: [descriptor(signed), descriptor(evil, label)] });
    },
    code: 'signature.none',
  },
  {
    name: 'a second list of children that Go’s decoder takes for the first',
    write: (signed, evil) =>
      index({ manifests: [descriptor(signed)], Manifests: [descriptor(evil)] }),
    code: 'manifest.ambiguous',
  },
  {
    name: 'the same, spelt with a long s',
    write: (signed, evil) =>
      index({ manifests: [descriptor(signed)], manifeſts: [descriptor(evil)] }),
    code: 'manifest.ambiguous',
  },
  {
    name: 'a second digest of a child that Go’s decoder takes for the first',
    write: (signed, evil) => index({ manifests: [{ ...descriptor(signed), Digest: evil.digest }] }),
    code: 'manifest.ambiguous',
  },
  {
    name: 'a second media type of a child',
    write: (signed) =>
      index({ manifests: [{ ...descriptor(signed), MediaType: MEDIA_TYPES.ociIndex }] }),
    code: 'manifest.ambiguous',
  },
  {
    name: 'a second operating system of a child, which hides it as a buildx attestation',
    write: (signed, evil) => {
      const platform = {
        os: 'unknown',
        architecture: 'unknown',
        OS: 'linux',
        Architecture: 'amd64',
      };
      return index({ manifests: [descriptor(signed), descriptor(evil, { platform })] });
    },
    code: 'manifest.ambiguous',
  },
];

for (const { name, write, code } of ATTACKS) {
  for (const tree of ['leaf', 'any'] as const) {
    test(`${name}, asked for ${tree}`, async () => {
      const repository = repositoryOf(write);
      const placed = { source: repository, tagOrDigest: 'v1', tree };
      const { finding, covers } = await judgeArtifact(lab, placed, asked);
      assert.equal(finding.outcome, 'fail', renderFinding(finding).join('\n'));
      assert.ok(codesOf(finding).includes(code), renderFinding(finding).join('\n'));
      assert.deepEqual(covers, []);
    });
  }
}

test('an honest index of the signed leaf alone passes', async () => {
  const repository = repositoryOf((signed) => index({ manifests: [descriptor(signed)] }));
  const placed = { source: repository, tagOrDigest: 'v1', tree: 'leaf' as const };
  const { finding } = await judgeArtifact(lab, placed, asked);
  assert.equal(finding.outcome, 'pass', renderFinding(finding).join('\n'));
});
