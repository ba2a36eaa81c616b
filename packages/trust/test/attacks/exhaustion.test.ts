import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { parseJson } from '@bulla/trust/bytes/json';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { Evidence, Wanted } from '@bulla/trust/proof/evidence';
import { verifyArtifact } from '@bulla/trust/verify';
import { decided } from '../policy-lab/decide.ts';
import { attested, policyOf, ready, setOf } from '../policy-lab/policy.ts';
import { codesOf } from '../sigstore-lab/findings.ts';
import { openLab } from '../sigstore-lab/lab.ts';
import { mintLegacy, mintLegacyEnvelope, statement } from '../sigstore-lab/mint.ts';
import { keyed, questionOf, SIGNATURE } from '../sigstore-lab/question.ts';
import { attachLayers, openRepository, putImage } from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Evidence that is made to fill a verifier's memory, or to keep it busy.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const STRANGER = testKey('ecdsa-p256');

for (const unit of ['[],', '{},', '0,', '"",', '{"a":0},']) {
  test(`a document of millions of ${unit} is refused before it is parsed`, () => {
    const text = `[${unit.repeat(4_100_000)}0]`;
    const limits = { maxBytes: 64 << 20 };
    assert.throws(() => parseJson(utf8(text), 'document', limits), { code: 'json.limit' });
  });
}

/** A repository with an image, and what its 70 layers of garbage and one good one come to. */
async function judged(kind: 'sig' | 'att', good: 'first' | 'last', msPerLook: number) {
  const repository = openRepository();
  const image = putImage(repository, 'image', { tag: 'v1' });
  const mint = (key: typeof KEY): Evidence =>
    kind === 'sig'
      ? mintLegacy(lab, { by: key, digest: image.digest })
      : mintLegacyEnvelope(statement(image.digest, 'https://acme.example/scan'), [key]);
  const garbage = Array.from({ length: 70 }, () => mint(STRANGER));
  const layers = good === 'first' ? [mint(KEY), ...garbage] : [...garbage, mint(KEY)];
  attachLayers(repository, image.digest, kind, layers);
  const attested: Wanted = { kind: 'attestation', predicateType: 'https://acme.example/scan' };
  let clock = 0;
  return await verifyArtifact({
    ...questionOf(lab, {
      authorities: [keyed(KEY)],
      wanted: kind === 'sig' ? SIGNATURE : attested,
      requirements: { trustRoot: null },
    }),
    reference: 'registry.example/app:v1',
    source: repository,
    tagOrDigest: 'v1',
    tree: 'named',
    platform: null,
    now: () => {
      clock += msPerLook;
      return clock;
    },
  });
}

const ROWS = [
  { kind: 'sig', good: 'last', ms: 1000, expect: 'pass' },
  { kind: 'sig', good: 'first', ms: 130_000, expect: 'pass' },
  { kind: 'sig', good: 'last', ms: 130_000, expect: 'signature.limit' },
  // What nobody looked at might have been the newer statement (semantics 13).
  { kind: 'att', good: 'first', ms: 130_000, expect: 'signature.limit' },
  { kind: 'att', good: 'first', ms: 1000, expect: 'pass' },
] as const;

for (const { kind, good, ms, expect } of ROWS) {
  test(`garbage that takes ${ms} ms a look, the good ${kind} ${good}: ${expect}`, async () => {
    const { finding } = await judged(kind, good, ms);
    const text = renderFinding(finding).join('\n');
    assert.equal(finding.outcome, expect === 'pass' ? 'pass' : 'fail', text);
    if (expect !== 'pass') assert.ok(codesOf(finding).includes(expect), text);
  });
}

test('others are served between the pieces of what is verified', async () => {
  let turns = 0;
  let next = setImmediate(function turn() {
    turns += 1;
    next = setImmediate(turn);
  });
  try {
    await judged('sig', 'last', 0);
  } finally {
    clearImmediate(next);
  }
  assert.ok(turns >= 2, `${turns} turns`);
});

const LARGE = 100 << 20;

const TAKEN = [
  { name: 'takes so much evidence, on however many nodes', pieces: [0, 1], limited: true },
  { name: 'takes each piece once', pieces: [0, 0], limited: false },
];

for (const { name, pieces, limited } of TAKEN) {
  test(`a decision ${name}`, async () => {
    const repository = openRepository();
    const image = putImage(repository, 'image', { tag: 'v1' });
    const type = 'https://acme.example/scan';
    const scan = () => mintLegacyEnvelope(statement(image.digest, type), [KEY]);
    attachLayers(repository, image.digest, 'att', [scan(), scan()]);
    const tag = `${image.digest.replace(':', '-')}.att`;
    const stored = await repository.manifest(tag);
    const document = JSON.parse(Buffer.from(stored?.bytes ?? []).toString());
    const layers = pieces.map((index) => ({ ...document.layers[index], size: LARGE }));
    repository.plant({ ...document, layers }, { tag });
    const authority = keyed(KEY);
    const require = attested(type, [authority.name]);
    const policy = policyOf({ authorities: [ready(authority)], require, tree: 'named' });
    const decision = await decided({ source: repository, policies: setOf(policy) });
    assert.equal(decision.outcome, limited ? 'deny' : 'admit');
    assert.equal(codesOf(decision.finding).includes('registry.limit'), limited);
    assert.equal(repository.calls.filter((call) => call.startsWith('blob ')).length, 1);
  });
}
