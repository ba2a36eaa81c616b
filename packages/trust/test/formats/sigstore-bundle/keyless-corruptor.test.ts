import { minutes, NOW, trustRootOf } from '../../sigstore-lab/lab.ts';
import { mintBundle, statement } from '../../sigstore-lab/mint.ts';
import { flip, set } from '../../sigstore-lab/mutations.ts';
import { DEV, keyless } from '../../sigstore-lab/question.ts';
import {
  at,
  BY_KEY,
  CERTIFICATE,
  type Corruption,
  DIGEST,
  ENTRY,
  issued,
  KEYLESS,
  KEYLESS_OTHER,
  lab,
  PROOF,
  SIG,
  STAMP,
  stranger,
  take,
  testCorruptions,
} from './corruptions.ts';

/** (a) keyless, Rekor v2 and a timestamp. */
const keylessRows: readonly Corruption[] = [
  {
    name: 'payload flipped',
    bundle: flip(KEYLESS, 'dsseEnvelope.payload', 30),
    expect: ['signature.invalid', 'statement.malformed', 'tlog.entry-mismatch'],
  },
  {
    name: 'signature flipped',
    bundle: flip(KEYLESS, SIG, -1),
    expect: ['signature.invalid', 'timestamp.imprint-mismatch', 'tlog.entry-mismatch'],
  },
  {
    name: 'signature of another bundle',
    bundle: take(KEYLESS, KEYLESS_OTHER, SIG),
    expect: ['signature.invalid', 'timestamp.imprint-mismatch', 'tlog.entry-mismatch'],
  },
  {
    name: 'payload of another bundle',
    bundle: take(KEYLESS, KEYLESS_OTHER, 'dsseEnvelope.payload'),
    expect: ['signature.invalid', 'statement.subject-mismatch', 'tlog.entry-mismatch'],
  },
  {
    name: 'envelope of another bundle',
    bundle: take(KEYLESS, KEYLESS_OTHER, 'dsseEnvelope'),
    expect: [
      'signature.invalid',
      'statement.subject-mismatch',
      'timestamp.imprint-mismatch',
      'tlog.entry-mismatch',
    ],
  },
  {
    name: 'all of another bundle (replay)',
    bundle: KEYLESS_OTHER,
    expect: ['statement.subject-mismatch'],
  },
  {
    name: 'payload type changed',
    bundle: set(KEYLESS, 'dsseEnvelope.payloadType', 'text/plain'),
    expect: ['signature.invalid', 'dsse.malformed', 'tlog.entry-mismatch'],
  },
  {
    name: 'no signature',
    bundle: set(KEYLESS, 'dsseEnvelope.signatures', []),
    expect: ['bundle.malformed'],
  },
  {
    name: 'certificate flipped',
    bundle: flip(KEYLESS, CERTIFICATE, -1),
    expect: ['x509.untrusted', 'tlog.entry-mismatch'],
  },
  {
    name: 'certificate of another bundle',
    bundle: take(KEYLESS, KEYLESS_OTHER, CERTIFICATE),
    expect: ['signature.invalid', 'tlog.entry-mismatch'],
  },
  {
    name: 'certificate in a chain (0.2)',
    bundle: set(KEYLESS, 'verificationMaterial.x509CertificateChain', { certificates: [] }),
    expect: ['bundle.malformed'],
  },
  {
    name: 'certificate replaced by a key hint',
    bundle: set(
      set(KEYLESS, 'verificationMaterial.certificate', undefined),
      'verificationMaterial.publicKey',
      { hint: '' },
    ),
    expect: ['proof.material-mismatch'],
  },
  {
    name: 'timestamp dropped',
    bundle: set(KEYLESS, 'verificationMaterial.timestampVerificationData', undefined),
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'timestamp flipped',
    bundle: flip(KEYLESS, STAMP, -1),
    expect: ['timestamp.signature-invalid'],
  },
  {
    name: 'timestamp of another bundle',
    bundle: take(KEYLESS, KEYLESS_OTHER, STAMP),
    expect: ['timestamp.imprint-mismatch'],
  },
  {
    name: 'entry dropped',
    bundle: set(KEYLESS, 'verificationMaterial.tlogEntries', []),
    expect: ['proof.log-missing'],
  },
  {
    name: 'entry of another bundle',
    bundle: take(KEYLESS, KEYLESS_OTHER, ENTRY),
    expect: ['tlog.entry-mismatch'],
  },
  {
    name: 'body flipped',
    bundle: flip(KEYLESS, `${ENTRY}.canonicalizedBody`, 40),
    expect: ['tlog.entry-mismatch', 'tlog.inclusion-invalid'],
  },
  {
    name: 'body of another bundle',
    bundle: take(KEYLESS, KEYLESS_OTHER, `${ENTRY}.canonicalizedBody`),
    expect: ['tlog.entry-mismatch', 'tlog.inclusion-invalid'],
  },
  {
    name: 'entry without proof',
    bundle: set(KEYLESS, PROOF, undefined),
    expect: ['tlog.unproven'],
  },
  {
    name: 'proof of another bundle',
    bundle: take(KEYLESS, KEYLESS_OTHER, PROOF),
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'a hash of the proof flipped',
    bundle: flip(KEYLESS, `${PROOF}.hashes.0`),
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'a hash of the proof dropped',
    bundle: set(KEYLESS, `${PROOF}.hashes.0`, undefined),
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'root of the proof flipped',
    bundle: flip(KEYLESS, `${PROOF}.rootHash`),
    expect: ['tlog.proof-mismatch'],
  },
  {
    name: 'size of the proof changed',
    bundle: set(KEYLESS, `${PROOF}.treeSize`, '8'),
    expect: ['tlog.proof-mismatch'],
  },
  {
    name: 'index of the proof changed',
    bundle: set(KEYLESS, `${PROOF}.logIndex`, '5'),
    expect: ['tlog.proof-mismatch'],
  },
  {
    name: 'index of the entry changed',
    bundle: set(KEYLESS, `${ENTRY}.logIndex`, '5'),
    expect: ['tlog.proof-mismatch'],
  },
  {
    name: 'both indexes changed',
    bundle: set(set(KEYLESS, `${ENTRY}.logIndex`, '5'), `${PROOF}.logIndex`, '5'),
    expect: ['tlog.inclusion-invalid'],
  },
  {
    name: 'checkpoint of another bundle',
    bundle: take(KEYLESS, KEYLESS_OTHER, `${PROOF}.checkpoint.envelope`),
    expect: ['tlog.proof-mismatch'],
  },
  {
    name: 'checkpoint unsigned',
    bundle: set(
      KEYLESS,
      `${PROOF}.checkpoint.envelope`,
      String(at(KEYLESS, `${PROOF}.checkpoint.envelope`)).replace(/\n\n[\s\S]*$/, '\n\n'),
    ),
    expect: ['tlog.note-malformed'],
  },
  {
    name: 'checkpoint text changed',
    bundle: set(
      KEYLESS,
      `${PROOF}.checkpoint.envelope`,
      String(at(KEYLESS, `${PROOF}.checkpoint.envelope`)).replace('\n7\n', '\n8\n'),
    ),
    expect: ['tlog.checkpoint-signature'],
  },
  {
    name: 'checkpoint of another origin',
    bundle: set(
      KEYLESS,
      `${PROOF}.checkpoint.envelope`,
      String(at(KEYLESS, `${PROOF}.checkpoint.envelope`)).replace('log.example', 'log2.example'),
    ),
    expect: ['tlog.checkpoint-origin'],
  },
  {
    name: 'log id flipped',
    bundle: flip(KEYLESS, `${ENTRY}.logId.keyId`),
    expect: ['tlog.log-unknown'],
  },
  {
    name: 'kind changed',
    bundle: set(KEYLESS, `${ENTRY}.kindVersion.kind`, 'dsse'),
    expect: ['tlog.entry-mismatch'],
  },
  {
    name: 'kind unknown',
    bundle: set(KEYLESS, `${ENTRY}.kindVersion.kind`, 'rekord'),
    expect: ['tlog.entry-unsupported'],
  },
  {
    name: 'integratedTime added',
    bundle: set(KEYLESS, `${ENTRY}.integratedTime`, '1795262400'),
    expect: ['tlog.integrated-time-unsigned'],
  },
  {
    name: 'promise added',
    bundle: set(KEYLESS, `${ENTRY}.inclusionPromise`, { signedEntryTimestamp: at(KEYLESS, SIG) }),
    expect: ['tlog.integrated-time-unsigned'],
  },
  {
    name: 'two contents',
    bundle: { ...KEYLESS, messageSignature: BY_KEY['messageSignature'] },
    expect: ['bundle.malformed'],
  },
  {
    name: 'no content',
    bundle: set(KEYLESS, 'dsseEnvelope', undefined),
    expect: ['bundle.malformed'],
  },
  {
    name: 'version unknown',
    bundle: set(KEYLESS, 'mediaType', 'application/vnd.dev.sigstore.bundle.v0.4+json'),
    expect: ['bundle.version'],
  },
  { name: 'unknown field', bundle: { ...KEYLESS, more: 1 }, expect: ['bundle.malformed'] },
  {
    name: 'expired: stamped after the certificate',
    bundle: mintBundle(lab, { by: issued, payload: statement(DIGEST), stampedAt: [minutes(11)] }),
    expect: ['x509.expired'],
  },
  {
    name: 'expired: stamped before the certificate',
    bundle: mintBundle(lab, { by: issued, payload: statement(DIGEST), stampedAt: [minutes(-1)] }),
    expect: ['x509.not-yet-valid'],
  },
  {
    name: 'expired: one of two timestamps after it',
    bundle: mintBundle(lab, {
      by: issued,
      payload: statement(DIGEST),
      stampedAt: [NOW, minutes(11)],
    }),
    expect: ['x509.expired'],
  },
  {
    name: 'expired: the trust root’s services',
    bundle: KEYLESS,
    asked: {
      requirements: { trustRoot: trustRootOf(lab, { validFor: { end: '2026-11-20T00:00:00Z' } }) },
    },
    expect: ['x509.authority-period', 'x509.sct-log-period', 'tlog.log-expired'],
  },
  {
    name: 'everything by strangers',
    bundle: mintBundle(stranger, {
      by: stranger.ca.issue({ ...DEV, at: NOW }),
      payload: statement(DIGEST),
    }),
    expect: ['x509.untrusted', 'tlog.log-unknown'],
  },
  {
    name: 'a stranger’s certificate',
    bundle: mintBundle(lab, {
      by: stranger.ca.issue({ ...DEV, at: NOW }),
      payload: statement(DIGEST),
    }),
    expect: ['x509.untrusted'],
  },
  {
    name: 'a stranger’s SCT',
    bundle: mintBundle(lab, {
      by: lab.ca.issue({ ...DEV, at: NOW, ctLog: stranger.ctLog }),
      payload: statement(DIGEST),
    }),
    expect: ['x509.sct-log-unknown'],
  },
  {
    name: 'no SCT',
    bundle: mintBundle(lab, {
      by: lab.ca.issue({ ...DEV, at: NOW, ctLog: null }),
      payload: statement(DIGEST),
    }),
    expect: ['x509.sct-missing'],
  },
  {
    name: 'a stranger’s timestamp',
    bundle: mintBundle({ ...lab, tsa: stranger.tsa }, { by: issued, payload: statement(DIGEST) }),
    expect: ['x509.untrusted'],
  },
  {
    name: 'a stranger’s log',
    bundle: mintBundle({ ...lab, tlog: stranger.tlog }, { by: issued, payload: statement(DIGEST) }),
    expect: ['tlog.log-unknown'],
  },
  {
    name: 'a certificate for timestamps',
    bundle: mintBundle(lab, {
      by: lab.ca.issue({ ...DEV, at: NOW, purpose: '1.3.6.1.5.5.7.3.8' }),
      payload: statement(DIGEST),
    }),
    expect: ['x509.usage'],
  },
  {
    name: 'another subject',
    bundle: mintBundle(lab, {
      by: lab.ca.issue({ ...DEV, subject: 'eve@acme.example', at: NOW }),
      payload: statement(DIGEST),
    }),
    expect: ['proof.identity-mismatch'],
  },
  {
    name: 'another issuer',
    bundle: mintBundle(lab, {
      by: lab.ca.issue({ ...DEV, issuer: 'https://evil.example', at: NOW }),
      payload: statement(DIGEST),
    }),
    expect: ['proof.identity-mismatch'],
  },
];

testCorruptions('a keyless bundle', KEYLESS, { authorities: [keyless()] }, keylessRows);
