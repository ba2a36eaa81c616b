import { utf8 } from '@bulla/trust/bytes/byte-string';
import type { Wanted } from '@bulla/trust/proof/evidence';
import { mintBundle, statement } from '../../sigstore-lab/mint.ts';
import { set } from '../../sigstore-lab/mutations.ts';
import { keyless, SIGNATURE } from '../../sigstore-lab/question.ts';
import {
  ATTESTED,
  ATTESTED_OTHER,
  type Corruption,
  CUSTOM,
  DIGEST,
  FILE,
  issued,
  KEYLESS,
  lab,
  take,
  testCorruptions,
} from './corruptions.ts';

const wanted: Wanted = { kind: 'attestation', predicateType: CUSTOM };

/** (c) an attestation. */
const attestedRows: readonly Corruption[] = [
  { name: 'of another artifact', bundle: ATTESTED_OTHER, expect: ['statement.subject-mismatch'] },
  {
    name: 'envelope of another bundle',
    bundle: take(ATTESTED, ATTESTED_OTHER, 'dsseEnvelope'),
    expect: [
      'signature.invalid',
      'statement.subject-mismatch',
      'timestamp.imprint-mismatch',
      'tlog.entry-mismatch',
    ],
  },
  {
    name: 'payload changed',
    bundle: set(
      ATTESTED,
      'dsseEnvelope.payload',
      Buffer.from(statement(DIGEST, CUSTOM, { ok: false })).toString('base64'),
    ),
    expect: ['signature.invalid', 'tlog.entry-mismatch'],
  },
  {
    name: 'of another type',
    bundle: mintBundle(lab, {
      by: issued,
      payload: statement(DIGEST, 'https://slsa.dev/provenance/v1'),
    }),
    expect: ['statement.type-mismatch'],
  },
  { name: 'a signature', bundle: KEYLESS, expect: ['statement.type-mismatch'] },
  {
    name: 'asked for as a signature',
    bundle: ATTESTED,
    asked: { wanted: SIGNATURE },
    expect: ['signature.not-a-signature'],
  },
  {
    name: 'a message signature',
    bundle: mintBundle(lab, { by: issued, message: FILE }),
    expect: ['statement.type-mismatch'],
  },
  {
    name: 'a payload that is no statement',
    bundle: mintBundle(lab, { by: issued, payload: utf8('{}') }),
    expect: ['statement.malformed'],
  },
  {
    name: 'a statement about nothing',
    bundle: mintBundle(lab, {
      by: issued,
      payload: statement(DIGEST, CUSTOM, {}, { subject: [] }),
    }),
    expect: ['statement.malformed'],
  },
  {
    name: 'a statement under another payload type',
    bundle: mintBundle(lab, {
      by: issued,
      payload: statement(DIGEST, CUSTOM),
      payloadType: 'application/json',
    }),
    expect: ['dsse.malformed'],
  },
];

testCorruptions('an attestation', ATTESTED, { authorities: [keyless()], wanted }, attestedRows);
