import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeInteger } from '@bulla/trust/bytes/der-writer';
import { TrustFault } from '@bulla/trust/fault/fault';
import { FULCIO_EXTENSIONS, fulcioClaims } from '@bulla/trust/x509/fulcio-extensions';
import { vectorsFolder } from '../../../../test/peers.ts';
import { labLeaf, readBundle } from './material.ts';
import { makeCertificate, utf8Value, writeExtension } from './synthetic-certificate.ts';

const ARC = '1.3.6.1.4.1.57264.1';

describe('fulcioClaims', () => {
  it('reads all claims of a workflow', () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    const workflow = 'https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main';
    assert.deepEqual(fulcioClaims(labLeaf('keyless-ci')), {
      issuer: 'http://127.0.0.1:7005/ci',
      githubWorkflowTrigger: 'push',
      githubWorkflowSha: commit,
      githubWorkflowName: 'release',
      githubWorkflowRepository: 'acme/app',
      githubWorkflowRef: 'refs/heads/main',
      buildSignerUri: workflow,
      buildSignerDigest: commit,
      runnerEnvironment: 'github-hosted',
      sourceRepositoryUri: 'https://github.com/acme/app',
      sourceRepositoryDigest: commit,
      sourceRepositoryRef: 'refs/heads/main',
      sourceRepositoryIdentifier: '1001',
      sourceRepositoryOwnerUri: 'https://github.com/acme',
      sourceRepositoryOwnerIdentifier: '2002',
      buildConfigUri: workflow,
      buildConfigDigest: commit,
      buildTrigger: 'push',
      runInvocationUri: 'https://github.com/acme/app/actions/runs/3003/attempts/1',
      sourceRepositoryVisibilityAtSigning: 'public',
      deploymentEnvironment: null,
      tokenSubject: 'repo:acme/app:ref:refs/heads/main',
    });
  });

  it('reads the issuer of a certificate of 2022, which has only extension 1', (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    const { leaf } = readBundle(join(folder, 'dsse.sigstore.json'));
    assert.ok(leaf);
    assert.equal(fulcioClaims(leaf).issuer, 'https://github.com/login/oauth');
  });

  const raw = (text: string) => writeExtension(`${ARC}.1`, Buffer.from(text));
  const der = (text: string) => writeExtension(`${ARC}.8`, utf8Value(text));
  const cases = [
    {
      name: 'the same issuer twice',
      extensions: [raw('https://a'), der('https://a')],
      expect: 'https://a',
    },
    { name: 'only the newer one', extensions: [der('https://a')], expect: 'https://a' },
    {
      name: 'two issuers',
      extensions: [raw('https://a'), der('https://b')],
      expect: 'x509.issuer-conflict',
    },
    {
      name: 'two issuers, one of them empty',
      extensions: [raw(''), der('https://b')],
      expect: 'x509.issuer-conflict',
    },
    { name: 'no issuer', extensions: [writeExtension('1.2.3', utf8Value('x'))], expect: null },
    {
      name: 'bare bytes where DER is due',
      extensions: [writeExtension(`${ARC}.8`, Buffer.from('https://a'))],
      expect: 'der.malformed',
    },
    {
      name: 'DER of another type',
      extensions: [writeExtension(`${ARC}.8`, writeInteger(1))],
      expect: 'der.malformed',
    },
    {
      name: 'bytes that are not UTF-8',
      extensions: [writeExtension(`${ARC}.1`, Uint8Array.of(0xff))],
      expect: 'x509.malformed',
    },
  ];
  for (const { name, extensions, expect } of cases) {
    it(`${name}: ${expect}`, () => {
      const certificate = makeCertificate({ extensions });
      try {
        assert.equal(fulcioClaims(certificate).issuer, expect);
      } catch (error) {
        assert.ok(error instanceof TrustFault, String(error));
        assert.equal(error.code, expect);
      }
    });
  }

  it('names extensions 1 to 24 once, without 7, which is a kind of name', () => {
    const numbers = FULCIO_EXTENSIONS.map(({ oid }) => Number(oid.slice(ARC.length + 1)));
    assert.deepEqual(
      numbers,
      Array.from({ length: 24 }, (_, at) => at + 1).filter((n) => n !== 7),
    );
  });
});
