import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { computeDigest } from '@bulla/trust/oci/digest';
import { testKey } from '../tlog/synthetic-log.ts';
import { NOW, openLab } from './lab.ts';
import {
  type BundleShape,
  bundleEvidence,
  type LegacyShape,
  mintBundle,
  mintLegacy,
  statement,
} from './mint.ts';
import { DEV, judgeBlob, keyed, keyless } from './question.ts';

const lab = openLab();
const FILE = utf8('the file');
const DIGEST = computeDigest(FILE);
const KEY = testKey('ecdsa-p256');
const issued = lab.ca.issue({ ...DEV, at: NOW });
const authorities = [keyless(), keyed(KEY)];

const BUNDLES: readonly { readonly name: string; readonly shape: BundleShape }[] = [
  { name: 'keyless, Rekor v2', shape: { by: issued, payload: statement(DIGEST) } },
  { name: 'keyless, message', shape: { by: issued, message: FILE } },
  {
    name: 'keyless, Rekor v1 without a timestamp',
    shape: { by: issued, payload: statement(DIGEST), logs: ['old'], stampedAt: [], version: '0.2' },
  },
  {
    name: 'keyless, message, Rekor v1',
    shape: { by: issued, message: FILE, logs: ['old'], stampedAt: [], version: '0.1' },
  },
  { name: 'keyless, both logs', shape: { by: issued, message: FILE, logs: ['old', 'new'] } },
  { name: 'key, Rekor v2', shape: { by: KEY, payload: statement(DIGEST) } },
  { name: 'key, message, no timestamp', shape: { by: KEY, message: FILE, stampedAt: [] } },
];

for (const { name, shape } of BUNDLES) {
  test(`what the lab mints verifies: ${name}`, async () => {
    const { finding } = await judgeBlob(lab, FILE, [bundleEvidence(mintBundle(lab, shape))], {
      authorities,
    });
    assert.equal(finding.outcome, 'pass', renderFinding(finding).join('\n'));
  });
}

const LAYERS: readonly {
  readonly name: string;
  readonly shape: LegacyShape;
  readonly log: boolean;
}[] = [
  { name: 'key', shape: { by: KEY, digest: DIGEST }, log: false },
  { name: 'key, Rekor v1', shape: { by: KEY, digest: DIGEST, loggedAt: NOW }, log: true },
  { name: 'keyless, timestamp', shape: { by: issued, digest: DIGEST, stampedAt: NOW }, log: false },
  { name: 'keyless, Rekor v1', shape: { by: issued, digest: DIGEST, loggedAt: NOW }, log: true },
];

for (const { name, shape, log } of LAYERS) {
  test(`what the lab mints verifies in the tag scheme: ${name}`, async () => {
    const { finding } = await judgeBlob(lab, DIGEST, [mintLegacy(lab, shape)], {
      authorities,
      requirements: { log },
    });
    assert.equal(finding.outcome, 'pass', renderFinding(finding).join('\n'));
  });
}
