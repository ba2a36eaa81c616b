import assert from 'node:assert/strict';
import { test } from 'node:test';
import { predicateTypeOf } from '@bulla/trust/claims/predicate-type';
import { decide, decideFromDossier } from '@bulla/trust/decide';
import type { Dossier } from '@bulla/trust/decide/dossier';
import { hasCode } from '@bulla/trust/fault/fault';
import type { Requirement } from '@bulla/trust/policy/document';
import type { TrustChange } from '@bulla/trust/policy/impact/change';
import { changedPolicies } from '@bulla/trust/policy/impact/changed-policies';
import { type ImageImpact, judgeImpact } from '@bulla/trust/policy/impact/judge';
import type { PolicySet, ReadyAuthority } from '@bulla/trust/policy/policy-set';
import { decideOptions } from '../../policy-lab/decide.ts';
import {
  attested,
  type PolicyShape,
  policyOf,
  ready,
  setOf,
  signed,
} from '../../policy-lab/policy.ts';
import { NOW, openLab } from '../../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, type SignedBy, statement } from '../../sigstore-lab/mint.ts';
import { DEV, keyed, keyless } from '../../sigstore-lab/question.ts';
import { attachBundle, openRepository, putImage } from '../../sigstore-lab/repository.ts';
import { testKey } from '../../tlog/synthetic-log.ts';

const lab = openLab();
const [A, B, C] = [testKey('ecdsa-p256'), testKey('ecdsa-p256'), testKey('ecdsa-p256')];
const release = ready(keyed(A, 'release'));
/** The same key, by another name. */
const alias = ready(keyed(A, 'alias'));
const qa = ready(keyed(B, 'qa'));
const NEW = { issuer: DEV.issuer, subject: 'dev@new.example' };
const OTHER = { issuer: DEV.issuer, subject: 'ops@acme.example' };
const byGlob = (glob: string) =>
  ready(keyless({ issuer: DEV.issuer, subject: { glob } }, 'people'), lab);

type Signer = SignedBy | (typeof DEV & { readonly subjects?: readonly string[] });

/** What a decision looked at, of an image that was signed by these. */
async function dossierOf(
  signers: readonly Signer[],
  policies: PolicySet,
  predicateType?: string,
): Promise<Dossier> {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  for (const one of signers) {
    const isKey = 'publicKey' in one || 'certificate' in one;
    const by = isKey ? one : lab.ca.issue({ ...one, at: NOW });
    const payload = statement(image.digest, predicateType);
    const shape = isKey ? { by, payload, logs: [], stampedAt: [] } : { by, payload };
    attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
  }
  return (await decide(decideOptions({ source: repository, policies }))).dossier;
}

async function impactOf(
  set: PolicySet,
  changes: readonly TrustChange[],
  signers: readonly Signer[],
  gatheredFor: PolicySet = set,
): Promise<ImageImpact> {
  const dossier = await dossierOf(signers, gatheredFor);
  const question = decideOptions({ source: openRepository(), policies: set });
  return await judgeImpact(changedPolicies(set, changes), (policies) =>
    decideFromDossier({ ...question, dossier, policies }),
  );
}

function set(require: Requirement, authorities: readonly ReadyAuthority[], more = {}): PolicySet {
  return setOf(policyOf({ require, authorities, ...more } satisfies PolicyShape));
}

const retire = (key: string): TrustChange => ({ kind: 'retire-key', key });
const rename = (from: typeof DEV, to: typeof DEV): TrustChange => {
  return { kind: 'rename-identity', from, to };
};

const BOTH = [release, qa];

const CASES: readonly {
  readonly name: string;
  readonly set: PolicySet;
  readonly change: TrustChange;
  readonly by: readonly Signer[];
  readonly expect: ImageImpact['impact'];
  readonly losing?: readonly string[];
}[] = [
  {
    name: 'the one key that signed',
    set: set(signed(['release']), [release]),
    change: retire('release'),
    by: [A],
    expect: 'lost',
    losing: ['release'],
  },
  {
    name: 'the one key that signed, by its id in capitals',
    set: set(signed(['release']), [release]),
    change: retire(A.publicKey.id.toUpperCase()),
    by: [A],
    expect: 'lost',
    losing: ['release'],
  },
  {
    name: 'the one key that signed, where a policy only warns',
    set: set(signed(['release']), [release], { mode: 'warn' }),
    change: retire('release'),
    by: [A],
    expect: 'lost',
    losing: ['release'],
  },
  {
    // Its holder must not go on signing because the list has it twice.
    name: 'a key that is listed under another name too',
    set: set(signed(['release', 'alias']), [release, alias]),
    change: retire('release'),
    by: [A],
    expect: 'lost',
    losing: ['release', 'alias'],
  },
  {
    name: 'one of two keys of which one is needed',
    set: set(signed(['release', 'qa']), BOTH),
    change: retire('release'),
    by: [A, B],
    expect: 'at-risk',
    losing: ['release'],
  },
  {
    name: 'one of two keys of which both are needed',
    set: set(signed(['release', 'qa'], { atLeast: 2 }), BOTH),
    change: retire('release'),
    by: [A, B],
    expect: 'lost',
    losing: ['release'],
  },
  {
    name: 'a key that did not sign, beside one that did',
    set: set(signed(['release', 'qa']), BOTH),
    change: retire('qa'),
    by: [A],
    expect: 'kept',
    losing: [],
  },
  {
    name: 'a key of three where two are left',
    set: set(signed(['release', 'qa', 'third']), [...BOTH, ready(keyed(C, 'third'))]),
    change: retire('qa'),
    by: [A, B, C],
    expect: 'kept',
    losing: ['qa'],
  },
  {
    name: 'a key of an image that nobody signed',
    set: set(signed(['release']), [release]),
    change: retire('release'),
    by: [],
    expect: 'refused',
    losing: [],
  },
  {
    name: 'an identity that alone signed',
    set: set(signed(['people']), [ready(keyless(DEV, 'people'), lab)]),
    change: rename(DEV, NEW),
    by: [DEV],
    expect: 'lost',
    losing: ['people'],
  },
  {
    name: 'an identity, of an image that the new one has signed',
    set: set(signed(['people']), [ready(keyless(DEV, 'people'), lab)]),
    change: rename(DEV, NEW),
    by: [NEW],
    expect: 'gained',
    losing: [],
  },
  {
    // The glob would go on accepting what the former identity signs.
    name: 'an identity that a glob matches, and the new one as well',
    set: set(signed(['people']), [byGlob('dev@*')]),
    change: rename(DEV, NEW),
    by: [DEV],
    expect: 'lost',
    losing: ['people'],
  },
  {
    name: 'an identity that a glob matches, where both have signed',
    set: set(signed(['people']), [byGlob('dev@*')]),
    change: rename(DEV, NEW),
    by: [DEV, NEW],
    expect: 'kept',
    losing: ['people'],
  },
  {
    name: 'an identity that a glob matches, where another of the glob has signed',
    set: set(signed(['people']), [byGlob('*@acme.example')]),
    change: rename(DEV, NEW),
    by: [OTHER],
    expect: 'kept',
    losing: ['people'],
  },
  {
    // Its certificate names another that the glob matches.
    name: 'an identity that signs under a second name as well',
    set: set(signed(['people']), [byGlob('*@acme.example')]),
    change: rename(DEV, NEW),
    by: [{ ...DEV, subjects: [OTHER.subject] }],
    expect: 'lost',
    losing: ['people'],
  },
  {
    name: 'an issuer: its other identities go on',
    set: set(signed(['people']), [byGlob('*@acme.example')]),
    change: rename(DEV, { issuer: 'https://new.example', subject: DEV.subject }),
    by: [OTHER],
    expect: 'kept',
    losing: ['people'],
  },
  {
    name: 'an issuer, of an image that the same subject has signed by it',
    set: set(signed(['people']), [byGlob('*@acme.example')]),
    change: rename(DEV, { issuer: 'https://new.example', subject: DEV.subject }),
    by: [DEV],
    expect: 'lost',
    losing: ['people'],
  },
  {
    name: 'a trust root',
    set: set(signed(['people']), [byGlob('dev@*')]),
    change: { kind: 'retire-root', root: lab.trustRoot.name },
    by: [DEV],
    expect: 'lost',
    losing: ['people'],
  },
  {
    name: 'a certificate authority of a trust root',
    set: set(signed(['people']), [byGlob('dev@*')]),
    change: {
      kind: 'retire-root',
      root: lab.trustRoot.certificateAuthorities[0]?.name ?? '',
    },
    by: [DEV],
    expect: 'lost',
    losing: ['people'],
  },
];

for (const { name, set: policies, change, by, expect, losing } of CASES) {
  test(`retired or renamed: ${name}: ${expect}`, async () => {
    const found = await impactOf(policies, [change], by);
    assert.equal(found.impact, expect, JSON.stringify(found, null, 1));
    assert.deepEqual(found.policies[0]?.losing, losing ?? []);
    assert.equal(found.policies[0]?.reSign.length !== 0, expect === 'lost');
  });
}

test('retiring the last log of a trust root is no way to need no log entry', async () => {
  const policies = set(signed(['people']), [byGlob('dev@*')]);
  const logs = lab.trustRoot.tlogs.map(({ origin }) => origin);
  const changes = [...new Set(logs)].map((root): TrustChange => ({ kind: 'retire-root', root }));
  const found = await impactOf(policies, changes, [DEV]);
  assert.equal(found.impact, 'lost');
});

test('who attested is retired as who signed is', async () => {
  const type = predicateTypeOf('vuln');
  for (const [by, expect] of [
    [[B], 'lost'],
    [[A, B], 'at-risk'],
  ] as const) {
    const policies = set(attested('vuln', ['release', 'qa']), BOTH);
    const dossier = await dossierOf(by, policies, type);
    const question = decideOptions({ source: openRepository(), policies });
    const found = await judgeImpact(changedPolicies(policies, [retire('qa')]), (changed) =>
      decideFromDossier({ ...question, dossier, policies: changed }),
    );
    assert.equal(found.impact, expect, JSON.stringify(found, null, 1));
  }
});

test('evidence that was gathered for other questions is unknown, never fine', async () => {
  const gathered = set(signed(['release']), [release]);
  const wanting = set(
    { kind: 'all', parts: [signed(['release']), attested('vuln', ['qa'])] },
    BOTH,
  );
  const found = await impactOf(wanting, [retire('qa')], [A], gathered);
  assert.equal(found.impact, 'unknown');
  assert.deepEqual(
    found.policies[0]?.clauses.map(({ code }) => code),
    ['dossier.incomplete'],
  );
});

test('a policy that nothing can satisfy any more says so, and asks for no signature', async () => {
  const policies = set(signed(['release', 'qa'], { atLeast: 2 }), BOTH);
  const found = await impactOf(policies, [retire('release')], [A, B]);
  const [act, ...more] = found.policies[0]?.reSign ?? [];
  assert.deepEqual([act?.command, more], [null, []]);
  assert.match(act?.says ?? '', /needs 2, and qa is left/);
});

test('what mends a lost image is a signature of whoever is left', async () => {
  const policies = set(signed(['release', 'qa']), BOTH);
  const found = await impactOf(policies, [retire('release')], [A]);
  assert.equal(found.impact, 'lost');
  const [act] = found.policies[0]?.reSign ?? [];
  assert.match(act?.says ?? '', /with the key of authority qa/);
  assert.match(act?.command ?? '', /^bulla sign --key KEY registry\.example\/app@sha256:/);
});

test('an image that no policy covers has nothing to lose', async () => {
  const policies = set(signed(['release']), [release], { repositories: ['registry.example/b'] });
  assert.deepEqual(await impactOf(policies, [retire('release')], [A]), {
    impact: 'refused',
    policies: [],
    covers: [],
  });
});

for (const change of [
  retire('nobody'),
  rename(OTHER, NEW),
  { kind: 'retire-root', root: 'nowhere' } satisfies TrustChange,
]) {
  test(`a change that touches nothing is refused: ${change.kind}`, () => {
    const policies = set(signed(['people', 'release']), [
      ready(keyless(DEV, 'people'), lab),
      release,
    ]);
    // Beside one that does touch something, too.
    for (const changes of [[change], [retire('release'), change]]) {
      assert.throws(
        () => changedPolicies(policies, changes),
        (error) => hasCode(error, 'impact.change-unknown'),
      );
    }
  });
}
