import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { computeDigest } from '@bulla/trust/oci/digest';
import { testKey } from '../tlog/synthetic-log.ts';
import { minutes, NOW, openLab, trustRootDocument } from './lab.ts';
import { type BundleShape, bundleEvidence, type Json, mintBundle, statement } from './mint.ts';
import { flip } from './mutations.ts';
import { DEV, judgeBlob, keyed, keyless } from './question.ts';

/** The lab is real: sigstore-js accepts what it mints, and refuses what it mints broken. */

// The package `sigstore` takes its trust root from the network; the parts that it is made of do not.
const parts = createRequire(import.meta.resolve('sigstore'));

interface SigstoreVerify {
  readonly Verifier: new (
    material: unknown,
    options: Readonly<Record<string, number>>,
  ) => { verify(entity: unknown, policy?: unknown): unknown };
  readonly toTrustMaterial: (root: unknown, key?: (hint: string) => unknown) => unknown;
  readonly toSignedEntity: (bundle: unknown, message?: Buffer) => unknown;
}

const verifying: SigstoreVerify = parts('@sigstore/verify');
const bundles: { readonly bundleFromJSON: (document: unknown) => unknown } =
  parts('@sigstore/bundle');
const { TrustedRoot }: { readonly TrustedRoot: { fromJSON(document: object): unknown } } = parts(
  '@sigstore/protobuf-specs',
);

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const FILE = utf8('the file');
const payload = statement(computeDigest(FILE));
const issued = lab.ca.issue({ ...DEV, at: NOW });

function sigstoreJsAccepts(
  bundle: Json,
  byKey: boolean,
  thresholds: Record<string, number>,
): boolean {
  const root = TrustedRoot.fromJSON(trustRootDocument(lab));
  const publicKey = KEY.publicKey.object;
  const material = verifying.toTrustMaterial(root, () => ({ publicKey, validFor: () => true }));
  const message = 'messageSignature' in bundle ? Buffer.from(FILE) : undefined;
  try {
    const entity = verifying.toSignedEntity(bundles.bundleFromJSON(bundle), message);
    new verifying.Verifier(material, thresholds).verify(
      entity,
      byKey
        ? undefined
        : { subjectAlternativeName: DEV.subject, extensions: { issuer: DEV.issuer } },
    );
    return true;
  } catch (error) {
    assert.equal(typeof Reflect.get(Object(error), 'code'), 'string', String(error));
    return false;
  }
}

const ROWS: readonly {
  readonly name: string;
  readonly shape: BundleShape;
  readonly accepted: boolean;
}[] = [
  { name: 'keyless, Rekor v2', shape: { by: issued, payload }, accepted: true },
  { name: 'keyless, Rekor v2, a message', shape: { by: issued, message: FILE }, accepted: true },
  {
    name: 'keyless, Rekor v1, a message',
    shape: { by: issued, message: FILE, logs: ['old'], stampedAt: [], version: '0.2' },
    accepted: true,
  },
  {
    name: 'keyless, Rekor v1, an envelope',
    shape: { by: issued, payload, logs: ['old'], stampedAt: [], version: '0.2' },
    accepted: true,
  },
  { name: 'a key, Rekor v2', shape: { by: KEY, payload }, accepted: true },
  {
    name: 'keyless, stamped too late',
    shape: { by: issued, payload, stampedAt: [minutes(11)] },
    accepted: false,
  },
  { name: 'keyless, not stamped', shape: { by: issued, payload, stampedAt: [] }, accepted: false },
  { name: 'keyless, not logged', shape: { by: issued, payload, logs: [] }, accepted: false },
  {
    name: 'keyless, no SCT',
    shape: { by: lab.ca.issue({ ...DEV, at: NOW, ctLog: null }), payload },
    accepted: false,
  },
  {
    name: 'another identity',
    shape: { by: lab.ca.issue({ ...DEV, subject: 'eve@acme.example', at: NOW }), payload },
    accepted: false,
  },
];

for (const { name, shape, accepted } of ROWS) {
  test(`sigstore-js and Bulla agree: ${name} is ${accepted ? 'accepted' : 'refused'}`, async () => {
    const bundle = mintBundle(lab, shape);
    const byKey = !('certificate' in shape.by);
    const thresholds = { ctlogThreshold: byKey ? 0 : 1, tlogThreshold: 1, timestampThreshold: 1 };
    assert.equal(sigstoreJsAccepts(bundle, byKey, thresholds), accepted);
    const { finding } = await judgeBlob(lab, FILE, [bundleEvidence(bundle)], {
      authorities: [keyless(), keyed(KEY)],
    });
    assert.equal(finding.outcome, accepted ? 'pass' : 'fail');
  });
}

test('sigstore-js refuses a flipped bit in what the lab minted', () => {
  const thresholds = { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 };
  const bundle = mintBundle(lab, { by: issued, payload });
  assert.ok(sigstoreJsAccepts(bundle, false, thresholds));
  for (const path of ['dsseEnvelope.signatures.0.sig', 'dsseEnvelope.payload']) {
    assert.ok(!sigstoreJsAccepts(flip(bundle, path, -1), false, thresholds), path);
  }
});
