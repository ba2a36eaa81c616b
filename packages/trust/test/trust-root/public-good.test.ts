import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { PUBLIC_GOOD_DATE, publicGoodTrustRoot } from '@bulla/trust/trust-root/public-good';

const ROOT = join(import.meta.dirname, '../../../..');
const FOLDER = join(ROOT, 'packages/trust/src/trust-root');
const FILE = readFileSync(join(FOLDER, 'public-good.trusted-root.json'));
const DIGEST = createHash('sha256').update(FILE).digest('hex');

test('the carried trust root has the digest of its file and is complete', () => {
  const root = publicGoodTrustRoot();
  assert.equal(root.digest, `sha256:${DIGEST}`);
  assert.deepEqual(root.ignored, []);
  assert.deepEqual(
    root.tlogs.map(({ origin }) => origin),
    ['rekor.sigstore.dev', 'log2025-1.rekor.sigstore.dev'],
  );
  assert.equal(root.ctlogs.length, 2);
  assert.equal(root.certificateAuthorities.length, 2);
  assert.equal(root.timestampAuthorities.length, 1);
});

test('its provenance names the digest and the date', () => {
  const provenance = readFileSync(join(FOLDER, 'public-good.provenance.md'), 'utf8');
  assert.ok(provenance.includes(DIGEST));
  assert.ok(provenance.includes(PUBLIC_GOOD_DATE));
});

test('it is the one of the installed @sigstore/tuf, byte for byte', () => {
  const seeds = join(ROOT, 'node_modules/@sigstore/tuf/seeds.json');
  const repositories = JSON.parse(readFileSync(seeds, 'utf8'));
  const { targets } = repositories['https://tuf-repo-cdn.sigstore.dev'];
  assert.equal(Buffer.from(targets['trusted_root.json'], 'base64').compare(FILE), 0);
});
