import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '@bulla/trust/bytes/byte-string';
import { decide, decideFromDossier } from '@bulla/trust/decide';
import { readDossier, writeDossier } from '@bulla/trust/decide/dossier';
import { TrustFault } from '@bulla/trust/fault/fault';
import type { TreeMode } from '@bulla/trust/policy/document';
import type { PolicySet } from '@bulla/trust/policy/policy-set';
import fc from 'fast-check';
import { type DecideShape, decideOptions } from '../policy-lab/decide.ts';
import { attested, policyOf, ready, setOf, signed } from '../policy-lab/policy.ts';
import { codesOf } from '../sigstore-lab/findings.ts';
import { NOW, openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, mintLegacy, statement } from '../sigstore-lab/mint.ts';
import { edited, type Path, pathsOf, valueAt } from '../sigstore-lab/mutations.ts';
import { keyed } from '../sigstore-lab/question.ts';
import {
  attachBundle,
  attachLayers,
  openRepository,
  putImage,
  putIndex,
} from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

const isMalformed = (error: unknown) =>
  error instanceof TrustFault && error.code === 'dossier.malformed';

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const OTHER = testKey('ecdsa-p256');
const authorities = [ready(keyed(KEY, 'a')), ready(keyed(OTHER, 'b'))];

function openTree() {
  const repository = openRepository();
  const leaf = putImage(repository, 'leaf');
  const platform = { os: 'linux', architecture: 'amd64' };
  const index = putIndex(repository, [{ of: leaf, more: { platform } }], { tag: 'v1' });
  const shape = { by: KEY, payload: statement(leaf.digest), logs: [], stampedAt: [] };
  attachBundle(repository, leaf, bundleEvidence(mintBundle(lab, shape)));
  const layer = mintLegacy(lab, { by: OTHER, digest: index.digest, loggedAt: NOW });
  attachLayers(repository, index.digest, 'sig', [layer]);
  return { repository, leaf, index };
}

const policiesOf = (tree: TreeMode, of: string): PolicySet =>
  setOf(policyOf({ authorities, require: signed([of]), tree }));

async function decideTwice(shape: DecideShape, policies: PolicySet = shape.policies) {
  const options = decideOptions({ ...shape, now: () => 0 });
  const { decision, dossier } = await decide(options);
  const stored = readDossier(writeDossier(dossier));
  const again = await decideFromDossier({ ...options, policies, dossier: stored });
  return { decision, again, dossier, stored };
}

const CASES: readonly {
  readonly name: string;
  readonly tree: TreeMode;
  readonly of: string;
  readonly more?: Partial<DecideShape>;
}[] = [
  { name: 'an index that is signed', tree: 'any', of: 'b' },
  { name: 'leaves that are signed', tree: 'any', of: 'a' },
  { name: 'leaves that are not', tree: 'leaf', of: 'b' },
  { name: 'a platform', tree: 'both', of: 'a', more: { platform: 'linux/amd64' } },
  { name: 'a tag that is not there', tree: 'any', of: 'a', more: { tag: 'nowhere' } },
];

for (const { name, tree, of, more } of CASES) {
  test(`stored evidence decides alike: ${name}`, async () => {
    const { repository } = openTree();
    const shape = { source: repository, policies: policiesOf(tree, of), ...more };
    const { decision, again, dossier, stored } = await decideTwice(shape);
    assert.deepEqual(writeDossier(stored), writeDossier(dossier));
    assert.deepEqual(again, decision);
  });
}

test('a leaf that was asked for by its own digest is decided alike, through its index', async () => {
  const { repository, leaf, index } = openTree();
  const { decision, again } = await decideTwice({
    source: repository,
    policies: policiesOf('index', 'b'),
    digest: leaf.digest,
    parents: [index.digest],
  });
  assert.equal(decision.outcome, 'admit');
  assert.deepEqual(again, decision);
});

for (const { name, policies } of [
  { name: 'another node', policies: policiesOf('leaf', 'a') },
  {
    name: 'another type',
    policies: setOf(policyOf({ authorities, require: attested('vuln', ['a']) })),
  },
]) {
  test(`stored evidence that lacks what is asked is inconclusive: ${name}`, async () => {
    const { repository } = openTree();
    const shape = { source: repository, policies: policiesOf('named', 'b') };
    const { decision, again } = await decideTwice(shape, policies);
    assert.equal(decision.outcome, 'admit');
    assert.deepEqual([again.outcome, again.finding.outcome], ['deny', 'inconclusive']);
    assert.deepEqual(codesOf(again.finding), ['dossier.incomplete']);
  });
}

test('what no policy covered was not gathered: another that covers it cannot be told', async () => {
  const { repository } = openTree();
  const elsewhere = { authorities, require: signed(['b']), repositories: ['registry.example/x'] };
  const none = { source: repository, policies: setOf() };
  for (const shape of [none, { ...none, policies: setOf(policyOf(elsewhere)) }]) {
    const { decision, again } = await decideTwice(shape, policiesOf('named', 'b'));
    assert.equal(decision.outcome, 'deny');
    assert.deepEqual([again.outcome, again.finding.outcome], ['deny', 'inconclusive']);
    assert.deepEqual(codesOf(again.finding), ['dossier.incomplete']);
    assert.deepEqual((await decideTwice(shape)).again, decision);
  }
});

test('stored evidence is judged by other keys without being asked for anew', async () => {
  const { repository } = openTree();
  const shape = { source: repository, policies: policiesOf('named', 'b') };
  const { again } = await decideTwice(shape, policiesOf('named', 'a'));
  assert.deepEqual([again.outcome, again.finding.outcome], ['deny', 'fail']);
});

test('evidence that together is too large to be stored is refused, unwritten', async () => {
  const { repository } = openTree();
  const policies = policiesOf('named', 'b');
  const { dossier } = await decide(decideOptions({ source: repository, policies }));
  const bytes = new Uint8Array(90 << 20);
  const nodes = [1, 2, 3].flatMap((count) =>
    dossier.nodes.map(({ gathered }) => ({
      digest: `sha256:${String(count).repeat(64)}` as const,
      stored: { mediaType: 'x', bytes },
      gathered,
    })),
  );
  assert.throws(() => writeDossier({ ...dossier, nodes }), isMalformed);
});

async function sample(): Promise<Readonly<Record<string, unknown>>> {
  const { repository } = openTree();
  const policies = policiesOf('both', 'a');
  const { dossier } = await decide(decideOptions({ source: repository, policies }));
  return JSON.parse(Buffer.from(writeDossier(dossier)).toString('utf8'));
}

const BROKEN: readonly { readonly name: string; readonly path: Path; readonly value: unknown }[] = [
  { name: 'another schema', path: ['schema'], value: 'x' },
  { name: 'an unknown member', path: ['more'], value: 1 },
  { name: 'other bytes of a manifest', path: ['nodes', 0, 'stored', 'bytes'], value: 'e30=' },
  {
    name: 'another digest of a manifest',
    path: ['nodes', 0, 'digest'],
    value: `sha256:${'0'.repeat(64)}`,
  },
  { name: 'other bytes of evidence', path: ['evidence', 0, 'bytes'], value: 'e30=' },
  { name: 'an unknown format', path: ['evidence', 0, 'format'], value: 'notary' },
  {
    name: 'evidence that is not there',
    path: ['nodes', 0, 'gathered', 0, 'evidence'],
    value: [99],
  },
  { name: 'no root and no problem', path: ['root'], value: null },
  { name: 'a root that is not there', path: ['root'], value: `sha256:${'0'.repeat(64)}` },
  {
    name: 'a problem that is a pass',
    path: ['nodes', 0, 'gathered', 0, 'problems'],
    value: [{ check: 'x', outcome: 'pass', says: 'fine', code: 'signature.none' }],
  },
  {
    name: 'a problem of an unknown code',
    path: ['nodes', 0, 'gathered', 0, 'problems'],
    value: [{ check: 'x', outcome: 'fail', says: 'x', code: 'toString' }],
  },
  {
    name: 'both a root and a problem',
    path: ['problem'],
    value: { check: 'x', outcome: 'fail', says: 'x', code: 'signature.none' },
  },
];

for (const { name, path, value } of BROKEN) {
  test(`a dossier is refused: ${name}`, async () => {
    const bytes = utf8(JSON.stringify(edited(await sample(), path, value)));
    assert.throws(() => readDossier(bytes), isMalformed);
  });
}

test('a dossier that lacks any of its members is refused, or decides nothing more', async () => {
  const whole = await sample();
  const optional = new Set(['source', 'remedy', 'problem', 'stored']);
  let refused = 0;
  for (const path of pathsOf(whole)) {
    const last = path.at(-1);
    const isElement = typeof last === 'number' || path.includes('annotations');
    if (isElement || optional.has(String(last)) || valueAt(whole, path) === null) continue;
    const bytes = utf8(JSON.stringify(edited(whole, path, undefined)));
    assert.throws(() => readDossier(bytes), isMalformed, path.join('.'));
    refused++;
  }
  assert.ok(refused > 20, `${refused}`);
});

test('no input throws anything but TrustFault', () => {
  const inputs = fc.oneof(
    fc.uint8Array(),
    fc.jsonValue().map((value) => utf8(JSON.stringify(value))),
  );
  fc.assert(
    fc.property(inputs, (bytes) => {
      assert.throws(() => readDossier(bytes), isMalformed);
    }),
  );
});
