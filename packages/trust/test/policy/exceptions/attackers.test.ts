// Each test plays an attacker of semantics 17.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Code } from '@bulla/trust/fault/codes';
import { TrustFault } from '@bulla/trust/fault/fault';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { Requirement } from '@bulla/trust/policy/document';
import type { GivenException } from '@bulla/trust/policy/exceptions/document';
import { parseException } from '@bulla/trust/policy/exceptions/parse';
import { approveException, writeException } from '@bulla/trust/policy/exceptions/sign';
import { attested, type PolicyShape, signed } from '../../policy-lab/policy.ts';
import { minutes, NOW } from '../../sigstore-lab/lab.ts';
import { testKey } from '../../tlog/synthetic-log.ts';
import {
  approved,
  bound,
  brokenGlass,
  KEYS,
  REPOSITORY,
  RULES,
  requested,
  signerOf,
} from './exception-lab.ts';
import { altered, decide, image, type Json, refusedFor, specOf } from './stage.ts';

const NEVER: Partial<PolicyShape> = { exceptions: null };
const WIDE: Partial<PolicyShape> = { exceptions: { ...RULES, maxScope: 'repository' } };
const { digest } = image;
/** The policy of two clauses with another at the second place. */
const moved = (second: Requirement): Partial<PolicyShape> => ({
  require: { kind: 'all', parts: [signed(['release']), second] },
});

const ATTACKS: readonly {
  readonly name: string;
  readonly given: () => Promise<GivenException>;
  readonly shape?: Partial<PolicyShape>;
  readonly more?: object;
  readonly code: Code;
}[] = [
  {
    name: 'a policy that accepts none',
    given: () => approved(digest),
    shape: NEVER,
    code: 'exception.none-accepted',
  },
  {
    name: 'break-glass where the policy keeps no key for it',
    given: () => brokenGlass(digest),
    shape: { exceptions: { ...RULES, breakGlass: null } },
    code: 'exception.none-accepted',
  },
  {
    name: 'a request that nobody approved',
    given: async () => ({ document: await requested(digest), recorded: true }),
    code: 'exception.approval-missing',
  },
  {
    name: 'a request by an approver that nobody else approved',
    given: async () => ({
      document: await requested(digest, { by: KEYS.security }),
      recorded: true,
    }),
    code: 'exception.approval-missing',
  },
  {
    name: 'an approver of another policy, or of none',
    given: () => approved(digest, {}, { key: KEYS.stranger }),
    code: 'exception.approver-unknown',
  },
  {
    name: 'a signer of images that approves',
    given: () => approved(digest, {}, { key: KEYS.qa }),
    code: 'exception.approver-unknown',
  },
  {
    name: 'a break-glass key that approves',
    given: () => approved(digest, {}, { key: KEYS.oncall }),
    code: 'exception.approver-unknown',
  },
  {
    name: 'an approver that breaks the glass',
    given: () => brokenGlass(digest, { by: KEYS.security }),
    code: 'exception.approver-unknown',
  },
  {
    name: 'break-glass whose record nobody proves',
    given: () => brokenGlass(digest, { recorded: false }),
    code: 'exception.not-recorded',
  },
  {
    name: 'break-glass for a second over four hours',
    given: () => brokenGlass(digest, { expires: new Date(minutes(180).getTime() + 1000) }),
    code: 'exception.too-long',
  },
  {
    name: 'an exception of a second over what the policy allows',
    given: () => approved(digest, { expires: new Date(minutes(47 * 60).getTime() + 1000) }),
    code: 'exception.too-long',
  },
  {
    name: 'an exception that expired this very instant',
    given: () => approved(digest, { expires: NOW }),
    code: 'exception.expired',
  },
  {
    name: 'an exception that expired a second ago',
    given: () => approved(digest, { expires: new Date(NOW.getTime() - 1000) }),
    code: 'exception.expired',
  },
  {
    name: 'an exception of the next second',
    given: () => approved(digest, { issuedAt: new Date(NOW.getTime() + 1000) }),
    code: 'exception.not-yet-valid',
  },
  {
    name: 'an approval of the next second',
    given: () => approved(digest, {}, { at: new Date(NOW.getTime() + 1000) }),
    code: 'exception.not-yet-valid',
  },
  {
    name: 'a whole repository where the policy wants a digest',
    given: () => approved(null),
    code: 'exception.scope',
  },
  {
    name: 'break-glass for a whole repository where the policy wants a digest',
    given: () => brokenGlass(null),
    code: 'exception.scope',
  },
  {
    name: 'another digest of the repository',
    given: () => approved(`sha256:${'0'.repeat(64)}`),
    shape: WIDE,
    code: 'exception.scope',
  },
  {
    name: 'the same digest in a repository whose name begins alike',
    given: () => approved(digest, { repository: `${REPOSITORY}2` }),
    code: 'exception.scope',
  },
  {
    name: 'a repository above',
    given: () => approved(null, { repository: 'registry.example/ap' }),
    shape: WIDE,
    code: 'exception.scope',
  },
  {
    name: 'a repository in other letters',
    given: () => approved(null, { repository: 'registry.example:8443/app' }),
    shape: WIDE,
    code: 'exception.scope',
  },
  {
    name: 'another policy',
    given: () => approved(digest, { policies: ['stage'] }),
    code: 'exception.scope',
  },
  {
    name: 'another surface',
    given: () => approved(digest, { surfaces: ['admission'] }),
    code: 'exception.scope',
  },
  {
    name: 'a namespace, where the door knows none',
    given: () => approved(digest, { namespaces: ['shop'] }),
    code: 'exception.scope',
  },
  {
    name: 'a clause that the policy does not have',
    given: () => approved(digest, { clauses: ['require.all[2]'] }),
    code: 'exception.clause-unknown',
  },
  {
    name: 'the clause that stood there when another signer was asked for',
    given: () => approved(digest, { shape: moved(signed(['stranger'])) }),
    code: 'exception.clause-changed',
  },
  {
    name: 'the clause that stood there before one was put in front of it',
    given: () => approved(digest),
    shape: {
      require: {
        kind: 'all',
        parts: [attested('spdx', ['release']), signed(['release']), signed(['qa'])],
      },
    },
    code: 'exception.clause-changed',
  },
  {
    name: 'the whole requirement, of which a part asks for more now',
    given: () => approved(digest, { clauses: ['require'] }),
    shape: moved(signed(['qa', 'security'], { atLeast: 2 })),
    code: 'exception.clause-changed',
  },
  {
    name: 'a rule on tags that has another value now',
    given: () => approved(digest, { clauses: ['require.all[1]', 'tags'] }),
    shape: { tags: 'refuse' },
    code: 'exception.clause-changed',
  },
  {
    name: 'the digest of another clause of the policy',
    given: () =>
      approved(digest, {
        lifts: [
          {
            policy: 'prod',
            clauses: bound(['require.all[0]']).map(({ digest: of }) => ({
              path: 'require.all[1]',
              digest: of,
            })),
          },
        ],
      }),
    code: 'exception.clause-changed',
  },
  {
    name: 'break-glass for a clause that says something else now',
    given: () => brokenGlass(digest, { shape: moved(signed(['stranger'])) }),
    code: 'exception.clause-changed',
  },
  {
    name: 'a clause beside one that the policy does not have',
    given: () => approved(digest, { clauses: ['require.all[1]', 'require.any[1]'] }),
    code: 'exception.clause-unknown',
  },
];

for (const { name, given, shape, more, code } of ATTACKS) {
  test(`semantics 17: ${name}: ${code}`, async () => {
    refusedFor(await decide([await given()], shape, more), code);
  });
}

test('semantics 17: what a test refuses would pass with what it should have been', async () => {
  const namespace = {
    scope: { repository: REPOSITORY, surface: 'pull', namespace: 'shop', environment: null },
  };
  for (const [given, shape, more] of [
    [await approved(digest), {}, {}],
    [await approved(null), WIDE, {}],
    [await brokenGlass(null), WIDE, {}],
    [await brokenGlass(digest, { expires: minutes(180) }), {}, {}],
    [await approved(digest, { expires: minutes(47 * 60) }), {}, {}],
    [await approved(digest, { expires: new Date(NOW.getTime() + 1) }), {}, {}],
    [await approved(digest, { issuedAt: NOW }, { at: NOW }), {}, {}],
    [await approved(digest, { surfaces: ['pull'], namespaces: ['shop'] }), {}, namespace],
  ] as const) {
    const decision = await decide([given], shape, more);
    assert.equal(decision.outcome, 'admit', renderFinding(decision.finding).join('\n'));
  }
});

for (const { name, identity, key } of [
  { name: 'one key under two names', identity: 'sec@acme.example', key: KEYS.requester },
  { name: 'one identity with two keys', identity: 'dev@acme.example', key: KEYS.security },
  { name: 'one identity in other letters', identity: 'DEV@acme.example', key: KEYS.security },
] as const) {
  test(`semantics 17: ${name} cannot approve what it requested`, async () => {
    const request = await requested(digest);
    const approval = { identity, approvedAt: minutes(-30) };
    await assert.rejects(
      approveException(request, approval, signerOf(key)),
      isCode('exception.self-approved'),
    );
  });
}

test('semantics 17: a self-approval made by other means is refused by the verifier too', async () => {
  // The requester holds the approver's own key, and writes the document without our help.
  for (const [by, identity] of [
    [KEYS.security, 'dev@acme.example'],
    [KEYS.requester, 'sec@acme.example'],
  ] as const) {
    const other = by === KEYS.security ? testKey('ed25519') : KEYS.requester;
    const request = await requested(digest, { by: other });
    const one = await approveException(
      {
        ...request,
        exception: { ...request.exception, requester: { identity: 'x', key: other.publicKey } },
      },
      { identity: by === KEYS.security ? identity : 'y', approvedAt: minutes(-30) },
      signerOf(by === KEYS.security ? by : KEYS.security),
    );
    const forged =
      by === KEYS.security
        ? one
        : altered(one, (outer, inner) => {
            specOf(outer)['approver'] = { ...Object(specOf(inner)['requester']), identity };
          });
    refusedFor(await decide([{ document: forged, recorded: true }]), 'exception.self-approved');
  }
});

test('semantics 17: what was signed cannot be altered, by the requester or by anybody', async () => {
  const { document } = await approved(digest);
  const rewrites: readonly ((outer: Json, request: Json) => void)[] = [
    (_, request) => {
      specOf(request)['reason'] = 'another reason';
    },
    (_, request) => {
      specOf(request)['expires'] = minutes(25 * 60).toISOString();
    },
    (_, request) => {
      specOf(request)['lifts'] = [{ policy: 'prod', clauses: bound(['require.all[1]', 'tags']) }];
    },
    (outer) => {
      specOf(outer)['approvedAt'] = minutes(-1).toISOString();
    },
    (outer) => {
      Object(specOf(outer)['approver'])['identity'] = 'boss@acme.example';
    },
  ];
  for (const rewrite of rewrites) {
    const forged = { document: altered(document, rewrite), recorded: true };
    refusedFor(await decide([forged]), 'exception.signature');
  }
  // The same document, written and read again, is as good as it was.
  const same = parseException(writeException(document), 'same');
  assert.equal((await decide([{ document: same, recorded: false }])).outcome, 'admit');
});

test('semantics 17: a requester cannot put another request under an approval', async () => {
  const { document } = await approved(digest, { clauses: ['tags'] });
  const other = await requested(digest);
  const forged = altered(document, (outer) => {
    specOf(outer)['request'] = JSON.parse(Buffer.from(writeException(other)).toString());
  });
  refusedFor(await decide([{ document: forged, recorded: true }]), 'exception.signature');
});

test('semantics 17: the signature of another exception is none of this one', async () => {
  const [one, other] = [await approved(digest, { name: 'one' }), await approved(digest)];
  const envelope: Json = JSON.parse(Buffer.from(writeException(one.document)).toString());
  const stolen: Json = JSON.parse(Buffer.from(writeException(other.document)).toString());
  const document = parseException(
    Buffer.from(JSON.stringify({ ...envelope, signatures: stolen['signatures'] })),
    'stolen',
  );
  refusedFor(await decide([{ document, recorded: true }]), 'exception.signature');
});

test('semantics 17: an approval of a request whose signature is false is not given', async () => {
  const request = await requested(digest);
  const forged = altered(request, (outer) => {
    specOf(outer)['reason'] = 'another';
  });
  const approval = { identity: 'sec@acme.example', approvedAt: minutes(-30) };
  await assert.rejects(
    approveException(forged, approval, signerOf(KEYS.security)),
    isCode('exception.signature'),
  );
  await assert.rejects(
    approveException((await approved(digest)).document, approval, signerOf(KEYS.security)),
    isCode('usage.invalid'),
  );
  await assert.rejects(
    approveException((await brokenGlass(digest)).document, approval, signerOf(KEYS.security)),
    isCode('usage.invalid'),
  );
});

function isCode(code: Code) {
  return (error: unknown) => error instanceof TrustFault && error.code === code;
}
