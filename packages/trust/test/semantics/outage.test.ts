import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { writeDer, writeSequence } from '@bulla/trust/bytes/der-writer';
import { TrustFault } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import { codesOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, LEGACY, mintBundle, mintLegacy, statement } from '../sigstore-lab/mint.ts';
import {
  type Asked,
  DEV,
  judgeArtifact,
  judgeBlob,
  keyed,
  keyless,
} from '../sigstore-lab/question.ts';
import {
  attachBundle,
  attachLayers,
  type Faults,
  openRepository,
  putImage,
} from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';
import { writeExtension } from '../x509/synthetic-certificate.ts';

// Semantics 2: inconclusive is an outage of a named service, and nothing else.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const TYPE = 'https://example.dev/scan/v1';
const asked: Asked = { authorities: [keyed(KEY)] };
const runner = openExpressionRunner();
after(() => runner[Symbol.asyncDispose]());

const away =
  (code: 'registry.server-error' | 'registry.unreachable' | 'registry.timeout') => () => {
    throw new TrustFault(code, 'the registry is away');
  };

function signedImage() {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const bundle = bundleEvidence(mintBundle(lab, { by: KEY, payload: statement(image.digest) }));
  return { repository, image, bundle };
}

const OUTAGES: readonly {
  readonly name: string;
  readonly faults: Faults;
  readonly code: string;
}[] = [
  {
    name: 'the artifact',
    faults: { manifest: away('registry.server-error') },
    code: 'registry.server-error',
  },
  {
    name: 'the list of referrers',
    faults: { referrers: away('registry.unreachable') },
    code: 'registry.unreachable',
  },
  { name: 'the bundle', faults: { blob: away('registry.timeout') }, code: 'registry.timeout' },
  {
    name: 'the signature tag',
    faults: {
      manifest: (ref) => (ref.endsWith('.sig') ? away('registry.server-error')() : undefined),
      referrers: () => [],
    },
    code: 'registry.server-error',
  },
];

for (const { name, faults, code } of OUTAGES) {
  test(`an outage is inconclusive and no pass: ${name}`, async () => {
    const { repository, image, bundle } = signedImage();
    attachBundle(repository, image, bundle);
    repository.faults = faults;
    const { finding } = await judgeArtifact(lab, { source: repository, tagOrDigest: 'v1' }, asked);
    assert.equal(finding.outcome, 'inconclusive', renderFinding(finding).join('\n'));
    assert.ok(codesOf(finding).includes(code), codesOf(finding).join(' '));
  });
}

test('a signature that was found stands although another place is away', async () => {
  const { repository, image, bundle } = signedImage();
  attachBundle(repository, image, bundle);
  repository.faults = {
    manifest: (ref) => (ref.endsWith('.sig') ? away('registry.server-error')() : undefined),
  };
  const { finding } = await judgeArtifact(lab, { source: repository, tagOrDigest: 'v1' }, asked);
  assert.equal(finding.outcome, 'pass');
});

/** What the publisher of an image can write beside it. */
const PUBLISHED: readonly {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly code: string;
}[] = [
  { name: 'no JSON', bytes: utf8('<html>'), code: 'json.malformed' },
  { name: 'cut JSON', bytes: utf8('{"mediaType":'), code: 'json.malformed' },
  { name: 'deep JSON', bytes: utf8('['.repeat(5000)), code: 'json.limit' },
  {
    name: 'the same key twice',
    bytes: utf8('{"mediaType":"a","mediaType":"b"}'),
    code: 'json.duplicate-key',
  },
  { name: 'another type', bytes: utf8('[]'), code: 'bundle.malformed' },
  {
    name: 'another version',
    bytes: utf8('{"mediaType":"x","verificationMaterial":{}}'),
    code: 'bundle.version',
  },
  { name: 'not UTF-8', bytes: Uint8Array.of(0xff, 0xfe, 0), code: 'json.malformed' },
  { name: 'nothing', bytes: new Uint8Array(), code: 'json.malformed' },
];

for (const { name, bytes, code } of PUBLISHED) {
  test(`what a publisher writes is a refusal: ${name}`, async () => {
    const { repository, image } = signedImage();
    attachBundle(repository, image, { bytes });
    const { finding } = await judgeArtifact(lab, { source: repository, tagOrDigest: 'v1' }, asked);
    assert.equal(finding.outcome, 'fail');
    assert.deepEqual(codesOf(finding), [code]);
  });
}

const BROKEN_REFERRERS: readonly {
  readonly name: string;
  readonly more: object;
  readonly code: string;
}[] = [
  {
    name: 'another subject',
    more: { subject: { mediaType: 'x/y', digest: `sha256:${'0'.repeat(64)}`, size: 2 } },
    code: 'bundle.referrer',
  },
  { name: 'no layer', more: { layers: [] }, code: 'bundle.referrer' },
  {
    name: 'a layer of another type',
    more: { layers: [{ mediaType: 'text/plain', digest: `sha256:${'0'.repeat(64)}`, size: 2 }] },
    code: 'bundle.referrer',
  },
  {
    name: 'a layer that is not there',
    more: {
      layers: [
        {
          mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
          digest: `sha256:${'0'.repeat(64)}`,
          size: 2,
        },
      ],
    },
    code: 'bundle.referrer',
  },
  { name: 'both an image and an index', more: { manifests: [] }, code: 'manifest.ambiguous' },
];

for (const { name, more, code } of BROKEN_REFERRERS) {
  test(`a broken referrer is a refusal: ${name}`, async () => {
    const { repository, image, bundle } = signedImage();
    const planted = attachBundle(repository, image, bundle, more);
    // The registry lists it whatever it says.
    const listed = {
      mediaType: planted.mediaType,
      digest: planted.digest,
      size: planted.bytes.length,
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    };
    repository.faults = { referrers: () => [listed] };
    const { finding } = await judgeArtifact(lab, { source: repository, tagOrDigest: 'v1' }, asked);
    assert.equal(finding.outcome, 'fail');
    assert.deepEqual(codesOf(finding), [code]);
  });
}

test('a service that unverified evidence names is not asked', async () => {
  const { repository, image } = signedImage();
  const crl = writeDer(0x86, utf8('http://127.0.0.1:9/crl'));
  const point = writeSequence(writeSequence(writeDer(0xa0, writeDer(0xa0, crl))));
  const extensions = [writeExtension('2.5.29.31', point)];
  const issued = lab.ca.issue({ ...DEV, at: NOW, extensions });
  const layer = mintLegacy(lab, { by: issued, digest: image.digest, stampedAt: NOW });
  attachLayers(repository, image.digest, 'sig', [layer]);
  const before = repository.calls.length;
  const { finding } = await judgeArtifact(
    lab,
    { source: repository, tagOrDigest: 'v1' },
    { authorities: [keyless()], requirements: { log: false } },
  );
  assert.equal(finding.outcome, 'pass', renderFinding(finding).join('\n'));
  const asked = repository.calls.slice(before).map((call) => call.split(' ')[0]);
  assert.deepEqual(new Set(asked), new Set(['manifest', 'referrers', 'blob']));
});

test('an annotation that cannot be read is a refusal', async () => {
  const { repository, image } = signedImage();
  const layer = mintLegacy(lab, { by: KEY, digest: image.digest });
  const annotations = { ...layer.annotations, [LEGACY.certificate]: '-----BEGIN CERTIFICATE-----' };
  attachLayers(repository, image.digest, 'sig', [{ ...layer, annotations }]);
  const { finding } = await judgeArtifact(lab, { source: repository, tagOrDigest: 'v1' }, asked);
  assert.equal(finding.outcome, 'fail');
});

const EXPRESSIONS: readonly {
  readonly name: string;
  readonly expression: string;
  readonly code: string;
}[] = [
  { name: 'a member that is not there', expression: 'predicate.no.such == 1', code: 'cel.failed' },
  { name: 'no truth value', expression: 'predicate.high', code: 'cel.not-boolean' },
  { name: 'a false one', expression: 'predicate.high == 1.0', code: 'statement.where-false' },
  {
    name: 'no answer in time',
    expression: `${'predicate.list.all(a, '.repeat(6)}true${')'.repeat(6)}`,
    code: 'cel.timeout',
  },
];

for (const { name, expression, code } of EXPRESSIONS) {
  test(`an expression that a statement makes fail is a refusal: ${name}`, async () => {
    const list = Array.from({ length: 60 }, (_, index) => index);
    const payload = statement(`sha256:${'0'.repeat(64)}`, TYPE, { high: 0, list });
    const { finding } = await judgeBlob(
      lab,
      `sha256:${'0'.repeat(64)}`,
      [bundleEvidence(mintBundle(lab, { by: KEY, payload }))],
      {
        ...asked,
        wanted: { kind: 'attestation', predicateType: TYPE },
        condition: { expression, runner, deadlineMs: 300 },
      },
    );
    assert.equal(finding.outcome, 'fail', renderFinding(finding).join('\n'));
    assert.deepEqual(codesOf(finding), [code]);
  });
}
