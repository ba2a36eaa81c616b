import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readDer } from '@bulla/trust/bytes/der';
import { verifySignature } from '@bulla/trust/crypto/verify-signature';
import { TrustFault } from '@bulla/trust/fault/fault';
import { parseSignedData } from '@bulla/trust/x509/cms';
import { peer, requirePeer } from '../../../../test/peers.ts';
import { CA, type Issued, opensslCa, readIssued } from './openssl-ca.ts';

const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const TYPED = ['-econtent_type', TST_INFO];
const PSS = ['-keyopt', 'rsa_padding_mode:pss', '-keyopt', 'rsa_pss_saltlen:digest'];

describe('parseSignedData on what OpenSSL signs', () => {
  const openssl = peer('openssl');
  const ca = openssl === null ? null : opensslCa(openssl);
  after(() => ca?.[Symbol.dispose]());
  const ec = ca?.issue({ name: 'ec', extensions: [...CA, 'subjectKeyIdentifier=hash'] });
  const rsa = ca?.issue({ name: 'rsa', extensions: CA, keyType: 'rsa' });
  const cases = [
    {
      name: 'EC with SHA-256',
      rsa: false,
      args: [...TYPED, '-md', 'sha256'],
      expect: 'ecdsa-sha256',
    },
    {
      name: 'EC with SHA-512',
      rsa: false,
      args: [...TYPED, '-md', 'sha512'],
      expect: 'ecdsa-sha512',
    },
    {
      name: 'the signer by key identifier',
      rsa: false,
      args: [...TYPED, '-keyid'],
      expect: 'ecdsa-sha256',
    },
    {
      name: 'without certificates',
      rsa: false,
      args: [...TYPED, '-nocerts'],
      expect: 'ecdsa-sha256',
    },
    {
      name: 'RSA with SHA-384',
      rsa: true,
      args: [...TYPED, '-md', 'sha384'],
      expect: 'rsa-pkcs1v15-sha384',
    },
    {
      name: 'RSASSA-PSS',
      rsa: true,
      args: [...TYPED, '-md', 'sha256', ...PSS],
      expect: 'rsa-pss-sha256',
    },
    {
      name: 'EC with SHA-1',
      rsa: false,
      args: [...TYPED, '-md', 'sha1'],
      expect: 'crypto.algorithm-unknown',
    },
    { name: 'plain data', rsa: false, args: [], expect: 'x509.cms-malformed' },
    {
      name: 'no signed attributes',
      rsa: false,
      args: [...TYPED, '-noattr'],
      expect: 'der.malformed',
    },
  ];

  function signed(
    program: string,
    signer: Issued,
    folder: string,
    args: readonly string[],
  ): Uint8Array {
    const [input, output] = [join(folder, 'content'), join(folder, 'signed')];
    writeFileSync(input, 'content');
    const files = [
      '-in',
      input,
      '-out',
      output,
      '-signer',
      signer.certificatePath,
      '-inkey',
      signer.keyPath,
    ];
    const form = ['-binary', '-nodetach', '-nosmimecap', '-outform', 'DER'];
    execFileSync(program, ['cms', '-sign', ...form, ...files, ...args], {
      stdio: 'pipe',
      timeout: 20_000,
    });
    return readFileSync(output);
  }

  for (const { name, rsa: isRsa, args, expect } of cases) {
    it(`${name}: ${expect}`, async (t) => {
      const program = requirePeer(t, 'openssl');
      const signer = isRsa ? rsa : ec;
      if (program === null || !ca || !signer) return;
      const bytes = signed(program, signer, ca.folder, args);
      try {
        const data = parseSignedData(readDer(bytes, 'cms'), 'cms');
        assert.equal(data.signer.algorithm.name, expect);
        assert.equal(Buffer.from(data.content).toString(), 'content');
        assert.equal(
          data.signer.id.kind,
          args.includes('-keyid') ? 'subject-key-id' : 'issuer-and-serial',
        );
        assert.equal(data.certificates.length, args.includes('-nocerts') ? 0 : 1);
        const { publicKey } = readIssued(signer);
        const { algorithm, signedBytes, signature } = data.signer;
        assert.ok(await verifySignature(publicKey, algorithm, signedBytes, signature));
      } catch (error) {
        if (!(error instanceof TrustFault)) throw error;
        assert.equal(error.code, expect);
      }
    });
  }
});
