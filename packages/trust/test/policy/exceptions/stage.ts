import assert from 'node:assert/strict';
import { decodeBase64, encodeBase64 } from '@bulla/trust/bytes/base64';
import type { Code } from '@bulla/trust/fault/codes';
import { renderFinding } from '@bulla/trust/finding/render-text';
import type { Digest } from '@bulla/trust/oci/digest';
import type { Decision } from '@bulla/trust/policy/decision';
import type { ExceptionDocument, GivenException } from '@bulla/trust/policy/exceptions/document';
import { parseException } from '@bulla/trust/policy/exceptions/parse';
import { writeException } from '@bulla/trust/policy/exceptions/sign';
import { decided } from '../../policy-lab/decide.ts';
import { type PolicyShape, policyOf, setOf } from '../../policy-lab/policy.ts';
import { nodesOf } from '../../sigstore-lab/findings.ts';
import { openLab } from '../../sigstore-lab/lab.ts';
import { bundleEvidence, mintBundle, statement } from '../../sigstore-lab/mint.ts';
import { attachBundle, openRepository, putImage } from '../../sigstore-lab/repository.ts';
import type { TestKey } from '../../tlog/synthetic-log.ts';
import { KEYS, TWO_CLAUSES } from './exception-lab.ts';

const lab = openLab();

/** An image that release signed, and qa did not. */
export function stage(by: readonly TestKey[] = [KEYS.release], about?: Digest) {
  const repository = openRepository();
  const image = putImage(repository, 'an image', { tag: 'v1' });
  for (const key of by) {
    const payload = statement(about ?? image.digest);
    const shape = { by: key, payload, logs: [], stampedAt: [] };
    attachBundle(repository, image, bundleEvidence(mintBundle(lab, shape)));
  }
  return { repository, image };
}

/** The image of these tests. */
export const { repository, image } = stage();

/** Decides about it with exceptions, by the policy of two clauses. */
export function decide(
  exceptions: readonly GivenException[],
  shape: Partial<PolicyShape> = {},
  more: object = {},
): Promise<Decision> {
  const policies = setOf(policyOf({ ...TWO_CLAUSES, ...shape }));
  return decided({ source: repository, policies, exceptions: async () => exceptions, ...more });
}

/** The codes of the exceptions that lift nothing. */
export function remarks({ finding }: Decision): readonly (string | undefined)[] {
  const nodes = [...nodesOf(finding)];
  return nodes
    .filter(({ check, outcome }) => check === 'exception' && outcome === 'skipped')
    .map(({ code }) => code);
}

/** Asserts that it is refused, and each exception for its code. */
export function refusedFor(decision: Decision, ...codes: readonly Code[]): void {
  assert.equal(decision.outcome, 'deny', renderFinding(decision.finding).join('\n'));
  assert.deepEqual(decision.exceptions, []);
  assert.deepEqual(remarks(decision), codes);
}

/** A JSON object that a test rewrites. */
export type Json = Record<string, unknown>;

/** The document with what was signed of it rewritten, and its signatures left as they were. */
export function altered(
  document: ExceptionDocument,
  rewrite: (outer: Json, request: Json) => void,
): ExceptionDocument {
  const envelope: Json = JSON.parse(Buffer.from(writeException(document)).toString());
  const outer = payloadOf(envelope);
  const inner = Object(outer['spec'])['request'];
  const request = inner === undefined ? outer : payloadOf(inner);
  rewrite(outer, request);
  if (inner !== undefined) inner['payload'] = sealed(request);
  envelope['payload'] = sealed(outer);
  return parseException(Buffer.from(JSON.stringify(envelope)), 'altered');
}

const payloadOf = (envelope: Json): Json =>
  JSON.parse(Buffer.from(decodeBase64(String(envelope['payload']), 'payload')).toString());
const sealed = (payload: Json): string => encodeBase64(Buffer.from(JSON.stringify(payload)));
/** What a payload says. */
export const specOf = (payload: Json): Json => Object(payload['spec']);
