import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { parsePublicKeyPem } from '../../src/crypto/public-key.ts';
import { openLayout } from '../../src/oci/layout/layout-store.ts';
import { verifyArtifact } from '../../src/verify.ts';
import { FIXTURE_INSTANT, fixture } from './cosign-cases.ts';

// The image `p256` is no index; its config says linux/amd64.
const rows = [
  { platform: 'linux/amd64', outcome: 'pass', code: undefined },
  { platform: 'linux/arm64', outcome: 'fail', code: 'artifact.no-platform' },
  { platform: 'linux/amd', outcome: 'fail', code: 'artifact.no-platform' },
  { platform: '', outcome: 'fail', code: 'artifact.no-platform' },
] as const;

for (const { platform, outcome, code } of rows) {
  test(`a single image asked for as ${platform || 'nothing'}: ${outcome}`, async () => {
    const key = parsePublicKeyPem(await readFile(fixture('keys/cosign/p256.pub'), 'utf8'), 'p256');
    const { finding } = await verifyArtifact({
      reference: 'p256',
      source: await openLayout(fixture('oci/cosign-key-legacy')),
      tagOrDigest: 'p256',
      tree: 'named',
      platform,
      authorities: [{ kind: 'key', name: 'p256', key }],
      atLeast: 1,
      wanted: { kind: 'signature', annotations: {} },
      condition: null,
      requirements: { trustRoot: null, at: FIXTURE_INSTANT, log: true, sct: true, timestamp: true },
      now: () => 0,
    });
    assert.equal(finding.outcome, outcome, finding.says);
    assert.equal(finding.code, code);
  });
}
