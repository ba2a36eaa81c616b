import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeOctetString, writeSequence } from '@bulla/trust/bytes/der-writer';
import { digestOf } from '@bulla/trust/bytes/hash';
import { ALGORITHMS } from '@bulla/trust/crypto/algorithm';
import { parseSpki } from '@bulla/trust/crypto/public-key';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Finding } from '@bulla/trust/finding/finding';
import { type Certificate, parseCertificate } from '@bulla/trust/x509/certificate';
import { type CtLog, precertTbs, verifyScts } from '@bulla/trust/x509/sct';
import { parseSctList } from '@bulla/trust/x509/sct-list';
import fc from 'fast-check';
import { vectorsFolder } from '../../../../test/peers.ts';
import { labLeaf, labTrustRoot, readBundle, readTrustRoot } from './material.ts';
import {
  leafExtensions,
  makeCa,
  makeCertificate,
  writeExtension,
  writeTbs,
} from './synthetic-certificate.ts';

const SCT_LIST = '1.3.6.1.4.1.11129.2.4.2';

function outcome(finding: Finding): string {
  return finding.outcome === 'pass' ? 'pass' : `${finding.code}`;
}

function labIssuer(): Certificate {
  const issuer = labTrustRoot().certificateAuthorities[0]?.chain[0];
  assert.ok(issuer);
  return issuer;
}

describe('verifyScts on the lab’s static-ct log', () => {
  const cases = [
    { name: 'the right log', root: 'trusted_root', leaf: 'keyless', expect: 'pass' },
    {
      name: 'a certificate with 24 extensions',
      root: 'trusted_root',
      leaf: 'keyless-ci',
      expect: 'pass',
    },
    { name: 'no log is known', root: 'no-ctlogs', leaf: 'keyless', expect: 'x509.sct-log-unknown' },
    {
      name: 'another log',
      root: 'other-ct-key',
      leaf: 'keyless',
      expect: 'x509.sct-log-unknown',
    },
    {
      name: 'the log’s period has ended',
      root: 'ct-expired-window',
      leaf: 'keyless',
      expect: 'x509.sct-log-period',
    },
  ];
  for (const { name, root, leaf, expect } of cases) {
    it(`${name}: ${expect}`, async () => {
      const { ctLogs } = labTrustRoot(root);
      const finding = await verifyScts({ leaf: labLeaf(leaf), issuer: labIssuer(), ctLogs });
      assert.equal(outcome(finding), expect);
    });
  }

  it('reads the entry’s index out of the extensions', () => {
    const list = labLeaf('keyless-ci').extensions.get(SCT_LIST)?.value;
    assert.equal(parseSctList(list?.subarray(3) ?? new Uint8Array())[0]?.leafIndex, 0x55n);
  });

  it('fails under another issuer of the same name', async () => {
    const { ctLogs } = labTrustRoot();
    const finding = await verifyScts({ leaf: labLeaf(), issuer: makeCa('other'), ctLogs });
    assert.equal(outcome(finding), 'x509.sct-invalid');
  });

  it('passes for no SCT list with one bit changed', async () => {
    const { ctLogs } = labTrustRoot();
    const leaf = labLeaf();
    const { value } = leaf.extensions.get(SCT_LIST) ?? { value: new Uint8Array() };
    for (let at = 0; at < value.length; at++) {
      const changed = Uint8Array.from(value);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      const extensions = new Map(leaf.extensions).set(SCT_LIST, {
        critical: false,
        value: changed,
      });
      const finding = await verifyScts({
        leaf: { ...leaf, extensions },
        issuer: labIssuer(),
        ctLogs,
      });
      assert.equal(finding.outcome, 'fail', `byte ${at} may be changed`);
    }
  });
});

describe('verifyScts on the public suites (RFC 6962 logs)', () => {
  const cases = [
    { bundle: 'bundle-provenance.json', root: 'public-good', issuer: 1 },
    { bundle: 'dsse.sigstore.json', root: 'public-good', issuer: 1 },
    { bundle: 'sigstore.js@2.0.0-provenance.sigstore.json', root: 'public-good', issuer: 1 },
    { bundle: 'othername.sigstore.json', root: 'scaffolding', issuer: 0 },
  ];
  for (const { bundle, root, issuer } of cases) {
    it(bundle, async (t) => {
      const folder = vectorsFolder(t, 'sigstore-go');
      if (folder === null) return;
      const { leaf } = readBundle(join(folder, bundle));
      const material = readTrustRoot(join(folder, `trusted-root-${root}.json`));
      const ca = material.certificateAuthorities[issuer]?.chain[0];
      assert.ok(leaf && ca);
      const finding = await verifyScts({ leaf, issuer: ca, ctLogs: material.ctLogs });
      assert.equal(outcome(finding), 'pass');
    });
  }
});

const LOG_KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const RSA_KEYS = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ISSUER = makeCa('root');

function log(keys: typeof LOG_KEYS, algorithm: CtLog['algorithm']): CtLog {
  const spki = keys.publicKey.export({ format: 'der', type: 'spki' });
  return {
    baseUrl: 'https://ct.example',
    key: parseSpki(spki, 'log'),
    algorithm,
    logId: digestOf('sha256', spki),
    validFor: { start: null, end: null },
  };
}

const LOG = log(LOG_KEYS, ALGORITHMS['ecdsa-sha256']);

function vector(bytes: Uint8Array, octets = 2): Uint8Array {
  const length = Buffer.alloc(octets);
  length.writeUIntBE(bytes.length, 0, octets);
  return Buffer.concat([length, bytes]);
}

interface SctShape {
  readonly version?: number;
  readonly logId?: Uint8Array;
  readonly timestamp?: bigint;
  readonly extensions?: Uint8Array;
  readonly algorithm?: readonly [number, number];
  readonly keys?: typeof LOG_KEYS;
  /** Extra bytes after the signature. */
  readonly after?: Uint8Array;
}

/** An SCT over `extensions` of a leaf, written by the RFC and not by the code under test. */
function writeSct(list: readonly Uint8Array[], shape: SctShape = {}): Uint8Array {
  const tbs = writeTbs(list.length === 0 ? { extensions: null } : { extensions: list });
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(shape.timestamp ?? 1_780_000_000_000n);
  const extensions = vector(shape.extensions ?? new Uint8Array());
  const version = Uint8Array.of(shape.version ?? 0);
  const issuerKeyHash = digestOf('sha256', ISSUER.publicKeyInfo);
  const signed = Buffer.concat([
    version,
    Uint8Array.of(0),
    time,
    Uint8Array.of(0, 1),
    issuerKeyHash,
    vector(tbs, 3),
    extensions,
  ]);
  const signature = sign('sha256', signed, (shape.keys ?? LOG_KEYS).privateKey);
  const algorithm = Uint8Array.from(shape.algorithm ?? [4, 3]);
  return Buffer.concat([
    version,
    shape.logId ?? LOG.logId,
    time,
    extensions,
    algorithm,
    vector(signature),
    shape.after ?? new Uint8Array(),
  ]);
}

function leafWith(
  list: Uint8Array,
  extensions: readonly Uint8Array[] = leafExtensions(),
): Certificate {
  return makeCertificate({
    extensions: [...extensions, writeExtension(SCT_LIST, writeOctetString(list))],
  });
}

function sctList(...scts: readonly Uint8Array[]): Uint8Array {
  return vector(Buffer.concat(scts.map((sct) => vector(sct))));
}

describe('verifyScts on SCTs of every shape', () => {
  const base = leafExtensions();
  const good = writeSct(base);
  const bad = writeSct([]);
  const unknown = writeSct(base, { logId: Buffer.alloc(32) });
  const withExtensions = (...bytes: readonly number[]) =>
    sctList(writeSct(base, { extensions: Uint8Array.from(bytes) }));
  const rsaLog = log(RSA_KEYS, ALGORITHMS['rsa-pkcs1v15-sha256']);
  const cases: readonly {
    name: string;
    list: Uint8Array;
    logs?: readonly CtLog[];
    expect: string;
  }[] = [
    { name: 'one good SCT', list: sctList(good), expect: 'pass' },
    { name: 'a good one beside bad ones', list: sctList(unknown, bad, good), expect: 'pass' },
    { name: 'an SCT of another certificate', list: sctList(bad), expect: 'x509.sct-invalid' },
    {
      name: '16 SCTs, the last one good',
      list: sctList(...Array.from({ length: 15 }, () => bad), good),
      expect: 'pass',
    },
    {
      name: '17 SCTs',
      list: sctList(...Array.from({ length: 17 }, () => good)),
      expect: 'x509.limit',
    },
    { name: 'an empty list', list: sctList(), expect: 'x509.sct-malformed' },
    { name: 'a cut list', list: sctList(good).subarray(0, 50), expect: 'x509.sct-malformed' },
    {
      name: 'bytes after the list',
      list: Buffer.concat([sctList(good), Uint8Array.of(0)]),
      expect: 'x509.sct-malformed',
    },
    {
      name: 'bytes after the signature',
      list: sctList(writeSct(base, { after: Uint8Array.of(0) })),
      expect: 'x509.sct-malformed',
    },
    {
      name: 'version 2',
      list: sctList(writeSct(base, { version: 1 })),
      expect: 'x509.sct-malformed',
    },
    {
      name: 'a time beyond all dates',
      list: sctList(writeSct(base, { timestamp: (1n << 64n) - 1n })),
      expect: 'x509.sct-malformed',
    },
    {
      name: 'ECDSA declared with SHA-1',
      list: sctList(writeSct(base, { algorithm: [2, 3] })),
      expect: 'x509.sct-malformed',
    },
    {
      name: 'an algorithm that is not the log’s',
      list: sctList(writeSct(base, { algorithm: [5, 3] })),
      expect: 'x509.sct-invalid',
    },
    {
      name: 'an RSA log',
      list: sctList(writeSct(base, { algorithm: [4, 1], keys: RSA_KEYS, logId: rsaLog.logId })),
      logs: [rsaLog],
      expect: 'pass',
    },
    {
      name: 'the log’s id with another key',
      list: sctList(good),
      logs: [{ ...rsaLog, logId: LOG.logId }],
      expect: 'x509.sct-invalid',
    },
    {
      name: 'two logs of one id, the second holds',
      list: sctList(good),
      logs: [{ ...rsaLog, logId: LOG.logId }, LOG],
      expect: 'pass',
    },
    { name: 'a leaf index', list: withExtensions(0, 0, 5, 0, 0, 0, 0, 9), expect: 'pass' },
    {
      name: 'an unknown extension is passed over',
      list: withExtensions(7, 0, 1, 1),
      expect: 'pass',
    },
    {
      name: 'a leaf index of 4 bytes',
      list: withExtensions(0, 0, 4, 0, 0, 0, 0),
      expect: 'x509.sct-malformed',
    },
    {
      name: 'a leaf index twice',
      list: withExtensions(0, 0, 5, 0, 0, 0, 0, 9, 0, 0, 5, 0, 0, 0, 0, 9),
      expect: 'x509.sct-malformed',
    },
    { name: 'a cut extension', list: withExtensions(0, 0, 5, 0), expect: 'x509.sct-malformed' },
  ];
  for (const { name, list, logs = [LOG], expect } of cases) {
    it(`${name}: ${expect}`, async () => {
      const finding = await verifyScts({ leaf: leafWith(list), issuer: ISSUER, ctLogs: logs });
      assert.equal(outcome(finding), expect);
    });
  }

  it('a certificate whose only extension is the list', async () => {
    const leaf = leafWith(sctList(bad), []);
    assert.equal(outcome(await verifyScts({ leaf, issuer: ISSUER, ctLogs: [LOG] })), 'pass');
  });

  it('no list at all: x509.sct-missing', async () => {
    const finding = await verifyScts({ leaf: makeCertificate(), issuer: ISSUER, ctLogs: [LOG] });
    assert.equal(outcome(finding), 'x509.sct-missing');
  });

  it('a list that is no octet string: der.malformed', async () => {
    const extension = writeExtension(SCT_LIST, writeSequence());
    const leaf = makeCertificate({ extensions: [extension] });
    assert.equal(
      outcome(await verifyScts({ leaf, issuer: ISSUER, ctLogs: [LOG] })),
      'der.malformed',
    );
  });

  it('the submitted TBS is the issued one without the list, byte for byte', () => {
    assert.deepEqual(Buffer.from(precertTbs(leafWith(sctList(good)).tbs)), Buffer.from(writeTbs()));
    const without = parseCertificate(makeCertificate().raw, 'none').tbs;
    assert.deepEqual(Buffer.from(precertTbs(without)), Buffer.from(without));
  });

  it('parseSctList throws nothing but TrustFault', () => {
    const seed = sctList(good, withExtensions(0, 0, 5, 0, 0, 0, 0, 9).subarray(4));
    const edited = fc.tuple(fc.nat(seed.length - 1), fc.nat(255)).map(([at, value]) => {
      const bytes = Uint8Array.from(seed);
      bytes[at] = value;
      return bytes;
    });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), edited), (bytes) => {
        try {
          parseSctList(bytes);
        } catch (error) {
          assert.ok(error instanceof TrustFault, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});
