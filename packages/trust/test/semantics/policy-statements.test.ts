import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { PREDICATE_TYPES, predicateTypeOf } from '@bulla/trust/claims/predicate-type';
import { TrustFault } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import { openExpressionRunner } from '@bulla/trust/policy/cel/runner';
import type { AttestedRequirement } from '@bulla/trust/policy/document';
import { decided } from '../policy-lab/decide.ts';
import { attested, policyOf, ready, setOf } from '../policy-lab/policy.ts';
import { codesOf } from '../sigstore-lab/findings.ts';
import { minutes, NOW, openLab } from '../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../sigstore-lab/mint.ts';
import { keyed } from '../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../sigstore-lab/repository.ts';
import { testKey } from '../tlog/synthetic-log.ts';

// Semantics 13 for policies: which statement decides, how old it may be, and what it must say.

const lab = openLab();
const KEY = testKey('ecdsa-p256');
const EVE = testKey('ecdsa-p256');
const key = keyed(KEY, 'scanner');
const scanner = {
  ...ready(key, lab),
  requirements: { ...ready(key, lab).requirements, log: false },
};
const runner = openExpressionRunner();
after(() => runner[Symbol.asyncDispose]());

const HOUR = 60 * 60_000;
const TYPE = 'https://example.dev/scan/v1';

/** A statement: what it says, when it was stamped in minutes from NOW (null: never), and by whom. */
interface Said {
  readonly predicate: unknown;
  readonly at: number | null;
  readonly type?: string;
  readonly by?: typeof KEY;
  readonly about?: string;
}

function decideOn(said: readonly Said[], type: string, more: Partial<AttestedRequirement>) {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  for (const {
    predicate,
    at,
    type: own = predicateTypeOf(type),
    by = KEY,
    about = image.digest,
  } of said) {
    const payload = statement(about, own, predicate);
    const stampedAt = at === null ? [] : [minutes(at)];
    const shape = { by, payload, logs: [], stampedAt };
    attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
  }
  const policy = policyOf({ authorities: [scanner], require: attested(type, ['scanner'], more) });
  return decided({ source: repository, policies: setOf(policy), expressions: () => runner });
}

/** A scan that names its own time, in minutes from NOW. */
const scan = (finished: number | null, critical = 0) => ({
  scanner: {
    result: {
      vulnerabilities: Array.from({ length: critical }, (_, at) => ({
        id: `CVE-${at}`,
        severity: 'CRITICAL',
      })),
    },
  },
  metadata: finished === null ? {} : { scanFinishedOn: minutes(finished).toISOString() },
});

const AGE = { maxAgeMs: HOUR } as const;
const CLAIMED = { maxAgeMs: HOUR, time: 'claimed' } as const;
const NO_CRITICAL = { vulnerabilities: { critical: 0 } } as const;

const AGES: readonly {
  readonly name: string;
  readonly said: readonly Said[];
  readonly more: Partial<AttestedRequirement>;
  readonly codes: readonly string[];
}[] = [
  { name: 'a fresh one', said: [{ predicate: scan(-5), at: -4 }], more: AGE, codes: [] },
  {
    name: 'one of an hour ago',
    said: [{ predicate: scan(-60), at: -60 }],
    more: AGE,
    codes: [],
  },
  {
    name: 'one of more than an hour ago',
    said: [{ predicate: scan(-61), at: -61 }],
    more: AGE,
    codes: ['statement.too-old'],
  },
  {
    name: 'an old scan that is signed only now',
    said: [{ predicate: scan(-90), at: -1 }],
    more: AGE,
    codes: ['statement.too-old'],
  },
  {
    name: 'an old one that says it is of today',
    said: [{ predicate: scan(0), at: -90 }],
    more: AGE,
    codes: ['statement.too-old'],
  },
  {
    name: 'without a trusted time',
    said: [{ predicate: scan(-1), at: null }],
    more: AGE,
    codes: ['statement.no-time'],
  },
  {
    name: 'without a trusted time, and its own counts',
    said: [{ predicate: scan(-1), at: null }],
    more: CLAIMED,
    codes: [],
  },
  {
    name: 'its own counts, and is old',
    said: [{ predicate: scan(-61), at: null }],
    more: CLAIMED,
    codes: ['statement.too-old'],
  },
  {
    name: 'its own counts, and lies ahead',
    said: [{ predicate: scan(60), at: null }],
    more: CLAIMED,
    codes: ['statement.future'],
  },
  {
    name: 'its own counts, and there is none',
    said: [{ predicate: scan(null), at: null }],
    more: CLAIMED,
    codes: ['statement.no-time'],
  },
  {
    name: 'an old clean scan beside a newer bad one',
    said: [
      { predicate: scan(-30), at: -30 },
      { predicate: scan(-10, 1), at: -10 },
    ],
    more: NO_CRITICAL,
    codes: ['statement.vulnerabilities'],
  },
  {
    name: 'an old bad scan beside a newer clean one',
    said: [
      { predicate: scan(-30, 1), at: -30 },
      { predicate: scan(-10), at: -10 },
    ],
    more: NO_CRITICAL,
    codes: [],
  },
  {
    name: 'a bad scan of the same time',
    said: [
      { predicate: scan(-10), at: -10 },
      { predicate: scan(-10, 1), at: -10 },
    ],
    more: NO_CRITICAL,
    codes: ['statement.vulnerabilities'],
  },
  {
    name: 'claimed times order what has no trusted one',
    said: [
      { predicate: scan(-30, 1), at: null },
      { predicate: scan(-10), at: null },
    ],
    more: { ...NO_CRITICAL, ...CLAIMED },
    codes: [],
  },
  {
    name: 'claimed times order nothing unless the policy says so',
    said: [
      { predicate: scan(-30, 1), at: null },
      { predicate: scan(-10), at: null },
    ],
    more: NO_CRITICAL,
    codes: ['statement.vulnerabilities'],
  },
  {
    name: 'a newer clean scan by a stranger',
    said: [
      { predicate: scan(-30, 1), at: -30 },
      { predicate: scan(-10), at: -10, by: EVE },
    ],
    more: NO_CRITICAL,
    codes: ['statement.vulnerabilities', 'signature.invalid'],
  },
  {
    name: 'a newer clean scan of another image',
    said: [
      { predicate: scan(-30, 1), at: -30 },
      { predicate: scan(-10), at: -10, about: `sha256:${'1'.repeat(64)}` },
    ],
    more: NO_CRITICAL,
    codes: ['statement.vulnerabilities', 'statement.subject-mismatch'],
  },
];

for (const { name, said, more, codes } of AGES) {
  test(`a scan: ${name}`, async () => {
    const { outcome, finding } = await decideOn(said, 'vuln', more);
    const text = renderFinding(finding).join('\n');
    const isRefused = codes.length > 0;
    assert.equal(outcome, isRefused ? 'deny' : 'admit', text);
    assert.equal(finding.outcome, isRefused ? 'fail' : 'pass', text);
    if (isRefused) assert.deepEqual(new Set(codesOf(finding)), new Set(codes), text);
  });
}

test('a pass by age ends when the statement is too old', async () => {
  const { validUntil } = await decideOn([{ predicate: scan(-5), at: -4 }], 'vuln', AGE);
  assert.deepEqual(validUntil, new Date(minutes(-5).getTime() + HOUR));
});

const WHERE: readonly {
  readonly name: string;
  readonly where: string;
  readonly said: readonly Said[];
  readonly code: string | null;
}[] = [
  { name: 'holds', where: 'predicate.ok', said: [{ predicate: { ok: true }, at: 0 }], code: null },
  {
    name: 'does not hold',
    where: 'predicate.ok',
    said: [{ predicate: { ok: false }, at: 0 }],
    code: 'statement.where-false',
  },
  {
    name: 'cannot be evaluated',
    where: 'predicate.missing',
    said: [{ predicate: {}, at: 0 }],
    code: 'cel.failed',
  },
  {
    name: 'holds for the older one alone',
    where: 'predicate.ok',
    said: [
      { predicate: { ok: true }, at: -5 },
      { predicate: { ok: false }, at: 0 },
    ],
    code: 'statement.where-false',
  },
];

for (const { name, where, said, code } of WHERE) {
  test(`an expression: ${name}`, async () => {
    const { outcome, finding } = await decideOn(said, TYPE, { where });
    assert.equal(outcome, code === null ? 'admit' : 'deny', renderFinding(finding).join('\n'));
    if (code !== null) assert.deepEqual(codesOf(finding), [code]);
  });
}

test('no expression is run where no statement is there to be judged', async () => {
  const repository = openRepository();
  putImage(repository, 'an image', { tag: 'v1' });
  const require = attested(TYPE, ['scanner'], { where: 'true' });
  const policies = setOf(policyOf({ authorities: [scanner], require }));
  // The default of the lab throws when an expression is asked for.
  const { finding } = await decided({ source: repository, policies });
  assert.equal(finding.code, 'statement.missing');
});

const ACME = 'https://github.com/acme';
const v1 = (ref: string, builder = 'https://builder.example/b', repository = `${ACME}/app`) => ({
  buildDefinition: { externalParameters: { workflow: { repository, ref } } },
  runDetails: { builder: { id: builder } },
});
const ANY = { builder: null, sourceRepository: null, branch: null } as const;

const PROVENANCES: readonly {
  readonly name: string;
  readonly predicate: unknown;
  readonly provenance: NonNullable<AttestedRequirement['provenance']>;
  readonly code: string | null;
}[] = [
  {
    name: 'all as asked',
    predicate: v1('refs/heads/main'),
    provenance: {
      builder: { exact: 'https://builder.example/b' },
      sourceRepository: { glob: 'https://github.com/acme/*' },
      branch: { exact: 'main' },
    },
    code: null,
  },
  {
    name: 'another builder',
    predicate: v1('refs/heads/main', 'https://evil.example/b'),
    provenance: { ...ANY, builder: { exact: 'https://builder.example/b' } },
    code: 'statement.provenance-mismatch',
  },
  {
    name: 'a builder of which the right one is the beginning',
    predicate: v1('refs/heads/main', 'https://builder.example/b/evil'),
    provenance: { ...ANY, builder: { exact: 'https://builder.example/b' } },
    code: 'statement.provenance-mismatch',
  },
  {
    name: 'another branch',
    predicate: v1('refs/heads/evil'),
    provenance: { ...ANY, branch: { exact: 'main' } },
    code: 'statement.provenance-mismatch',
  },
  {
    name: 'a tag of the branch’s name',
    predicate: v1('refs/tags/main'),
    provenance: { ...ANY, branch: { exact: 'main' } },
    code: 'statement.provenance-mismatch',
  },
  {
    name: 'a branch that is called as the reference of another',
    predicate: v1('refs/heads/refs/heads/main'),
    provenance: { ...ANY, branch: { exact: 'refs/heads/main' } },
    code: 'statement.provenance-mismatch',
  },
  ...['..', '%2E%2e', '.%2e'].map((dots) => ({
    name: `a repository beyond ${dots}`,
    predicate: v1('refs/heads/main', 'b', `${ACME}/${dots}/evil/app`),
    provenance: { ...ANY, sourceRepository: { glob: `${ACME}/**` } },
    code: 'statement.provenance-mismatch',
  })),
  {
    name: 'no source',
    predicate: { buildDefinition: {}, runDetails: { builder: { id: 'b' } } },
    provenance: { ...ANY, sourceRepository: { glob: '**' } },
    code: 'statement.provenance-mismatch',
  },
  {
    name: 'no provenance',
    predicate: {},
    provenance: { ...ANY, builder: { glob: '**' } },
    code: 'predicate.malformed',
  },
];

for (const { name, predicate, provenance, code } of PROVENANCES) {
  test(`a provenance: ${name}`, async () => {
    const said = [{ predicate, at: 0 }];
    const { outcome, finding } = await decideOn(said, 'slsaprovenance1', { provenance });
    assert.equal(outcome, code === null ? 'admit' : 'deny', renderFinding(finding).join('\n'));
    if (code !== null) assert.deepEqual(codesOf(finding), [code]);
  });
}

for (const { packages, minPackages, code } of [
  { packages: [{ name: 'a' }, { name: 'b' }], minPackages: 2, code: null },
  { packages: [{ name: 'a' }], minPackages: 2, code: 'statement.sbom-too-small' },
  { packages: [], minPackages: 1, code: 'statement.sbom-too-small' },
  { packages: [], minPackages: 0, code: 'statement.sbom-too-small' },
  { packages: 'many', minPackages: 1, code: 'predicate.malformed' },
]) {
  test(`a bill of materials of ${packages.length} packages, ${minPackages} needed`, async () => {
    const said = [{ predicate: { spdxVersion: 'SPDX-2.3', packages }, at: 0 }];
    const { outcome, finding } = await decideOn(said, 'spdxjson', { sbom: { minPackages } });
    assert.equal(outcome, code === null ? 'admit' : 'deny', renderFinding(finding).join('\n'));
    if (code !== null) assert.deepEqual(codesOf(finding), [code]);
  });
}

test('a statement that could not be fetched might be the newest: no pass', async () => {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  const good = bundleEvidence(
    mintBundle(lab, {
      by: KEY,
      payload: statement(image.digest, PREDICATE_TYPES.vuln, scan(-5)),
      logs: [],
      stampedAt: [NOW],
    }),
  );
  const other = bundleEvidence(
    mintBundle(lab, {
      by: KEY,
      payload: statement(image.digest, PREDICATE_TYPES.vuln, scan(-1, 9)),
      logs: [],
      stampedAt: [NOW],
    }),
  );
  attachBundle(repository, image, good);
  attachBundle(repository, image, other);
  repository.faults = {
    blob: (digest) => {
      if (digest !== other.digest) return undefined;
      throw new TrustFault('registry.timeout', 'the registry gave no answer');
    },
  };
  const require = attested('vuln', ['scanner'], NO_CRITICAL);
  const policies = setOf(policyOf({ authorities: [scanner], require }));
  const { outcome, finding } = await decided({ source: repository, policies });
  assert.deepEqual([outcome, finding.outcome], ['deny', 'inconclusive']);
});
