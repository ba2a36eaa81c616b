import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrustFault } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { SeverityLimits } from '@bulla/trust/policy/document';
import { decided } from '../../policy-lab/decide.ts';
import { attested, policyOf, setOf } from '../../policy-lab/policy.ts';
import { minutes } from '../../sigstore-lab/lab.ts';
import {
  authorities,
  clean,
  decideWith,
  EVE,
  HEX,
  one,
  PRODUCT,
  SCANNER,
  SECOND,
  stage,
  type Vex,
  vex,
} from './vex-stage.ts';

const BEFORE = minutes(-20).toISOString();
const OPEN = { status: 'affected', timestamp: minutes(-15).toISOString() };
const narrowed = (component: object) => ({
  products: [{ '@id': PRODUCT, subcomponents: [component] }],
});

/** Ways to say later, in the same document, that the finding is open after all. */
const OPENED: readonly { readonly name: string; readonly more: object }[] = [
  { name: 'in a component that only a hash names', more: narrowed({ hashes: { 'sha-256': HEX } }) },
  {
    name: 'in a component that is no package URL',
    more: narrowed({ '@id': 'cpe:2.3:a:zlib:zlib:1.2:*:*:*:*:*:*:*' }),
  },
  {
    name: 'for the package with other qualifiers',
    more: narrowed({ '@id': 'pkg:deb/debian/zlib@1.2?arch=amd64&distro=debian-12' }),
  },
  { name: 'for the package in another case', more: narrowed({ '@id': 'pkg:deb/Debian/Zlib' }) },
  { name: 'by the name in another case', more: { vulnerability: { name: 'cve-1' } } },
  {
    name: 'by the address of the vulnerability',
    more: { vulnerability: { '@id': 'https://vulnerabilities.example/CVE-1' } },
  },
  {
    name: 'by an update of an earlier statement',
    more: {
      timestamp: minutes(-30).toISOString(),
      last_updated: minutes(-15).toISOString(),
    },
  },
];

const ROWS: readonly {
  readonly name: string;
  readonly documents: readonly Vex[];
  readonly vexBy?: readonly string[];
  readonly limits?: SeverityLimits;
  readonly outcome: 'admit' | 'deny';
}[] = [
  { name: 'no VEX', documents: [], outcome: 'deny' },
  { name: 'not affected', documents: one(), outcome: 'admit' },
  {
    name: 'fixed',
    documents: one({ status: 'fixed', justification: undefined }),
    outcome: 'admit',
  },
  {
    name: 'not affected, and does not say why',
    documents: one({ justification: '' }),
    outcome: 'deny',
  },
  {
    name: 'under investigation',
    documents: one({ status: 'under_investigation' }),
    outcome: 'deny',
  },
  {
    name: 'by a stranger',
    documents: [{ document: vex([clean()]), by: EVE }],
    outcome: 'deny',
  },
  {
    name: 'by the scanner, whom the policy does not ask',
    documents: [{ document: vex([clean()]), by: SCANNER }],
    outcome: 'deny',
  },
  {
    name: 'and the policy asks nobody',
    documents: one(),
    vexBy: [],
    outcome: 'deny',
  },
  {
    name: 'by a kind that cannot be proved',
    documents: one(),
    vexBy: ['old'],
    outcome: 'deny',
  },
  {
    name: 'an old clean one beside a newer open one',
    documents: [
      { document: vex([clean()]), at: -9 },
      { document: vex([clean({ status: 'affected' })]), at: -5 },
    ],
    outcome: 'deny',
  },
  {
    name: 'an old clean one beside a newer silent one',
    documents: [
      { document: vex([clean()]), at: -9 },
      { document: vex([]), at: -5 },
    ],
    outcome: 'deny',
  },
  {
    name: 'an old open one beside a newer clean one',
    documents: [
      { document: vex([clean({ status: 'affected' })]), at: -9 },
      { document: vex([clean()]), at: -5 },
    ],
    outcome: 'admit',
  },
  {
    name: 'clean and broken of the same time',
    documents: [{ document: vex([clean()]) }, { document: { statements: 'none' } }],
    outcome: 'deny',
  },
  {
    name: 'another authority calls it open',
    documents: [
      { document: vex([clean()]) },
      { document: vex([clean({ status: 'affected' })]), by: SECOND },
    ],
    vexBy: ['security', 'second'],
    outcome: 'deny',
  },
  {
    name: 'another authority is silent',
    documents: [{ document: vex([clean()]) }, { document: vex([]), by: SECOND }],
    vexBy: ['security', 'second'],
    outcome: 'admit',
  },
  {
    name: 'a later statement of the same document opens it',
    documents: [
      {
        document: vex([
          clean({ timestamp: minutes(-20).toISOString() }),
          clean({ status: 'affected', timestamp: minutes(-15).toISOString() }),
        ]),
      },
    ],
    outcome: 'deny',
  },
  {
    name: 'a later statement of the same document answers it',
    documents: [
      {
        document: vex([
          clean({ status: 'affected', timestamp: minutes(-20).toISOString() }),
          clean({ timestamp: minutes(-15).toISOString() }),
        ]),
      },
    ],
    outcome: 'admit',
  },
  {
    name: 'another vulnerability',
    documents: one({ vulnerability: { name: 'CVE-11' } }),
    outcome: 'deny',
  },
  {
    name: 'by an alias',
    documents: one({ vulnerability: { name: 'X', aliases: ['CVE-1'] } }),
    outcome: 'admit',
  },
  {
    name: 'another image',
    documents: one({ products: [{ '@id': `pkg:oci/app@sha256:${'1'.repeat(64)}` }] }),
    outcome: 'deny',
  },
  {
    name: 'the repository, of any version',
    documents: one({ products: [{ '@id': 'pkg:oci/app' }] }),
    outcome: 'admit',
  },
  {
    name: 'a repository of which the name is an ending',
    documents: one({ products: [{ '@id': 'pkg:oci/pp' }] }),
    outcome: 'deny',
  },
  {
    name: 'the name in another registry',
    documents: one({ products: [{ '@id': 'pkg:oci/app?repository_url=other.example/app' }] }),
    outcome: 'deny',
  },
  {
    name: 'by a hash',
    documents: one({ products: [{ hashes: { 'sha-256': HEX } }] }),
    outcome: 'admit',
  },
  {
    name: 'the name with the hash of another',
    documents: one({ products: [{ '@id': 'pkg:oci/app', hashes: { 'sha-256': '1'.repeat(64) } }] }),
    outcome: 'deny',
  },
  {
    name: 'without products: the attestation’s subject',
    documents: one({ products: undefined }),
    outcome: 'admit',
  },
  {
    name: 'narrowed to the package',
    documents: one({
      products: [{ '@id': PRODUCT, subcomponents: [{ '@id': 'pkg:deb/debian/zlib' }] }],
    }),
    outcome: 'admit',
  },
  {
    name: 'narrowed to another package',
    documents: one({
      products: [{ '@id': PRODUCT, subcomponents: [{ '@id': 'pkg:deb/debian/bash' }] }],
    }),
    outcome: 'deny',
  },
  {
    name: 'narrowed to another version of the package',
    documents: one({
      products: [{ '@id': PRODUCT, subcomponents: [{ '@id': 'pkg:deb/debian/zlib@1.3' }] }],
    }),
    outcome: 'deny',
  },
  {
    name: 'narrowed, of a finding that names no package',
    documents: one({
      vulnerability: { name: 'CVE-2' },
      products: [{ '@id': PRODUCT, subcomponents: [{ '@id': 'pkg:deb/debian/bash' }] }],
    }),
    limits: { critical: 1, low: 0 },
    outcome: 'deny',
  },
  ...OPENED.map(({ name, more }) => ({
    name: `cleared, and opened ${name}`,
    documents: [{ document: vex([clean({ timestamp: BEFORE }), clean({ ...OPEN, ...more })]) }],
    outcome: 'deny' as const,
  })),
  {
    name: 'cleared, and opened for another package',
    documents: [
      {
        document: vex([
          clean({ timestamp: BEFORE }),
          clean({
            ...OPEN,
            products: [{ '@id': PRODUCT, subcomponents: [{ '@id': 'pkg:deb/debian/bash' }] }],
          }),
        ]),
      },
    ],
    outcome: 'admit',
  },
  {
    name: 'by a name in another case, which clears nothing',
    documents: one({ vulnerability: { name: 'cve-1' } }),
    outcome: 'deny',
  },
  {
    name: 'a limit on high ones holds for critical ones',
    documents: [],
    limits: { high: 0 },
    outcome: 'deny',
  },
  { name: 'one is allowed', documents: [], limits: { critical: 1 }, outcome: 'admit' },
  {
    name: 'a limit on unknown ones alone',
    documents: [],
    limits: { unknown: 0 },
    outcome: 'admit',
  },
];

for (const { name, documents, vexBy, limits, outcome } of ROWS) {
  test(`findings of a scan and VEX: ${name}`, async () => {
    const decision = await decideWith(documents, vexBy, limits);
    const text = renderFinding(decision.finding).join('\n');
    assert.equal(decision.outcome, outcome, text);
    assert.equal(decision.finding.outcome, outcome === 'admit' ? 'pass' : 'fail', text);
  });
}

const AWAY: readonly {
  readonly name: string;
  readonly documents: readonly Vex[];
  /** Which of them the registry does not give. */
  readonly away: number;
  readonly limits: SeverityLimits;
  readonly outcome: 'pass' | 'inconclusive';
}[] = [
  {
    name: 'the one that answers',
    documents: one(),
    away: 0,
    limits: { critical: 0 },
    outcome: 'inconclusive',
  },
  {
    name: 'one beside that which answers, and which may be newer',
    documents: [{ document: vex([clean()]), at: -9 }, { document: vex([]) }],
    away: 1,
    limits: { critical: 0 },
    outcome: 'inconclusive',
  },
  {
    name: 'one that is not needed',
    documents: one(),
    away: 0,
    limits: { critical: 1 },
    outcome: 'pass',
  },
];

for (const { name, documents, away, limits, outcome } of AWAY) {
  test(`a VEX document that could not be fetched: ${name}`, async () => {
    const { repository, vexes } = stage(documents);
    repository.faults = {
      blob: (digest) => {
        if (digest !== vexes[away]) return undefined;
        throw new TrustFault('registry.timeout', 'the registry gave no answer');
      },
    };
    const require = attested('vuln', ['scanner'], { vulnerabilities: limits, vexBy: ['security'] });
    const policies = setOf(policyOf({ authorities, require }));
    const { finding } = await decided({ source: repository, policies });
    assert.equal(finding.outcome, outcome, renderFinding(finding).join('\n'));
  });
}
