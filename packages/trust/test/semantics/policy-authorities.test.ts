import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PREDICATE_TYPES } from '@bulla/trust/claims/predicate-type';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { Digest } from '@bulla/trust/oci/digest';
import type { Requirement } from '@bulla/trust/policy/document';
import type { ReadyAuthority } from '@bulla/trust/policy/policy-set';
import type { Evidence } from '@bulla/trust/proof/evidence';
import { decided } from '../policy-lab/decide.ts';
import { policyOf, ready, setOf, signed, unsupported } from '../policy-lab/policy.ts';
import { codesOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import {
  bundleEvidence,
  mintBundle,
  mintLegacy,
  type SignedBy,
  statement,
} from '../sigstore-lab/mint.ts';
import { DEV, keyed, keyless } from '../sigstore-lab/question.ts';
import {
  attachBundle,
  attachLayers,
  openRepository,
  putImage,
} from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 8 and 9 for policies: who is counted, and what is a signature.

const lab = openLab();
const A = testKey('ecdsa-p256');
const B = testKey('ecdsa-p256');
const ISSUER = 'https://issuer.example';
const WORKFLOW = 'https://github.com/acme/app/.github/workflows/release.yml@refs/tags';

/** A piece of evidence about a digest. */
type Mint = (digest: Digest) => Evidence;
const bundle =
  (by: SignedBy): Mint =>
  (digest) =>
    bundleEvidence(mintBundle(lab, { by, payload: statement(digest) }));
const layer =
  (by: SignedBy): Mint =>
  (digest) =>
    mintLegacy(lab, { by, digest, loggedAt: NOW });
const provenance =
  (by: SignedBy): Mint =>
  (digest) =>
    bundleEvidence(
      mintBundle(lab, { by, payload: statement(digest, PREDICATE_TYPES.slsaprovenance1) }),
    );
const at = (tag: string) =>
  lab.ca.issue({ issuer: ISSUER, subject: `${WORKFLOW}/${tag}`, at: NOW });
const workflow = (tag: string, name: string) =>
  ready(keyless({ issuer: ISSUER, subject: `${WORKFLOW}/${tag}` }, name), lab);
const anyTag = (name: string) =>
  ready(keyless({ issuer: ISSUER, subject: { glob: `${WORKFLOW}/v*` } }, name), lab);

const a = ready(keyed(A, 'a'));
const b = ready(keyed(B, 'b'));
const again = ready(keyed(A, 'again'));
const dev = ready(keyless(DEV, 'dev'), lab);
const certified = lab.ca.issue({ ...DEV, at: NOW, key: A });

function decideBy(
  authorities: readonly ReadyAuthority[],
  mints: readonly Mint[],
  require: Requirement,
) {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const evidence = mints.map((mint) => mint(image.digest));
  const layers = evidence.filter(({ format }) => format === 'cosign-legacy');
  for (const piece of evidence) {
    if (piece.format === 'sigstore-bundle') attachBundle(repository, image, piece);
  }
  if (layers.length > 0) attachLayers(repository, image.digest, 'sig', layers);
  const policies = setOf(policyOf({ authorities, require }));
  return decided({ source: repository, policies });
}

const ROWS: readonly {
  readonly name: string;
  readonly of: readonly ReadyAuthority[];
  readonly evidence: readonly Mint[];
  readonly counts: number;
}[] = [
  { name: 'two keys', of: [a, b], evidence: [bundle(A), bundle(B)], counts: 2 },
  { name: 'two keys in two formats', of: [a, b], evidence: [bundle(A), layer(B)], counts: 2 },
  { name: 'the same key under two names', of: [a, again], evidence: [bundle(A)], counts: 1 },
  {
    name: 'the same key under two names, in two signatures',
    of: [a, again],
    evidence: [bundle(A), bundle(A)],
    counts: 1,
  },
  { name: 'the same key in two formats', of: [a, b], evidence: [bundle(A), layer(A)], counts: 1 },
  {
    name: 'the same key under two names, in two formats',
    of: [a, again],
    evidence: [bundle(A), layer(A)],
    counts: 1,
  },
  {
    name: 'the same key inside a certificate',
    of: [a, dev],
    evidence: [bundle(A), bundle(certified)],
    counts: 1,
  },
  {
    name: 'the same key inside a certificate alone',
    of: [a, dev],
    evidence: [bundle(certified)],
    counts: 1,
  },
  {
    name: 'a key and a certificate of another',
    of: [a, dev],
    evidence: [bundle(A), bundle(lab.ca.issue({ ...DEV, at: NOW }))],
    counts: 2,
  },
  {
    name: 'one workflow at two tags, by one pattern',
    of: [anyTag('release'), b],
    evidence: [bundle(at('v1')), bundle(at('v2'))],
    counts: 1,
  },
  {
    name: 'one workflow at one tag, under two patterns',
    of: [anyTag('release'), workflow('v1', 'first')],
    evidence: [bundle(at('v1')), bundle(at('v1'))],
    counts: 1,
  },
  {
    name: 'one workflow at two tags, each of which the policy names',
    of: [workflow('v1', 'first'), workflow('v2', 'second')],
    evidence: [bundle(at('v1')), bundle(at('v2'))],
    counts: 2,
  },
  {
    name: 'the best assignment, the wide pattern first',
    of: [anyTag('release'), workflow('v1', 'first')],
    evidence: [bundle(at('v1')), bundle(at('v2'))],
    counts: 2,
  },
  { name: 'one signature many times', of: [a, b], evidence: Array(5).fill(bundle(A)), counts: 1 },
  { name: 'an attestation is no signature', of: [a, b], evidence: [provenance(A)], counts: 0 },
  {
    name: 'an attestation beside a signature',
    of: [a, b],
    evidence: [bundle(A), provenance(B)],
    counts: 1,
  },
  {
    name: 'the right subject by another issuer',
    of: [dev, b],
    evidence: [bundle(lab.ca.issue({ ...DEV, issuer: 'https://evil.example', at: NOW }))],
    counts: 0,
  },
  {
    name: 'a subject of which the right one is a part',
    of: [dev, b],
    evidence: [bundle(lab.ca.issue({ ...DEV, subject: `x${DEV.subject}`, at: NOW }))],
    counts: 0,
  },
];

for (const { name, of, evidence, counts } of ROWS) {
  for (let atLeast = 1; atLeast <= of.length; atLeast++) {
    test(`${name}: ${atLeast} of ${of.length}`, async () => {
      const names = of.map((authority) => authority.name);
      const decision = await decideBy(of, evidence, signed(names, { atLeast }));
      const expected = atLeast <= counts ? 'admit' : 'deny';
      assert.equal(decision.outcome, expected, renderFinding(decision.finding).join('\n'));
    });
  }
}

test('an authority that a clause names twice counts once', async () => {
  const team = anyTag('team');
  const require = signed(['team', 'team'], { atLeast: 2 });
  const { outcome } = await decideBy([team], [bundle(at('v1')), bundle(at('v2'))], require);
  assert.equal(outcome, 'deny');
});

test('annotations that a clause asks for must be signed', async () => {
  const annotated: Mint = (digest) =>
    mintLegacy(lab, { by: A, digest, optional: { env: 'prod' }, loggedAt: NOW });
  for (const { env, outcome } of [
    { env: 'prod', outcome: 'admit' },
    { env: 'test', outcome: 'deny' },
  ]) {
    const require = signed(['a'], { annotations: { env } });
    assert.equal((await decideBy([a], [annotated], require)).outcome, outcome, env);
  }
});

// Semantics 2: a kind that cannot be proved yet never admits.
const OLD = unsupported('old', 'notary');
const UNSUPPORTED: readonly {
  readonly name: string;
  readonly require: Requirement;
  readonly evidence: readonly Mint[];
  readonly outcome: 'admit' | 'deny';
}[] = [
  { name: 'alone', require: signed(['old']), evidence: [bundle(A)], outcome: 'deny' },
  { name: 'alone, and nothing signed', require: signed(['old']), evidence: [], outcome: 'deny' },
  {
    name: 'with a key, both needed',
    require: signed(['a', 'old'], { atLeast: 2 }),
    evidence: [bundle(A)],
    outcome: 'deny',
  },
  {
    name: 'with a key, either enough',
    require: signed(['a', 'old']),
    evidence: [bundle(A)],
    outcome: 'admit',
  },
];

for (const { name, require, evidence, outcome } of UNSUPPORTED) {
  test(`an authority of an unsupported kind: ${name}`, async () => {
    const decision = await decideBy([a, OLD], evidence, require);
    assert.equal(decision.outcome, outcome, renderFinding(decision.finding).join('\n'));
    assert.ok(codesOf(decision.finding).includes('policy.authority-unsupported'));
    if (outcome === 'deny') assert.equal(decision.finding.outcome, 'fail');
  });
}
