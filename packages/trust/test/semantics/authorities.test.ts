import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { Authority } from '@bulla/trust/proof/authority';
import type { Evidence } from '@bulla/trust/proof/evidence';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import {
  bundleEvidence,
  mintBundle,
  mintLegacy,
  mintLegacyEnvelope,
  statement,
} from '../sigstore-lab/mint.ts';
import { DEV, judgeBlob, keyed, keyless } from '../sigstore-lab/question.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 8: authorities are counted, each once, and one principal counts for one of them.

const lab = openLab();
const FILE = utf8('the file');
const DIGEST = computeDigest(FILE);
const A = testKey('ecdsa-p256');
const B = testKey('ecdsa-p256');
const ISSUER = 'https://issuer.example';
const EVE = { issuer: ISSUER, subject: 'eve@acme.example' };

const bundle = (by: Parameters<typeof mintBundle>[1]['by']) =>
  bundleEvidence(mintBundle(lab, { by, payload: statement(DIGEST) }));
const layer = (by: Parameters<typeof mintLegacy>[1]['by']) =>
  mintLegacy(lab, { by, digest: DIGEST, loggedAt: NOW });
const dev = () => lab.ca.issue({ ...DEV, at: NOW });
const certified = lab.ca.issue({ ...DEV, at: NOW, key: A });

const anyone = keyless({ issuer: ISSUER, subject: { regex: '.*@acme\\.example' } }, 'anyone');
const isDev = keyless({ issuer: ISSUER, subject: { regex: 'dev@.*' } }, 'dev');
const isEve = keyless(EVE, 'eve');
const a = keyed(A, 'a');
const b = keyed(B, 'b');

interface Row {
  readonly name: string;
  readonly authorities: readonly Authority[];
  readonly evidence: readonly Evidence[];
  /** How many of the authorities count. */
  readonly counts: number;
}

const ROWS: readonly Row[] = [
  { name: 'two keys', authorities: [a, b], evidence: [bundle(A), bundle(B)], counts: 2 },
  {
    name: 'one key under two names',
    authorities: [a, keyed(A, 'a again')],
    evidence: [bundle(A)],
    counts: 1,
  },
  {
    name: 'one key under two names, two signatures',
    authorities: [a, keyed(A, 'a again')],
    evidence: [bundle(A), bundle(A)],
    counts: 1,
  },
  {
    name: 'one key in two formats',
    authorities: [a, b],
    evidence: [bundle(A), layer(A)],
    counts: 1,
  },
  {
    name: 'one key under two names in two formats',
    authorities: [a, keyed(A, 'a again')],
    evidence: [bundle(A), layer(A)],
    counts: 1,
  },
  {
    name: 'two keys in two formats',
    authorities: [a, b],
    evidence: [bundle(A), layer(B)],
    counts: 2,
  },
  {
    name: 'a key and a certificate of it',
    authorities: [a, anyone],
    evidence: [bundle(A), bundle(certified)],
    counts: 1,
  },
  {
    name: 'a key and a certificate of it, one signature',
    authorities: [a, anyone],
    evidence: [bundle(certified)],
    counts: 1,
  },
  {
    name: 'a key and a certificate of another',
    authorities: [a, anyone],
    evidence: [bundle(A), bundle(dev())],
    counts: 2,
  },
  {
    name: 'one identity under two patterns',
    authorities: [anyone, isDev],
    evidence: [bundle(dev())],
    counts: 1,
  },
  {
    name: 'one identity under two patterns, two certificates',
    authorities: [anyone, isDev],
    evidence: [bundle(dev()), bundle(dev())],
    counts: 1,
  },
  {
    name: 'two identities under two patterns',
    authorities: [anyone, isDev],
    evidence: [bundle(dev()), bundle(lab.ca.issue({ ...EVE, at: NOW }))],
    counts: 2,
  },
  {
    name: 'two identities of one pattern',
    authorities: [anyone, b],
    evidence: [bundle(dev()), bundle(lab.ca.issue({ ...EVE, at: NOW }))],
    counts: 1,
  },
  {
    name: 'one certificate of two names',
    authorities: [isDev, isEve],
    evidence: [bundle(lab.ca.issue({ ...DEV, subjects: [EVE.subject], at: NOW }))],
    counts: 1,
  },
  {
    name: 'the best assignment, the wide pattern first',
    authorities: [anyone, isDev, isEve],
    evidence: [bundle(dev()), bundle(lab.ca.issue({ ...EVE, at: NOW }))],
    counts: 2,
  },
  {
    name: 'the same signature many times',
    authorities: [a, b],
    evidence: Array.from({ length: 5 }, () => bundle(A)),
    counts: 1,
  },
  {
    name: 'two authorities of one name',
    authorities: [keyed(A, 'x'), keyed(B, 'x')],
    evidence: [bundle(A), bundle(B)],
    counts: 2,
  },
];

for (const { name, authorities, evidence, counts } of ROWS) {
  test(`${name}: ${counts} of ${authorities.length}`, async () => {
    for (let atLeast = 1; atLeast <= authorities.length; atLeast++) {
      const { finding } = await judgeBlob(lab, FILE, evidence, { authorities, atLeast });
      const expected = atLeast <= counts ? 'pass' : 'fail';
      assert.equal(finding.outcome, expected, renderFinding(finding).join('\n'));
      if (expected === 'fail') assert.equal(finding.code, 'policy.threshold-not-met');
    }
  });
}

test('an envelope of two signatures counts two keys, and one key that signed it twice once', async () => {
  const predicateType = 'https://example.dev/x';
  const wanted = { kind: 'attestation', predicateType } as const;
  const payload = statement(DIGEST, predicateType);
  for (const { keys, counts } of [
    { keys: [A, B], counts: 2 },
    { keys: [A, A], counts: 1 },
    { keys: [A], counts: 1 },
  ]) {
    for (const atLeast of [1, 2]) {
      const { finding } = await judgeBlob(lab, FILE, [mintLegacyEnvelope(payload, keys)], {
        authorities: [a, b],
        atLeast,
        wanted,
        requirements: { log: false },
      });
      assert.equal(finding.outcome, atLeast <= counts ? 'pass' : 'fail', `${keys.length}`);
    }
  }
});
