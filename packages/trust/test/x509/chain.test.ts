import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeOid, writeSequence } from '@bulla/trust/bytes/der-writer';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { Finding } from '@bulla/trust/finding/finding';
import type { CertificateAuthority } from '@bulla/trust/x509/authority';
import { type Certificate, parseCertificate } from '@bulla/trust/x509/certificate';
import { type ChainOptions, verifyChain } from '@bulla/trust/x509/chain';
import { vectorsFolder } from '../../../../test/peers.ts';
import { labLeaf, labTrustRoot, readBundle, readTrustRoot } from './material.ts';
import {
  caExtensions,
  commonName,
  makeCa,
  makeCertificate,
  writeExtension,
} from './synthetic-certificate.ts';

const AT = new Date('2026-06-01T00:00:00Z');
const OPEN = { start: null, end: null };

function authority(...chain: readonly Certificate[]): CertificateAuthority {
  return { name: 'synthetic', chain, validFor: OPEN };
}

function outcome(finding: Finding): string {
  return finding.outcome === 'pass' ? 'pass' : `${finding.code}`;
}

function child(finding: Finding, check: string): Finding | undefined {
  return finding.because?.find((one) => one.check === check);
}

describe('verifyChain on the lab’s trust roots', () => {
  const cases = [
    { name: 'the right one', root: 'trusted_root', expect: 'pass' },
    { name: 'two of each', root: 'two-of-each', expect: 'pass' },
    { name: 'another CA', root: 'other-ca', expect: 'x509.untrusted' },
    {
      name: 'the CA’s period has ended',
      root: 'ca-expired-window',
      expect: 'x509.authority-period',
    },
  ];
  for (const { name, root, expect } of cases) {
    it(`${name}: ${expect}`, async () => {
      const leaf = labLeaf();
      const authorities = labTrustRoot(root).certificateAuthorities;
      const options = {
        leaf,
        intermediates: [],
        authorities,
        at: leaf.notBefore,
        usage: 'codeSigning',
      } as const;
      const answer = await verifyChain(options);
      assert.equal(outcome(answer.finding), expect);
      assert.equal(answer.authority === null, expect === 'x509.untrusted');
    });
  }

  it('shows every check, also beside one that failed', async () => {
    const leaf = labLeaf();
    const { certificateAuthorities: authorities } = labTrustRoot('ca-expired-window');
    const at = new Date(leaf.notAfter.getTime() + 1000);
    const { finding } = await verifyChain({
      leaf,
      intermediates: [],
      authorities,
      at,
      usage: 'timeStamping',
    });
    assert.deepEqual(
      finding.because?.map((one) => `${one.check} ${outcome(one)}`),
      [
        'x509.path pass',
        'x509.validity x509.expired',
        'x509.authority-period x509.authority-period',
        'x509.basic-constraints pass',
        'x509.key-usage pass',
        'x509.extended-key-usage x509.usage',
        'x509.critical-extensions pass',
        'x509.name-constraints pass',
      ],
    );
  });
});

describe('verifyChain on the public suites', () => {
  const cases = [
    { bundle: 'bundle-provenance.json', root: 'public-good', length: 3 },
    { bundle: 'dsse-2sigs.sigstore.json', root: 'public-good', length: 3 },
    { bundle: 'dsse.sigstore.json', root: 'public-good', length: 3 },
    { bundle: 'sigstore.js@2.0.0-provenance.sigstore.json', root: 'public-good', length: 3 },
    { bundle: 'othername.sigstore.json', root: 'scaffolding', length: 2 },
  ];
  for (const { bundle, root, length } of cases) {
    it(bundle, async (t) => {
      const folder = vectorsFolder(t, 'sigstore-go');
      if (folder === null) return;
      const { leaf } = readBundle(join(folder, bundle));
      assert.ok(leaf);
      const authorities = readTrustRoot(
        join(folder, `trusted-root-${root}.json`),
      ).certificateAuthorities;
      const options = {
        leaf,
        intermediates: [],
        authorities,
        at: leaf.notBefore,
        usage: 'codeSigning',
      } as const;
      const { finding, path } = await verifyChain(options);
      assert.equal(outcome(finding), 'pass');
      assert.equal(path?.length, length);
      const late = await verifyChain({ ...options, at: new Date(leaf.notAfter.getTime() + 1) });
      assert.equal(outcome(late.finding), 'x509.expired');
    });
  }
});

describe('verifyChain against hostile chains', () => {
  const root = makeCa('root');
  const leaf = makeCertificate();
  const base: ChainOptions = {
    leaf,
    intermediates: [],
    authorities: [authority(root)],
    at: AT,
    usage: 'codeSigning',
  };
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) =>
      makeCa('root', { serial: Uint8Array.of(2, 1, at + 1), key: stranger, signer: stranger }),
    );
  const keyId = (id: number) => writeExtension('2.5.29.14', Uint8Array.of(4, 1, id));
  const issuerKeyId = (id: number) =>
    writeExtension('2.5.29.35', writeSequence(Uint8Array.of(0x80, 1, id)));
  const loop = [
    makeCa('a', { issuer: commonName('b') }),
    makeCa('b', { issuer: commonName('a') }),
    makeCa('root', { issuer: commonName('a') }),
  ];
  const ladder = Array.from({ length: 8 }, (_, at) =>
    makeCertificate({
      subject: commonName(`step ${at}`),
      issuer: commonName(at === 7 ? 'root' : `step ${at + 1}`),
      extensions: caExtensions(),
    }),
  );
  const first = makeCertificate({ issuer: commonName('step 0') });
  const cases: readonly { name: string; change: Partial<ChainOptions>; expect: string }[] = [
    { name: 'one good anchor', change: {}, expect: 'pass' },
    { name: 'no authority', change: { authorities: [] }, expect: 'x509.untrusted' },
    {
      name: 'an authority with an empty chain',
      change: { authorities: [authority()] },
      expect: 'x509.untrusted',
    },
    {
      name: 'a root among the intermediates is no anchor',
      change: { authorities: [], intermediates: [root] },
      expect: 'x509.untrusted',
    },
    {
      name: '16 intermediates that lead nowhere',
      change: { intermediates: many(16) },
      expect: 'pass',
    },
    { name: '17 intermediates', change: { intermediates: many(17) }, expect: 'x509.limit' },
    { name: 'CAs that issued each other', change: { intermediates: loop }, expect: 'pass' },
    {
      name: 'CAs that issued each other, without the anchor',
      change: { intermediates: loop, authorities: [authority(makeCa('elsewhere'))] },
      expect: 'x509.untrusted',
    },
    {
      name: 'a path of 8 certificates',
      change: {
        leaf: makeCertificate({ issuer: commonName('step 2') }),
        intermediates: ladder.slice(2),
      },
      expect: 'pass',
    },
    {
      name: 'a path of 10 certificates',
      change: { leaf: first, intermediates: ladder },
      expect: 'x509.untrusted',
    },
    {
      name: 'a key identifier that differs does not hide the true issuer',
      change: {
        leaf: makeCertificate({
          extensions: [
            writeExtension('2.5.29.37', writeSequence(writeOid('1.3.6.1.5.5.7.3.3'))),
            issuerKeyId(1),
          ],
        }),
        authorities: [authority(makeCa('root', { extensions: [...caExtensions(), keyId(2)] }))],
      },
      expect: 'pass',
    },
    { name: 'an invalid date', change: { at: new Date(Number.NaN) }, expect: 'throws' },
    {
      name: 'an authority that names its signer trusts no other',
      change: {
        authorities: [authority(makeCertificate({ serial: Uint8Array.of(2, 1, 9) }), root)],
      },
      expect: 'x509.untrusted',
    },
    {
      name: 'an authority that names this signer',
      change: { authorities: [authority(leaf, root)] },
      expect: 'pass',
    },
    {
      name: 'a leaf that is the anchor itself',
      change: { authorities: [authority(leaf)] },
      expect: 'pass',
    },
    {
      name: 'a second authority whose period holds',
      change: {
        authorities: [
          { ...authority(root), validFor: { start: null, end: new Date(0) } },
          authority(root),
        ],
      },
      expect: 'pass',
    },
    {
      name: 'self-issued CAs do not count for the path length',
      change: {
        authorities: [authority(makeCa('root', { extensions: caExtensions(0) }))],
        intermediates: [makeCa('root', { serial: Uint8Array.of(2, 1, 5) })],
      },
      expect: 'pass',
    },
  ];
  for (const { name, change, expect } of cases) {
    it(`${name}: ${expect}`, async () => {
      const run = verifyChain({ ...base, ...change });
      if (expect === 'throws') await assert.rejects(run, RangeError);
      else assert.equal(outcome((await run).finding), expect);
    });
  }

  it('gives up soon on CAs that all issued one another', async () => {
    const web = Array.from({ length: 16 }, (_, at) =>
      makeCa('root', { serial: Uint8Array.of(2, 1, at + 1) }),
    );
    const authorities = [authority(makeCa('elsewhere'))];
    const before = performance.now();
    const { finding } = await verifyChain({ ...base, intermediates: web, authorities });
    assert.equal(outcome(finding), 'x509.untrusted');
    assert.ok(performance.now() - before < 1000);
  });

  it('takes validity at both ends', async () => {
    const { notBefore, notAfter } = leaf;
    for (const [at, expect] of [
      [notBefore, 'pass'],
      [notAfter, 'pass'],
      [new Date(notBefore.getTime() - 1), 'x509.not-yet-valid'],
      [new Date(notAfter.getTime() + 1), 'x509.expired'],
    ] as const) {
      assert.equal(outcome((await verifyChain({ ...base, at })).finding), expect);
    }
  });

  it('names the CA that had expired', async () => {
    const old = makeCa('root', {
      notAfter: Uint8Array.from(Buffer.from('180f32303236303130323030303030305a', 'hex')),
    });
    const { finding } = await verifyChain({ ...base, authorities: [authority(old)] });
    assert.equal(outcome(finding), 'x509.expired');
    assert.match(child(finding, 'x509.validity')?.says ?? '', /CN=root/);
  });

  it('passes for no certificate with one bit changed', async () => {
    const original = labLeaf();
    const { certificateAuthorities: authorities } = labTrustRoot();
    let refused = 0;
    for (let at = 0; at < original.raw.length; at++) {
      const bytes = Uint8Array.from(original.raw);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      try {
        const changed = parseCertificate(bytes, 'changed');
        const options = {
          leaf: changed,
          intermediates: [],
          authorities,
          at: original.notBefore,
          usage: 'codeSigning',
        } as const;
        const { finding } = await verifyChain(options);
        assert.equal(finding.outcome, 'fail', `byte ${at} may be changed`);
      } catch (error) {
        assert.ok(error instanceof TrustFault, `byte ${at}: ${error}`);
      }
      refused++;
    }
    assert.equal(refused, original.raw.length);
  });
});
