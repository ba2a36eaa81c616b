import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { Wanted } from '@bulla/trust/proof/evidence';
import { outcomeOf } from '../../sigstore-lab/findings.ts';
import { bundleEvidence, type Json, mintBundle, statement } from '../../sigstore-lab/mint.ts';
import { type Mutation, mutationsOf, nameOf } from '../../sigstore-lab/mutations.ts';
import { judgeBlob, keyed, keyless } from '../../sigstore-lab/question.ts';
import {
  ATTESTED,
  ATTESTED_OTHER,
  BY_KEY,
  BY_KEY_OTHER,
  CUSTOM,
  DIGEST,
  FILE,
  KEY,
  KEYLESS,
  KEYLESS_OTHER,
  lab,
  OTHER,
  REKOR_V1,
  REKOR_V1_OTHER,
} from './corruptions.ts';

/** Every node of every kind of bundle, changed in every way that JSON has. */

interface Swept {
  readonly name: string;
  readonly bundle: Json;
  readonly other: Json;
  readonly wanted?: Wanted;
  /** Nothing depends on what lies at or below these: why, in a word. */
  readonly free?: Readonly<Record<string, string>>;
}

const MATERIAL = 'verificationMaterial';
const STAMPS = `${MATERIAL}.timestampVerificationData`;

const HINT = {
  [`${MATERIAL}.publicKey.hint`]: 'a hint',
  [`${MATERIAL}.publicKey = {}`]: 'a key without a hint',
};
const UNNEEDED_TIME = { [STAMPS]: 'a key without a period needs no time' };
const NOTED = { 'messageSignature.messageDigest': 'a hint that may be absent' };
// A Rekor v1 entry with a proof needs its promise for the time only; a key needs no time.
const SPARE_PROMISE = {
  [`${MATERIAL}.tlogEntries.0.inclusionPromise`]: 'the proof stands alone',
};

const SWEPT: readonly Swept[] = [
  { name: 'a keyless bundle', bundle: KEYLESS, other: KEYLESS_OTHER },
  {
    name: 'a keyless bundle of Rekor v1',
    bundle: REKOR_V1,
    other: REKOR_V1_OTHER,
    free: { [STAMPS]: 'an empty list; the promise is the time' },
  },
  {
    name: 'a key bundle',
    bundle: BY_KEY,
    other: BY_KEY_OTHER,
    free: { ...HINT, ...UNNEEDED_TIME, ...NOTED },
  },
  {
    name: 'a key bundle of Rekor v1',
    bundle: mintBundle(lab, { by: KEY, payload: statement(DIGEST), logs: ['old'], version: '0.2' }),
    other: mintBundle(lab, { by: KEY, payload: statement(OTHER), logs: ['old'], version: '0.2' }),
    free: { ...HINT, ...UNNEEDED_TIME, ...SPARE_PROMISE },
  },
  {
    name: 'an attestation',
    bundle: ATTESTED,
    other: ATTESTED_OTHER,
    wanted: { kind: 'attestation', predicateType: CUSTOM },
  },
];

/** Whether a change, by its name or by the node that it is at or below, is on the list. */
function isFree(change: Mutation<Json>, free: Readonly<Record<string, string>> = {}): boolean {
  const path = nameOf(change.path);
  return Object.keys(free).some(
    (entry) => change.name === entry || path === entry || path.startsWith(`${entry}.`),
  );
}

for (const { name, bundle, other, wanted, free } of SWEPT) {
  test(`no change of any field makes ${name} pass, but of fields that nothing depends on`, async () => {
    let changes = 0;
    const passed: Mutation<Json>[] = [];
    for (const change of mutationsOf(bundle, other)) {
      changes++;
      const { finding } = await judgeBlob(lab, FILE, [bundleEvidence(change.document)], {
        authorities: [keyless(), keyed(KEY)],
        ...(wanted === undefined ? {} : { wanted }),
      });
      if (finding.outcome === 'pass') {
        passed.push(change);
        assert.ok(
          isFree(change, free),
          `${change.name} passed:\n${renderFinding(finding).join('\n')}`,
        );
      } else {
        assert.equal(finding.outcome, 'fail', change.name);
        assert.notEqual(finding.code, 'internal.defect', change.name);
      }
    }
    assert.ok(changes > 200, `${changes} changes`);
    // A field on the list that could never pass does not belong there.
    for (const entry of Object.keys(free ?? {})) {
      assert.ok(
        passed.some((change) => isFree(change, { [entry]: '' })),
        `${entry} is free and no change of it passed`,
      );
    }
  });
}

test('the tree shows what did not count', async () => {
  const { finding } = await judgeBlob(
    lab,
    FILE,
    [bundleEvidence({ ...BY_KEY, [MATERIAL]: withBadStamp() })],
    { authorities: [keyed(KEY)] },
  );
  assert.equal(finding.outcome, 'pass');
  assert.equal(outcomeOf(finding, 'timestamps'), 'skipped');
});

function withBadStamp(): unknown {
  return {
    ...(BY_KEY[MATERIAL] as Json),
    timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: 'AAAA' }] },
  };
}
