import type { Signer } from '@bulla/trust/crypto/signer';
import type { Digest } from '@bulla/trust/oci/digest';
import type { ExceptionRules } from '@bulla/trust/policy/document';
import { clauseDigest } from '@bulla/trust/policy/exceptions/clause-digest';
import type {
  BoundClause,
  ExceptionDocument,
  GivenException,
} from '@bulla/trust/policy/exceptions/document';
import {
  approveException,
  type ExceptionRequest,
  signException,
} from '@bulla/trust/policy/exceptions/sign';
import { type PolicyShape, policyOf, ready, signed } from '../../policy-lab/policy.ts';
import { minutes } from '../../sigstore-lab/lab.ts';
import { keyed } from '../../sigstore-lab/question.ts';
import { type TestKey, testKey } from '../../tlog/synthetic-log.ts';

/** The people of these tests, each with a key of their own. */
export const KEYS = {
  release: testKey('ecdsa-p256'),
  qa: testKey('ecdsa-p256'),
  requester: testKey('ed25519'),
  security: testKey('ecdsa-p384'),
  oncall: testKey('ecdsa-p256'),
  stranger: testKey('ecdsa-p256'),
} as const;

export const REPOSITORY = 'registry.example/app';

/** Two days at most, for one digest. */
export const RULES: ExceptionRules = {
  approvers: ['security'],
  maxDurationMs: 48 * 3_600_000,
  maxScope: 'digest',
  breakGlass: { keys: ['oncall'], maxDurationMs: 4 * 3_600_000 },
};

/** A policy that wants the signatures of release and of qa, each a clause of its own. */
export const TWO_CLAUSES: PolicyShape = {
  authorities: (['release', 'qa', 'security', 'oncall'] as const).map((name) =>
    ready(keyed(KEYS[name], name)),
  ),
  require: { kind: 'all', parts: [signed(['release']), signed(['qa'])] },
  exceptions: RULES,
};

/** The contract of a signer on a key of a test. */
export function signerOf(key: TestKey): Signer {
  return {
    publicKey: key.publicKey,
    algorithm: key.algorithm,
    name: 'a test key',
    sign: async (message) => key.sign(message),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** What is asked for, where only what differs from the usual is said: to lift qa's signature. */
export interface AskedException extends Partial<ExceptionRequest> {
  readonly policies?: readonly string[];
  readonly clauses?: readonly string[];
  /** What the policies are where they are not the usual: the clauses of this are what is asked for. */
  readonly shape?: Partial<PolicyShape>;
  readonly by?: TestKey;
}

/** Clauses as the policy of two clauses, changed by a shape, has them; of what it lacks any digest. */
export function bound(
  clauses: readonly string[],
  shape: Partial<PolicyShape> = {},
): readonly BoundClause[] {
  const { document } = policyOf({ ...TWO_CLAUSES, ...shape });
  return clauses.map((path) => ({
    path,
    digest: clauseDigest(document, path) ?? `sha256:${'0'.repeat(64)}`,
  }));
}

/** A request for the digest, an hour old and good for a day. */
export function requested(
  digest: Digest | null,
  {
    by = KEYS.requester,
    policies = ['prod'],
    clauses = ['require.all[1]'],
    shape = {},
    ...more
  }: AskedException = {},
): Promise<ExceptionDocument> {
  const request: ExceptionRequest = {
    name: 'late-qa',
    kind: 'exception',
    repository: REPOSITORY,
    digest,
    lifts: policies.map((policy) => ({ policy, clauses: bound(clauses, shape) })),
    surfaces: null,
    namespaces: null,
    identity: 'dev@acme.example',
    reason: 'qa is on holiday until Monday',
    compensatingControl: 'the release is only in the canary ring',
    issuedAt: minutes(-60),
    expires: minutes(24 * 60),
    ...more,
  };
  return signException(request, signerOf(by));
}

/** The request, approved half an hour ago. */
export async function approved(
  digest: Digest | null,
  more: AskedException = {},
  approver: { readonly identity?: string; readonly key?: TestKey; readonly at?: Date } = {},
): Promise<GivenException> {
  const { identity = 'sec@acme.example', key = KEYS.security, at = minutes(-30) } = approver;
  const request = await requested(digest, more);
  const document = await approveException(request, { identity, approvedAt: at }, signerOf(key));
  return { document, recorded: true };
}

/** A break-glass document of an hour ago, good for four hours in all. */
export async function brokenGlass(
  digest: Digest | null,
  { recorded = true, ...more }: AskedException & { readonly recorded?: boolean } = {},
): Promise<GivenException> {
  const document = await requested(digest, {
    name: 'night-shift',
    kind: 'break-glass',
    identity: 'oncall@acme.example',
    compensatingControl: null,
    expires: minutes(3 * 60),
    by: KEYS.oncall,
    ...more,
  });
  return { document, recorded };
}
