import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { DER, derInteger, derSequence, readDer } from '@bulla/trust/bytes/der';
import { digestOf, type HashName } from '@bulla/trust/bytes/hash';
import { TrustFault } from '@bulla/trust/fault/fault';
import {
  buildTimestampRequest,
  checkTimestampResponse,
  type TimestampRequest,
} from '@bulla/trust/timestamp/request';
import { verifyTimestamp } from '@bulla/trust/timestamp/verify';
import fc from 'fast-check';
import { peer, requirePeer } from '../../../../test/peers.ts';
import { VECTORS } from '../x509/material.ts';
import { CA, opensslCa, readIssued, STAMPER } from '../x509/openssl-ca.ts';

const FOLDER = join(VECTORS, 'timestamp-authority');
const MESSAGE = readFileSync(join(FOLDER, 'message.txt'));

function request(hash: HashName, nonce: bigint | null, certReq: boolean): TimestampRequest {
  return { hash, digest: digestOf(hash, MESSAGE), nonce, certReq };
}

/** The nonce of one of OpenSSL's requests: the integer after the imprint. */
function nonceOf(file: string): bigint | null {
  const fields = derSequence(readDer(readFileSync(join(FOLDER, `${file}.tsq`)), file), file);
  return fields[2]?.tag === DER.integer ? derInteger(fields[2], file) : null;
}

const NONCE = 0x96fa10a077199888n;
const POLICY = '1.3.6.1.4.1.57264.99';
const SCRATCH = mkdtempSync(join(tmpdir(), 'bulla-tsa-'));
after(() => rmSync(SCRATCH, { recursive: true, force: true }));

describe('buildTimestampRequest', () => {
  const cases = [
    { file: 'sha256-cert', hash: 'sha256', certReq: true },
    { file: 'sha256-nocert', hash: 'sha256', certReq: false },
    { file: 'sha256-nonce-none', hash: 'sha256', certReq: true },
    { file: 'sha384-cert', hash: 'sha384', certReq: true },
    { file: 'sha512-cert', hash: 'sha512', certReq: true },
  ] as const;
  for (const { file, hash, certReq } of cases) {
    it(`writes ${file} byte for byte as OpenSSL did`, () => {
      const own = buildTimestampRequest(request(hash, nonceOf(file), certReq));
      const peerBytes = readFileSync(join(FOLDER, `${file}.tsq`));
      assert.equal(Buffer.from(own).toString('hex'), peerBytes.toString('hex'));
    });
  }

  it('OpenSSL reads what is written', (t) => {
    const openssl = requirePeer(t, 'openssl');
    if (openssl === null) return;
    const bytes = buildTimestampRequest({ ...request('sha384', NONCE, true), policy: POLICY });
    const path = join(SCRATCH, 'query.tsq');
    writeFileSync(path, bytes);
    const args = ['ts', '-query', '-in', path, '-text'];
    const text = execFileSync(openssl, args, { stdio: 'pipe', timeout: 20_000 }).toString();
    assert.match(text, /Hash Algorithm: sha384/);
    assert.match(text, /Policy OID: 1\.3\.6\.1\.4\.1\.57264\.99/);
    assert.match(text, /Nonce: 0x96FA10A077199888/);
    assert.match(text, /Certificate required: yes/);
  });

  it('refuses a digest of another length and a negative nonce', () => {
    const good = request('sha256', 1n, true);
    for (const bad of [
      { ...good, digest: good.digest.subarray(1) },
      { ...good, nonce: -1n },
    ]) {
      assert.throws(
        () => buildTimestampRequest(bad),
        (error) => error instanceof TrustFault && error.code === 'usage.invalid',
      );
    }
  });
});

describe('checkTimestampResponse', () => {
  const good = request('sha256', nonceOf('sha256-cert'), true);
  const cases = [
    { name: 'an answer', file: 'sha256-cert', request: good, expect: 'accepted' },
    {
      name: 'another nonce',
      file: 'sha256-cert',
      request: { ...good, nonce: 1n },
      expect: 'timestamp.nonce-mismatch',
    },
    {
      name: 'a nonce that was not sent',
      file: 'sha256-cert',
      request: { ...good, nonce: null },
      expect: 'timestamp.nonce-mismatch',
    },
    {
      name: 'no nonce',
      file: 'sha256-nonce-none',
      request: good,
      expect: 'timestamp.nonce-mismatch',
    },
    {
      name: 'none sent, none found',
      file: 'sha256-nonce-none',
      request: { ...good, nonce: null },
      expect: 'accepted',
    },
    {
      name: 'another digest',
      file: 'sha256-cert',
      request: { ...good, digest: Buffer.alloc(32) },
      expect: 'timestamp.imprint-mismatch',
    },
    {
      name: 'another hash',
      file: 'sha512-cert',
      request: good,
      expect: 'timestamp.imprint-mismatch',
    },
    {
      name: 'no certificate',
      file: 'sha256-nocert',
      request: { ...good, nonce: nonceOf('sha256-nocert') },
      expect: 'timestamp.malformed',
    },
    {
      name: 'another policy',
      file: 'sha256-cert',
      request: { ...good, policy: POLICY },
      expect: 'timestamp.malformed',
    },
  ];
  for (const { name, file, request: sent, expect } of cases) {
    it(`${name}: ${expect}`, () => {
      const response = readFileSync(join(FOLDER, `${file}.tsr`));
      try {
        checkTimestampResponse({ response, request: sent });
        assert.equal('accepted', expect);
      } catch (error) {
        if (!(error instanceof TrustFault)) throw error;
        assert.equal(error.code, expect);
      }
    });
  }
});

describe('OpenSSL as timestamp authority', () => {
  const openssl = peer('openssl');
  const ca = openssl === null ? null : opensslCa(openssl);
  after(() => ca?.[Symbol.dispose]());
  const root = ca?.issue({ name: 'root', extensions: CA });

  const cases = [
    { name: 'sha256, ESSCertIDv2', hash: 'sha256', ess: 'sha256', key: 'ec' },
    { name: 'sha512, ESSCertIDv2 with SHA-512', hash: 'sha512', ess: 'sha512', key: 'ec' },
    { name: 'sha384, ESSCertID of version 1', hash: 'sha384', ess: 'sha1', key: 'ec' },
    { name: 'sha256 by an RSA key', hash: 'sha256', ess: 'sha256', key: 'rsa' },
  ] as const;
  for (const { name, hash, ess, key } of cases) {
    it(name, async (t) => {
      if (requirePeer(t, 'openssl') === null || openssl === null || !ca || !root) return;
      const tsa = ca.issue({
        name: `tsa-${hash}-${ess}-${key}`,
        by: root,
        extensions: STAMPER,
        keyType: key,
      });
      const file = (kind: string) => join(SCRATCH, `${tsa.name}.${kind}`);
      const config = [
        '[tsa]',
        'default_tsa=t',
        '[t]',
        `serial=${file('serial')}`,
        `default_policy=${POLICY}`,
      ];
      config.push(
        'digests=sha256,sha384,sha512',
        'signer_digest=sha256',
        'accuracy=secs:1,millisecs:500',
        'ordering=yes',
        'tsa_name=yes',
        `ess_cert_id_alg=${ess}`,
        '',
      );
      writeFileSync(file('cnf'), config.join('\n'));
      const sent = { ...request(hash, NONCE, true), policy: POLICY };
      writeFileSync(file('tsq'), buildTimestampRequest(sent));
      const args = [
        '-config',
        file('cnf'),
        '-queryfile',
        file('tsq'),
        '-signer',
        tsa.certificatePath,
        '-inkey',
        tsa.keyPath,
        '-out',
        file('tsr'),
      ];
      execFileSync(openssl, ['ts', '-reply', ...args], { stdio: 'pipe', timeout: 20_000 });
      const response = readFileSync(file('tsr'));
      const { accuracyMs, ordering } = checkTimestampResponse({ response, request: sent });
      assert.equal(accuracyMs, 1500);
      assert.equal(ordering, true);
      const authorities = [
        { name: 'openssl', chain: [readIssued(root)], validFor: { start: null, end: null } },
      ];
      const { finding, time } = await verifyTimestamp({
        timestamp: response,
        signature: MESSAGE,
        authorities,
      });
      assert.equal(finding.outcome, 'pass', JSON.stringify(finding));
      assert.ok(time);
    });
  }

  it('writes the nonce that was asked for, whatever it is', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 160n) - 1n }), (nonce) => {
        const hex = nonce.toString(16);
        const bytes = Buffer.from(buildTimestampRequest(request('sha256', nonce, false)));
        assert.ok(bytes.toString('hex').endsWith(hex));
      }),
    );
  });
});
