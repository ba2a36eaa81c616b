import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Finding } from '@bulla/trust/finding/finding';
import { verifyTimestamp } from '@bulla/trust/timestamp/verify';
import { vectorsFolder } from '../../../../test/peers.ts';
import { labBundle, labTrustRoot, readBundle, readTrustRoot, VECTORS } from '../x509/material.ts';

const FOLDER = join(VECTORS, 'timestamp-authority');

function outcome(finding: Finding): string {
  return finding.outcome === 'pass' ? 'pass' : `${finding.code}`;
}

function failing(finding: Finding): readonly string[] {
  return (finding.because ?? [])
    .filter((child) => child.outcome !== 'pass')
    .map((child) => `${child.check} ${child.code}`);
}

describe('verifyTimestamp on what the timestamp authority wrote', () => {
  const signature = readFileSync(join(FOLDER, 'message.txt'));
  const responses = [
    'sha256-cert',
    'sha256-nocert',
    'sha256-nonce-none',
    'sha384-cert',
    'sha512-cert',
  ];
  for (const name of responses) {
    it(`${name} passes`, async () => {
      const timestamp = readFileSync(join(FOLDER, `${name}.tsr`));
      const authorities = labTrustRoot().timestampAuthorities;
      const { finding, time } = await verifyTimestamp({ timestamp, signature, authorities });
      assert.equal(outcome(finding), 'pass');
      assert.equal(time?.toISOString(), '2026-11-21T00:51:23.000Z');
    });
  }

  for (const name of ['sha256-cert', 'sha256-nocert']) {
    it(`${name} passes with no bit changed`, async () => {
      const timestamp = readFileSync(join(FOLDER, `${name}.tsr`));
      const authorities = labTrustRoot().timestampAuthorities;
      // Byte 8 is the status, which nobody signs: 0 and 1 are both grants.
      assert.equal(timestamp[8], 0);
      for (let at = 0; at < timestamp.length; at++) {
        const changed = Uint8Array.from(timestamp);
        changed[at] = (changed[at] ?? 0) ^ (at === 8 ? 2 : 1 << (at % 8));
        const { finding, time } = await verifyTimestamp({
          timestamp: changed,
          signature,
          authorities,
        });
        assert.equal(finding.outcome, 'fail', `byte ${at} may be changed`);
        assert.equal(time, null);
      }
    });
  }
});

describe('verifyTimestamp under the lab’s trust roots', () => {
  const cases = [
    { name: 'the right one', root: 'trusted_root', expect: 'pass' },
    { name: 'two of each', root: 'two-of-each', expect: 'pass' },
    { name: 'another authority', root: 'other-tsa', expect: 'timestamp.untrusted' },
    { name: 'no authority', root: 'no-tsas', expect: 'timestamp.untrusted' },
    {
      name: 'the authority’s period has ended',
      root: 'tsa-expired-window',
      expect: 'x509.authority-period',
    },
  ];
  for (const { name, root, expect } of cases) {
    it(`${name}: ${expect}`, async () => {
      const { timestamps, signature } = labBundle('keyless');
      const authorities = labTrustRoot(root).timestampAuthorities;
      const [timestamp] = timestamps;
      assert.ok(timestamp);
      const { finding, time } = await verifyTimestamp({ timestamp, signature, authorities });
      assert.equal(outcome(finding), expect);
      assert.equal(time !== null, expect === 'pass');
    });
  }

  it('every bundle’s timestamp is over its own signature, and over no other', async () => {
    const { timestampAuthorities: authorities } = labTrustRoot();
    for (const name of [
      'attest-key',
      'attest-keyless',
      'key',
      'key-p384',
      'keyless-ci',
      'keyless-rsa',
    ]) {
      const { timestamps, signature } = labBundle(name);
      const [timestamp] = timestamps;
      assert.ok(timestamp, name);
      const own = await verifyTimestamp({ timestamp, signature, authorities });
      assert.equal(outcome(own.finding), 'pass', name);
      const other = await verifyTimestamp({
        timestamp,
        signature: signature.subarray(1),
        authorities,
      });
      assert.equal(outcome(other.finding), 'timestamp.imprint-mismatch', name);
      assert.deepEqual(failing(other.finding), ['timestamp.imprint timestamp.imprint-mismatch']);
    }
  });

  it('a public bundle, whose authority gives every certificate the serial number 1', async (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    const { timestamps, signature } = readBundle(join(folder, 'public-key-validity.sigstore.json'));
    const root = readTrustRoot(join(folder, 'trusted-root-public-key-validity.json'));
    const [timestamp] = timestamps;
    assert.ok(timestamp);
    const authorities = root.timestampAuthorities;
    const { finding, time } = await verifyTimestamp({ timestamp, signature, authorities });
    assert.equal(outcome(finding), 'pass');
    assert.equal(time?.toISOString(), '2026-06-04T17:43:29.000Z');
  });
});
