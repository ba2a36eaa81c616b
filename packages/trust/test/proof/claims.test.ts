import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { computeDigest } from '@bulla/trust/oci/digest';
import type { Authority, ClaimRequirement } from '@bulla/trust/proof/authority';
import { codesOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { DEV, judgeBlob, keyless } from '../sigstore-lab/question.ts';
import { utf8Value, writeExtension } from '../x509/synthetic-certificate.ts';

/** Claims of a certificate that an authority asks for (Fulcio's extensions). */

const lab = openLab();
const FILE = utf8('the file');
const payload = statement(computeDigest(FILE));
const FULCIO = '1.3.6.1.4.1.57264.1';

function authority(claims: readonly ClaimRequirement[]): Authority {
  const identity = keyless();
  assert.ok(identity.kind === 'keyless');
  return { ...identity, claims };
}

const extensions = [
  writeExtension(`${FULCIO}.2`, Buffer.from('push')),
  writeExtension(`${FULCIO}.12`, utf8Value('https://github.com/acme/app')),
];
const by = lab.ca.issue({ ...DEV, at: NOW, extensions });
const evidence = [bundleEvidence(mintBundle(lab, { by, payload }))];

const ROWS: readonly { readonly claims: readonly ClaimRequirement[]; readonly passes: boolean }[] =
  [
    { claims: [{ claim: 'githubWorkflowTrigger', value: 'push' }], passes: true },
    {
      claims: [{ claim: 'sourceRepositoryUri', value: 'https://github.com/acme/app' }],
      passes: true,
    },
    { claims: [{ claim: 'githubWorkflowTrigger', value: 'PUSH' }], passes: false },
    { claims: [{ claim: 'githubWorkflowTrigger', value: 'pus' }], passes: false },
    { claims: [{ claim: 'githubWorkflowSha', value: 'push' }], passes: false },
    { claims: [{ claim: 'toString', value: 'push' }], passes: false },
    {
      claims: [
        { claim: 'githubWorkflowTrigger', value: 'push' },
        { claim: 'githubWorkflowRef', value: 'refs/heads/main' },
      ],
      passes: false,
    },
  ];

for (const { claims, passes } of ROWS) {
  test(`${claims.map(({ claim, value }) => `${claim}=${value}`).join(' and ')}: ${passes ? 'pass' : 'refusal'}`, async () => {
    const { finding } = await judgeBlob(lab, FILE, evidence, { authorities: [authority(claims)] });
    assert.equal(finding.outcome, passes ? 'pass' : 'fail');
    if (!passes) assert.deepEqual(codesOf(finding), ['proof.claim-mismatch']);
  });
}
