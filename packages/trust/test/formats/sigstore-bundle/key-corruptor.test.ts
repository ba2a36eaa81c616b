import { minutes } from '../../sigstore-lab/lab.ts';
import { mintBundle } from '../../sigstore-lab/mint.ts';
import { flip, set } from '../../sigstore-lab/mutations.ts';
import { keyed } from '../../sigstore-lab/question.ts';
import { testKey } from '../../tlog/synthetic-log.ts';
import {
  BY_KEY,
  BY_KEY_OTHER,
  type Corruption,
  ENTRY,
  FILE,
  KEY,
  KEYLESS,
  lab,
  STAMP,
  take,
  testCorruptions,
} from './corruptions.ts';

/** (b) a key with a period, so that its log entry and its timestamp count. */
const authority = { ...keyed(KEY), validFor: { start: minutes(-60), end: minutes(60) } };
const asked = { authorities: [authority] };

const keyRows: readonly Corruption[] = [
  {
    name: 'signature flipped',
    bundle: flip(BY_KEY, 'messageSignature.signature', -1),
    expect: ['signature.invalid', 'timestamp.imprint-mismatch', 'tlog.entry-mismatch'],
  },
  {
    name: 'noted digest flipped',
    bundle: flip(BY_KEY, 'messageSignature.messageDigest.digest'),
    expect: ['signature.digest-mismatch'],
  },
  {
    name: 'noted algorithm changed',
    bundle: set(BY_KEY, 'messageSignature.messageDigest.algorithm', 'SHA2_512'),
    expect: ['signature.digest-mismatch'],
  },
  {
    name: 'noted algorithm unknown',
    bundle: set(BY_KEY, 'messageSignature.messageDigest.algorithm', 'SHA1'),
    expect: ['bundle.malformed'],
  },
  {
    name: 'all of another bundle (replay)',
    bundle: BY_KEY_OTHER,
    expect: ['signature.invalid', 'signature.digest-mismatch', 'tlog.entry-mismatch'],
  },
  {
    name: 'timestamp flipped',
    bundle: flip(BY_KEY, STAMP, -1),
    expect: ['timestamp.signature-invalid'],
  },
  {
    name: 'timestamp of another bundle',
    bundle: take(BY_KEY, BY_KEY_OTHER, STAMP),
    expect: ['timestamp.imprint-mismatch'],
  },
  {
    name: 'entry dropped',
    bundle: set(BY_KEY, 'verificationMaterial.tlogEntries', undefined),
    expect: ['proof.log-missing'],
  },
  {
    name: 'entry of another bundle',
    bundle: take(BY_KEY, BY_KEY_OTHER, ENTRY),
    expect: ['tlog.entry-mismatch'],
  },
  {
    name: 'another key',
    bundle: mintBundle(lab, { by: testKey('ecdsa-p256'), message: FILE }),
    expect: ['signature.invalid', 'tlog.entry-mismatch'],
  },
  {
    name: 'a certificate in place of the hint',
    bundle: set(BY_KEY, 'verificationMaterial', KEYLESS['verificationMaterial']),
    expect: ['proof.material-mismatch'],
  },
  {
    name: 'expired: stamped after the key’s end',
    bundle: mintBundle(lab, { by: KEY, message: FILE, stampedAt: [minutes(61)] }),
    expect: ['proof.key-expired'],
  },
  {
    name: 'expired: no timestamp, and the present after the key’s end',
    bundle: mintBundle(lab, { by: KEY, message: FILE, stampedAt: [] }),
    asked: { requirements: { at: minutes(61) } },
    expect: ['proof.key-expired'],
  },
];

testCorruptions('a key bundle', BY_KEY, asked, keyRows);
