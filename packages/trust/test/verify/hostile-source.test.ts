import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { TrustFault } from '@bulla/trust/fault/fault';
import { failingLeaves } from '@bulla/trust/finding/render-json';
import { remedyOf, renderFinding } from '@bulla/trust/finding/render-text';
import { exitCodeOf } from '@bulla/trust/finding/verdict';
import type { Evidence } from '@bulla/trust/proof/evidence';
import { codesOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import {
  bundleEvidence,
  type Json,
  LEGACY,
  mintBundle,
  mintLegacy,
  simpleSigning,
  statement,
} from '../sigstore-lab/mint.ts';
import { set } from '../sigstore-lab/mutations.ts';
import { DEV, judgeArtifact, judgeBlob, keyed, keyless } from '../sigstore-lab/question.ts';
import {
  attachBundle,
  attachLayers,
  type LabRepository,
  openRepository,
  putImage,
} from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

/** Broken documents of both formats, and sources that lie, stall and fail. */

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const DIGEST = `sha256:${'3'.repeat(64)}` as const;
const issued = lab.ca.issue({ ...DEV, at: NOW });
const authorities = [keyless(), keyed(KEY)];
const base64 = (text: string) => Buffer.from(text).toString('base64');
const BUNDLE = mintBundle(lab, { by: issued, payload: statement(DIGEST) });
const LAYER = mintLegacy(lab, { by: issued, digest: DIGEST, loggedAt: NOW, stampedAt: NOW });

const STAMPED = mintLegacy(lab, { by: issued, digest: DIGEST, stampedAt: NOW });

/** JSON that no parser should take. */
const BROKEN: readonly { readonly name: string; readonly text: string }[] = [
  { name: 'truncated', text: '{"a":{"b":' },
  { name: 'empty', text: '' },
  { name: 'nested deeply', text: `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}` },
  { name: 'with a key twice', text: '{"a":1,"a":2}' },
  { name: 'a list', text: '[]' },
  { name: 'a number', text: '1e999' },
  { name: 'null', text: 'null' },
  { name: 'a page', text: '<!doctype html><title>502</title>' },
  { name: 'with a byte-order mark', text: '\ufeff{}' },
  { name: 'with __proto__', text: '{"__proto__":{"kind":"x"}}' },
  {
    name: 'with members of other types',
    text: '{"critical":7,"mediaType":[],"subject":{},"kind":1}',
  },
];

/** Where such JSON can stand. */
const PLACES: readonly {
  readonly name: string;
  evidence(text: string): Evidence;
  readonly log?: false;
}[] = [
  { name: 'the bundle', evidence: (text) => bundleEvidence(utf8(text)) },
  {
    name: 'the statement',
    evidence: (text) => bundleEvidence(mintBundle(lab, { by: issued, payload: utf8(text) })),
  },
  {
    name: 'the log entry’s body',
    evidence: (text) =>
      bundleEvidence(
        set(BUNDLE, 'verificationMaterial.tlogEntries.0.canonicalizedBody', base64(text)),
      ),
  },
  { name: 'the payload of the tag scheme', evidence: (text) => ({ ...LAYER, bytes: utf8(text) }) },
  {
    name: 'an envelope of the tag scheme',
    evidence: (text) => ({
      ...LAYER,
      bytes: utf8(text),
      mediaType: 'application/vnd.dsse.envelope.v1+json',
    }),
  },
  {
    name: 'the promise of the tag scheme',
    // An empty annotation is an absent one: then the timestamp would do.
    evidence: (text) => annotated(LEGACY.bundle, text === '' ? ' ' : text),
  },
  {
    name: 'the timestamp of the tag scheme',
    evidence: (text) => annotated(LEGACY.timestamp, text, STAMPED),
    log: false,
  },
];

function annotated(name: string, text: string, layer = LAYER): Evidence {
  return { ...layer, annotations: { ...layer.annotations, [name]: text } };
}

for (const { name: place, evidence, log = true } of PLACES) {
  test(`broken JSON in ${place} is refused with a code and a remedy`, async () => {
    for (const { name, text } of BROKEN) {
      const { finding } = await judgeBlob(lab, DIGEST, [evidence(text)], {
        authorities,
        requirements: { log },
      });
      const tree = renderFinding(finding).join('\n');
      assert.equal(finding.outcome, 'fail', `${name}\n${tree}`);
      assert.equal(exitCodeOf(finding), 1, name);
      for (const leaf of failingLeaves(finding)) {
        assert.ok(leaf.code !== undefined && leaf.code !== 'internal.defect', `${name}\n${tree}`);
        assert.ok((remedyOf(leaf) ?? '') !== '', name);
        assert.doesNotMatch(leaf.says, /\n\s+at |node:internal|\.ts:\d/, name);
      }
    }
  });
}

test('a bundle cut anywhere is refused', async () => {
  const text = JSON.stringify(BUNDLE);
  for (let length = 0; length < text.length; length += 97) {
    const evidence = bundleEvidence(utf8(text.slice(0, length)));
    const { finding } = await judgeBlob(lab, DIGEST, [evidence], { authorities });
    assert.equal(finding.outcome, 'fail', `${length} bytes`);
    assert.deepEqual(codesOf(finding), ['json.malformed']);
  }
});

test('oversized documents are refused by their size', async () => {
  const big = utf8(`{"a":"${'x'.repeat(2 << 20)}"}`);
  const layer = { ...LAYER, bytes: big };
  const { finding } = await judgeBlob(lab, DIGEST, [layer], { authorities });
  assert.deepEqual(codesOf(finding), ['json.limit']);
});

test('lists without end are refused', async () => {
  const many = <T>(item: T) => Array.from({ length: 70 }, () => item);
  const material = BUNDLE['verificationMaterial'] as Json;
  const [entry] = material['tlogEntries'] as readonly Json[];
  const [signature] = (BUNDLE['dsseEnvelope'] as Json)['signatures'] as readonly Json[];
  const changes = [
    set(BUNDLE, 'verificationMaterial.tlogEntries', many(entry)),
    set(BUNDLE, 'dsseEnvelope.signatures', many(signature)),
    set(
      BUNDLE,
      'verificationMaterial.timestampVerificationData.rfc3161Timestamps',
      many({ signedTimestamp: 'AAAA' }),
    ),
    set(BUNDLE, 'verificationMaterial.tlogEntries.0.inclusionProof.hashes', many('AAAA')),
  ];
  for (const bundle of changes) {
    const { finding } = await judgeBlob(lab, DIGEST, [bundleEvidence(bundle)], { authorities });
    assert.equal(finding.outcome, 'fail');
    assert.deepEqual(codesOf(finding), ['bundle.malformed']);
  }
});

function signedImage(): {
  readonly repository: LabRepository;
  readonly digest: `sha256:${string}` | `sha512:${string}`;
} {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const bundle = mintBundle(lab, { by: KEY, payload: statement(image.digest) });
  attachBundle(repository, image, bundleEvidence(bundle));
  return { repository, digest: image.digest };
}

test('a list of referrers with foreign and broken entries shows the good one', async () => {
  const { repository, digest } = signedImage();
  const foreign = putImage(repository, 'somebody’s referrer');
  repository.faults = {
    referrers: (_, found) => [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: `sha256:${'e'.repeat(64)}`,
        size: 9,
        artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      },
      { mediaType: 'text/html', digest: foreign.digest, size: 1, artifactType: 'text/html' },
      { mediaType: foreign.mediaType, digest: foreign.digest, size: foreign.bytes.length },
      ...found,
      ...found,
    ],
  };
  const placed = { source: repository, tagOrDigest: 'v1' };
  const verdict = await judgeArtifact(lab, placed, { authorities });
  assert.equal(verdict.finding.outcome, 'pass', renderFinding(verdict.finding).join('\n'));
  assert.equal(verdict.digest, digest);
  // The one that is listed and not there is told; the foreign ones are nobody's business here.
  assert.ok(codesOf(verdict.finding).includes('bundle.referrer'));
  assert.equal(verdict.evidence.length, 1, 'listed twice, looked at once');
});

test('entries that the source cannot read are failed findings', async () => {
  const { repository } = signedImage();
  const listing = {
    ...repository,
    referrers: async () => ({ descriptors: [], by: 'tag' as const, broken: ['expected a digest'] }),
  };
  const placed = { source: listing, tagOrDigest: 'v1' };
  const { finding } = await judgeArtifact(lab, placed, { authorities });
  assert.equal(finding.outcome, 'fail');
  assert.deepEqual(codesOf(finding), ['manifest.malformed']);
});

const SIGNATURE_TAGS: readonly {
  readonly name: string;
  readonly document: unknown;
  readonly mediaType?: string;
  readonly code: string;
}[] = [
  {
    name: 'an index',
    document: { schemaVersion: 2, manifests: [] },
    mediaType: 'application/vnd.oci.image.index.v1+json',
    code: 'cosign-legacy.malformed',
  },
  { name: 'no JSON', document: utf8('hello'), code: 'json.malformed' },
  { name: 'no layers', document: { schemaVersion: 2, config: {} }, code: 'manifest.malformed' },
  {
    name: 'another type inside',
    document: { schemaVersion: 2, mediaType: 'x/y', config: {}, layers: [] },
    code: 'manifest.malformed',
  },
  {
    name: 'a manifest of schema 1',
    document: { schemaVersion: 1 },
    mediaType: 'application/vnd.docker.distribution.manifest.v1+json',
    code: 'manifest.unsupported',
  },
];

for (const { name, document, mediaType, code } of SIGNATURE_TAGS) {
  test(`a signature tag that names ${name} is refused`, async () => {
    const repository = openRepository();
    const image = putImage(repository, 'an image', { tag: 'v1' });
    const tag = `${image.digest.replace(':', '-')}.sig`;
    repository.plant(document, { tag, ...(mediaType === undefined ? {} : { mediaType }) });
    const placed = { source: repository, tagOrDigest: 'v1' };
    const { finding } = await judgeArtifact(lab, placed, { authorities });
    assert.equal(finding.outcome, 'fail', renderFinding(finding).join('\n'));
    assert.deepEqual(codesOf(finding), [code]);
  });
}

test('a layer that the registry lacks is a refusal', async () => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  attachLayers(repository, image.digest, 'sig', [
    mintLegacy(lab, { by: KEY, digest: image.digest }),
  ]);
  repository.faults = { blob: () => null };
  const placed = { source: repository, tagOrDigest: 'v1' };
  const { finding } = await judgeArtifact(lab, placed, { authorities });
  assert.equal(finding.outcome, 'fail');
  assert.deepEqual(codesOf(finding), ['cosign-legacy.malformed']);
});

test('layers that together would fill the memory are refused unread', async () => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const layer = mintLegacy(lab, { by: KEY, digest: image.digest });
  const manifest = attachLayers(
    repository,
    image.digest,
    'sig',
    Array.from({ length: 20 }, () => layer),
  );
  const document = JSON.parse(Buffer.from(manifest.bytes).toString());
  for (const entry of document.layers) entry.size = 100 << 20;
  repository.plant(document, { tag: `${image.digest.replace(':', '-')}.sig` });
  const placed = { source: repository, tagOrDigest: 'v1' };
  const { finding } = await judgeArtifact(lab, placed, { authorities });
  assert.equal(finding.outcome, 'fail');
  assert.ok(codesOf(finding).includes('signature.limit'));
  assert.ok(repository.calls.filter((call) => call.startsWith('blob')).length <= 2);
});

test('a source that lies about the content of a signature does not make it pass', async () => {
  const { repository } = signedImage();
  const forged = mintBundle(lab, { by: testKey('ecdsa-p256'), payload: statement(DIGEST) });
  repository.faults = { blob: () => utf8(JSON.stringify(forged)) };
  const placed = { source: repository, tagOrDigest: 'v1' };
  const { finding } = await judgeArtifact(lab, placed, { authorities });
  assert.equal(finding.outcome, 'fail');
});

test('a source that stalls is inconclusive when the caller gives up', async () => {
  const { repository } = signedImage();
  const control = new AbortController();
  repository.faults = {
    manifest: (ref, options) =>
      ref === 'v1'
        ? undefined
        : new Promise((_, reject) => {
            const cancelled = new TrustFault('registry.cancelled', 'the request was given up');
            options?.signal?.addEventListener('abort', () => reject(cancelled));
          }),
  };
  const placed = { source: repository, tagOrDigest: 'v1', signal: control.signal };
  const judged = judgeArtifact(lab, placed, { authorities });
  setTimeout(() => control.abort(), 20);
  const { finding } = await judged;
  assert.equal(finding.outcome, 'inconclusive');
  assert.equal(exitCodeOf(finding), 3);
  assert.deepEqual(codesOf(finding), ['registry.cancelled']);
});

test('a defect is thrown, and is neither a refusal nor a pass', async () => {
  const { repository } = signedImage();
  repository.faults = {
    blob: () => {
      throw new TypeError('a bug');
    },
  };
  const placed = { source: repository, tagOrDigest: 'v1' };
  await assert.rejects(
    judgeArtifact(lab, placed, { authorities }),
    (error) => error instanceof TrustFault && error.code === 'internal.defect',
  );
});

test('foreign text in a finding cannot write to the terminal', async () => {
  const hostile = '\u001b[2J\u202e';
  const identity = { issuer: DEV.issuer, subject: DEV.subject };
  const payload = statement(DIGEST, `https://x.example/${hostile}`);
  const pieces = [
    bundleEvidence(mintBundle(lab, { by: issued, payload })),
    bundleEvidence(set(BUNDLE, 'mediaType', hostile)),
    { ...LAYER, bytes: simpleSigning(DIGEST, { type: hostile }) },
  ];
  const { finding } = await judgeBlob(lab, DIGEST, pieces, { authorities: [keyless(identity)] });
  assert.equal(finding.outcome, 'fail');
  for (const line of renderFinding(finding)) {
    assert.ok(!line.includes('\u001b') && !line.includes('\u202e'), JSON.stringify(line));
  }
});
