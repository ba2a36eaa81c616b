import { minutes, NOW, trustRootOf } from '../../sigstore-lab/lab.ts';
import { mintBundle, statement } from '../../sigstore-lab/mint.ts';
import { flip, set } from '../../sigstore-lab/mutations.ts';
import { keyless } from '../../sigstore-lab/question.ts';
import {
  type Corruption,
  DIGEST,
  ENTRY,
  issued,
  lab,
  OLD,
  PROOF,
  REKOR_V1,
  REKOR_V1_OTHER,
  take,
  testCorruptions,
} from './corruptions.ts';

/** Keyless over Rekor v1, whose promise is the only trusted time. */
const oldRows: readonly Corruption[] = [
  {
    name: 'promise flipped',
    bundle: flip(REKOR_V1, `${ENTRY}.inclusionPromise.signedEntryTimestamp`, -1),
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'promise dropped',
    bundle: set(REKOR_V1, `${ENTRY}.inclusionPromise`, undefined),
    expect: ['proof.no-trusted-time'],
  },
  {
    name: 'promise of another entry',
    bundle: take(REKOR_V1, REKOR_V1_OTHER, `${ENTRY}.inclusionPromise`),
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'time changed',
    bundle: set(REKOR_V1, `${ENTRY}.integratedTime`, String(NOW.getTime() / 1000 + 1)),
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'time dropped',
    bundle: set(REKOR_V1, `${ENTRY}.integratedTime`, undefined),
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'time beyond any date',
    bundle: set(REKOR_V1, `${ENTRY}.integratedTime`, '9223372036854775807'),
    expect: ['bundle.malformed'],
  },
  {
    name: 'global index changed',
    bundle: set(REKOR_V1, `${ENTRY}.logIndex`, '1005'),
    expect: ['proof.no-trusted-time', 'tlog.promise-invalid'],
  },
  {
    name: 'proof dropped',
    bundle: set(REKOR_V1, PROOF, undefined),
    expect: ['proof.no-trusted-time', 'tlog.unproven'],
  },
  {
    name: 'proof of another entry',
    bundle: take(REKOR_V1, REKOR_V1_OTHER, PROOF),
    expect: ['proof.no-trusted-time', 'tlog.inclusion-invalid'],
  },
  {
    name: 'entry of another bundle',
    bundle: take(REKOR_V1, REKOR_V1_OTHER, ENTRY),
    expect: ['proof.no-trusted-time', 'tlog.entry-mismatch'],
  },
  {
    name: 'expired: logged after the certificate',
    bundle: mintBundle(lab, {
      by: issued,
      payload: statement(DIGEST),
      ...OLD,
      loggedAt: minutes(11),
    }),
    expect: ['x509.expired'],
  },
  {
    name: 'expired: the log’s key',
    bundle: REKOR_V1,
    asked: {
      requirements: {
        trustRoot: trustRootOf(lab, { logValidFor: { end: '2026-11-20T00:00:00Z' } }),
      },
    },
    expect: ['proof.no-trusted-time', 'tlog.log-expired'],
  },
];

testCorruptions('a bundle of Rekor v1', REKOR_V1, { authorities: [keyless()] }, oldRows);
