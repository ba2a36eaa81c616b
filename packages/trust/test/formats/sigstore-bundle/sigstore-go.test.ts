import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parsePublicKeyPem } from '@bulla/trust/crypto/public-key';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { Verdict } from '@bulla/trust/finding/verdict';
import type { Digest } from '@bulla/trust/oci/digest';
import type { Authority, KeyAuthority } from '@bulla/trust/proof/authority';
import { parseTrustedRoot } from '@bulla/trust/trust-root/trusted-root';
import { vectorsFolder } from '../../../../../test/peers.ts';
import { codesOf } from '../../sigstore-lab/findings.ts';
import { bundleEvidence, type Json } from '../../sigstore-lab/mint.ts';
import { flip, type Mutation, mutationsOf, nameOf, set } from '../../sigstore-lab/mutations.ts';
import { judgeBlob, keyless } from '../../sigstore-lab/question.ts';

/** Bundles of the public-good Sigstore and of a scaffolding instance (../shared/vectors). */

const RELEASE = {
  issuer: 'https://token.actions.githubusercontent.com',
  subject: 'https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main',
} as const;
const PERSON = { issuer: 'https://github.com/login/oauth', subject: 'brian@dehamer.com' } as const;
const USERNAME = { issuer: 'http://oidc.local:8080', subject: 'foo!oidc.local' } as const;

const NPM_1 =
  'sha512:76176ffa33808b54602c7c35de5c6e9a4deb96066dba6533f50ac234f4f1f4c6b3527515dc17c06fbe2860030f410eee69ea20079bd3a2c6f3dcf3b329b10751';
const NPM_2 =
  'sha512:46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c';
const SLSA_PACKAGE =
  'sha512:bbfd372fc9beeb777fe35d05bb10c0c70a9733d366a75fed7dd18866c7391de3ee7e88ba74dd47abf3e15c845e547fcf0e5c3da80854c751554224d3a6d4e55f';

interface Vector {
  readonly file: string;
  readonly root: string;
  readonly digest: Digest | 'noted';
  readonly by: { readonly issuer: string; readonly subject: string } | { readonly key: string };
  /** The predicate type of an attestation; none for a signature. */
  readonly type?: string;
  /** Fields that nothing depends on. */
  readonly free?: readonly string[];
}

const MATERIAL = 'verificationMaterial';
const PUBLIC_GOOD = 'trusted-root-public-good.json';
/** Bundles of version 0.1 need the promise alone, and no timestamps. */
const OLD = [`${MATERIAL}.tlogEntries.0.inclusionProof`, `${MATERIAL}.timestampVerificationData`];
const CHAIN = [
  `${MATERIAL}.x509CertificateChain.certificates.1`,
  `${MATERIAL}.x509CertificateChain.certificates.2`,
];
const KEY_ID = ['dsseEnvelope.signatures.0.keyid'];

const VECTORS: readonly Vector[] = [
  {
    file: 'bundle-provenance.json',
    root: PUBLIC_GOOD,
    digest: NPM_1,
    by: RELEASE,
    type: 'https://slsa.dev/provenance/v0.2',
    free: [...OLD, ...CHAIN, ...KEY_ID],
  },
  {
    file: 'bundle-publish.json',
    root: PUBLIC_GOOD,
    digest: NPM_1,
    by: { key: 'publish_key.pub' },
    type: 'https://github.com/npm/attestation/tree/main/specs/publish/v0.1',
    free: [
      ...OLD,
      ...KEY_ID,
      `${MATERIAL}.publicKey`,
      `${MATERIAL}.tlogEntries.0.inclusionPromise`,
    ],
  },
  {
    file: 'sigstore.js@2.0.0-provenance.sigstore.json',
    root: PUBLIC_GOOD,
    digest: NPM_2,
    by: RELEASE,
    type: 'https://slsa.dev/provenance/v1',
    free: [...OLD, ...CHAIN, ...KEY_ID],
  },
  {
    file: 'dsse.sigstore.json',
    root: PUBLIC_GOOD,
    digest: SLSA_PACKAGE,
    by: PERSON,
    type: 'https://slsa.dev/provenance/v0.2',
    free: [...OLD, ...CHAIN, ...KEY_ID],
  },
  {
    // sigstore_bundle.proto asks for exactly one signature; see docs/differences.md.
    file: 'dsse-2sigs.sigstore.json',
    root: PUBLIC_GOOD,
    digest: SLSA_PACKAGE,
    by: PERSON,
    type: 'https://slsa.dev/provenance/v0.2',
    free: [...OLD, ...CHAIN, ...KEY_ID, 'dsseEnvelope.signatures.1'],
  },
  {
    file: 'othername.sigstore.json',
    root: 'trusted-root-scaffolding.json',
    digest: 'noted',
    by: USERNAME,
    free: ['messageSignature.messageDigest'],
  },
  {
    file: 'public-key-validity.sigstore.json',
    root: 'trusted-root-public-key-validity.json',
    digest: 'noted',
    by: { key: 'public-key-validity.pem' },
    free: [
      'messageSignature.messageDigest',
      `${MATERIAL}.publicKey`,
      `${MATERIAL}.timestampVerificationData`,
    ],
  },
];

/** Long after every certificate ended: only trusted times can make a bundle pass. */
const AT = new Date('2026-11-21T12:00:00Z');

function read(folder: string, file: string): Json {
  return JSON.parse(readFileSync(join(folder, file), 'utf8')) as Json;
}

function digestOf(vector: Vector, bundle: Json): Digest {
  if (vector.digest !== 'noted') return vector.digest;
  const signature = bundle['messageSignature'] as { messageDigest: { digest: string } };
  return `sha256:${Buffer.from(signature.messageDigest.digest, 'base64').toString('hex')}`;
}

function authorityOf(folder: string, by: Vector['by']): Authority {
  if (!('key' in by)) return keyless(by);
  const key = parsePublicKeyPem(readFileSync(join(folder, by.key), 'utf8'), by.key);
  return { kind: 'key', name: by.key, key };
}

interface Opened {
  readonly bundle: Json;
  judge(bundle: Json, authority?: Authority, digest?: Digest): Promise<Verdict>;
  readonly authority: Authority;
}

function open(folder: string, vector: Vector): Opened {
  const bundle = read(folder, vector.file);
  const trustRoot = parseTrustedRoot(readFileSync(join(folder, vector.root)), vector.root);
  const authority = authorityOf(folder, vector.by);
  const { type } = vector;
  return {
    bundle,
    authority,
    judge: (document, by = authority, digest = digestOf(vector, bundle)) =>
      judgeBlob({ trustRoot }, digest, [bundleEvidence(document)], {
        authorities: [by],
        requirements: { at: AT },
        ...(type === undefined ? {} : { wanted: { kind: 'attestation', predicateType: type } }),
      }),
  };
}

function isFree({ path }: Mutation<Json>, free: readonly string[] = []): boolean {
  const name = nameOf(path);
  return free.some((entry) => name === entry || name.startsWith(`${entry}.`));
}

for (const vector of VECTORS) {
  test(`${vector.file} verifies under its trusted root at its own time and identity`, async (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    const { bundle, judge } = open(folder, vector);
    const { finding } = await judge(bundle);
    assert.equal(finding.outcome, 'pass', renderFinding(finding).join('\n'));
  });

  test(`${vector.file} is refused for another artifact and another signer`, async (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    const { bundle, judge, authority } = open(folder, vector);
    const algorithm = vector.digest === 'noted' ? 'sha256' : 'sha512';
    const other: Digest = `${algorithm}:${'0'.repeat(algorithm === 'sha256' ? 64 : 128)}`;
    assert.equal((await judge(bundle, authority, other)).finding.outcome, 'fail');
    for (const stranger of [
      keyless({ issuer: 'https://evil.example', subject: { regex: '.*' } }),
      authorityOf(folder, {
        key: 'key' in vector.by ? otherKey(vector.by.key) : 'publish_key.pub',
      }),
    ]) {
      const { finding } = await judge(bundle, stranger);
      assert.equal(finding.outcome, 'fail', renderFinding(finding).join('\n'));
    }
  });

  test(`no corruption of ${vector.file} passes`, async (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    if (folder === null) return;
    const { bundle, judge } = open(folder, vector);
    const twin = VECTORS.find(
      ({ file, type }) =>
        file !== vector.file && (type === undefined) === (vector.type === undefined),
    );
    const other = read(folder, twin?.file ?? '');
    let changes = 0;
    for (const change of mutationsOf(bundle, other)) {
      // The sweep over the lab's bundles tries every type; here each field goes, empties or is swapped.
      if (!/ (deleted|= ""|of another document)$/.test(change.name)) continue;
      changes++;
      const { finding } = await judge(change.document);
      if (finding.outcome === 'pass') {
        const tree = renderFinding(finding).join('\n');
        assert.ok(isFree(change, vector.free), `${change.name} passed\n${tree}`);
      } else assert.equal(finding.outcome, 'fail', change.name);
    }
    assert.ok(changes > 25, `${changes} changes`);
  });
}

function otherKey(file: string): string {
  return file === 'publish_key.pub' ? 'public-key-validity.pem' : 'publish_key.pub';
}

const ENTRY = `${MATERIAL}.tlogEntries.0`;
const CORRUPTIONS: readonly {
  readonly name: string;
  readonly file: string;
  readonly change: (bundle: Json) => Json;
  readonly expect: readonly string[];
}[] = [
  {
    name: 'promise flipped',
    file: 'bundle-provenance.json',
    change: (it) => flip(it, `${ENTRY}.inclusionPromise.signedEntryTimestamp`, -1),
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'time moved',
    file: 'bundle-provenance.json',
    change: (it) => set(it, `${ENTRY}.integratedTime`, '1681839913'),
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'a broken proof, though the promise would do',
    file: 'bundle-provenance.json',
    change: (it) =>
      set(it, `${ENTRY}.inclusionProof`, {
        logIndex: '0',
        rootHash: '',
        treeSize: '1',
        hashes: [],
        checkpoint: { envelope: 'x' },
      }),
    expect: ['proof.no-trusted-time', 'tlog.note-malformed'],
  },
  {
    name: 'body flipped',
    file: 'dsse.sigstore.json',
    change: (it) => flip(it, `${ENTRY}.canonicalizedBody`, 300),
    expect: ['proof.no-trusted-time', 'tlog.entry-malformed', 'tlog.promise-invalid'],
  },
  {
    name: 'proof dropped (0.3 needs it)',
    file: 'othername.sigstore.json',
    change: (it) => set(it, `${ENTRY}.inclusionProof`, undefined),
    expect: ['proof.no-trusted-time', 'tlog.unproven'],
  },
  {
    name: 'promise dropped, and no timestamp',
    file: 'othername.sigstore.json',
    change: (it) => set(it, `${ENTRY}.inclusionPromise`, undefined),
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'entry dropped',
    file: 'bundle-publish.json',
    change: (it) => set(it, `${MATERIAL}.tlogEntries`, []),
    expect: ['proof.log-missing'],
  },
];

for (const { name, file, change, expect } of CORRUPTIONS) {
  test(`${file}: ${name}`, async (t) => {
    const folder = vectorsFolder(t, 'sigstore-go');
    const vector = VECTORS.find((candidate) => candidate.file === file);
    if (folder === null || vector === undefined) return;
    const { bundle, judge } = open(folder, vector);
    const { finding } = await judge(change(bundle));
    assert.equal(finding.outcome, 'fail', renderFinding(finding).join('\n'));
    assert.deepEqual(codesOf(finding), expect);
  });
}

test('a key with a period is held against the timestamp of its bundle', async (t) => {
  const folder = vectorsFolder(t, 'sigstore-go');
  const vector = VECTORS.at(-1);
  if (folder === null || vector === undefined) return;
  const { bundle, judge, authority } = open(folder, vector);
  assert.equal(authority.kind, 'key');
  const { key } = authority as KeyAuthority;
  const rows = [
    { start: '2026-06-04T17:00:00Z', end: '2026-06-04T18:00:00Z', code: null },
    { start: '2026-06-04T18:00:00Z', end: '2026-06-05T00:00:00Z', code: 'proof.key-expired' },
    { start: '2026-01-01T00:00:00Z', end: '2026-06-04T17:00:00Z', code: 'proof.key-expired' },
  ];
  for (const { start, end, code } of rows) {
    const validFor = { start: new Date(start), end: new Date(end) };
    const { finding } = await judge(bundle, { kind: 'key', name: 'key', key, validFor });
    assert.deepEqual(codesOf(finding), code === null ? [] : [code]);
    assert.equal(finding.outcome, code === null ? 'pass' : 'fail');
  }
});
