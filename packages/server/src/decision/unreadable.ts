import { printable, type TrustFault } from '@bulla/trust/fault/fault';
import { type Finding, failed, failedBy, skipped } from '@bulla/trust/finding/finding';
import type { Decision } from '@bulla/trust/policy/decision';
import type { Ask, Unreadable } from './ask.ts';
import type { InForce } from './policies.ts';

/** Most of a reference that nobody could read is no use to anybody. */
const SHOWN_LONGEST = 512;

/** The refusal of a question that names no image: there is no repository that a policy could cover. */
export function unreadableDecision(
  question: Unreadable,
  fault: TrustFault,
  { set }: InForce,
  id: string,
  at: Date,
): Decision {
  const { reference, surface, namespace } = question;
  return {
    id,
    outcome: 'deny',
    reference: printable(reference.slice(0, SHOWN_LONGEST)),
    repository: '',
    tag: null,
    digest: null,
    covers: [],
    surface,
    namespace,
    environment: null,
    policies: [],
    finding: failedBy('reference', fault),
    warnings: [],
    exceptions: [],
    policySetHash: set?.hash ?? 'none',
    trustRootVersion: set?.trustRootVersion ?? '',
    evidence: [],
    validUntil: null,
    at,
    durationMs: 0,
  };
}

/** The refusal of a door whose policies cannot be read (semantics 4). */
export function noPolicyDecision(ask: Ask, inForce: InForce, id: string, at: Date): Decision {
  const { reference, repository, tag, surface, namespace } = ask;
  const why = inForce.problem?.message ?? 'none was loaded';
  const digest = 'digest' in ask.resolved ? ask.resolved.digest : null;
  return {
    id,
    outcome: 'deny',
    reference,
    repository,
    tag,
    digest,
    covers: [],
    surface,
    namespace,
    environment: null,
    policies: [],
    finding: failed('policy', 'policy.unreadable', `no policy is in force: ${why}`, 'semantics 4'),
    warnings: [],
    exceptions: [],
    policySetHash: 'none',
    trustRootVersion: '',
    evidence: [],
    validUntil: null,
    at,
    durationMs: 0,
  };
}

/** The decision with a finding that says that the files have changed since and cannot be used. */
export function withStaleNote(decision: Decision, { problem, loadedAt }: InForce): Decision {
  if (problem === null) return decision;
  const says = `the policies of ${loadedAt.toISOString()} decide, because their files cannot be used since: ${problem.message}`;
  const note: Finding = { ...skipped('policy.files', says, 'semantics 4'), code: 'policy.stale' };
  const because = [...(decision.finding.because ?? []), note];
  return { ...decision, finding: { ...decision.finding, because } };
}
