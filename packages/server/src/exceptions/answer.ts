import { dsseEnvelopeJson } from '@bulla/trust/envelopes/dsse';
import { Type } from 'typebox';
import { type Clerk, type Done, isInForce, type StoredException } from './exception.ts';

const NULLABLE = Type.Union([Type.String(), Type.Null()]);
const TEXTS = Type.Union([Type.Array(Type.String()), Type.Null()]);
const PARTY = Type.Object({ identity: Type.String(), keyId: Type.String() });
const DONE = Type.Union([
  Type.Object({
    by: Type.Object({ kind: Type.String(), id: Type.String(), name: Type.String() }),
    at: Type.String(),
    says: Type.String(),
  }),
  Type.Null(),
]);

/** An exception as the API shows it. */
export const EXCEPTION = Type.Object({
  id: Type.String({ description: 'Digest of the signed request' }),
  name: Type.String(),
  kind: Type.String({ description: 'exception or break-glass' }),
  state: Type.String({ description: 'requested, in-force, expired or revoked' }),
  repository: Type.String(),
  digest: NULLABLE,
  policies: Type.Array(Type.String()),
  clauses: Type.Array(Type.String(), { description: 'Their paths, of all policies' }),
  lifts: Type.Array(
    Type.Object({
      policy: Type.String(),
      clauses: Type.Array(
        Type.Object({
          path: Type.String(),
          digest: Type.String({ description: 'Of what the clause said when it was requested' }),
        }),
      ),
    }),
  ),
  surfaces: TEXTS,
  namespaces: TEXTS,
  requester: PARTY,
  approver: Type.Union([PARTY, Type.Null()]),
  reason: Type.String(),
  compensatingControl: NULLABLE,
  issuedAt: Type.String(),
  expires: Type.String(),
  requested: DONE,
  approved: DONE,
  revoked: DONE,
  review: Type.String({ description: 'none, open or closed' }),
  reviewed: DONE,
  uses: Type.Integer({ description: 'Recorded decisions that stood on it' }),
  envelope: Type.Object({}, { additionalProperties: true }),
});

/** The answer for an exception, as it stands at `at`. */
export function answerOf(stored: StoredException, uses: number, at: Date): object {
  const { id, document, review } = stored;
  const { exception, approval, request } = document;
  const { name, kind, repository, digest, lifts, surfaces, namespaces } = exception;
  const { requester, reason, compensatingControl, issuedAt, expires } = exception;
  return {
    ...{ id, name, kind, state: stateOf(stored, at), repository, digest, lifts },
    policies: lifts.map(({ policy }) => policy),
    clauses: [...new Set(lifts.flatMap(({ clauses }) => clauses.map(({ path }) => path)))],
    ...{ surfaces, namespaces, reason, compensatingControl, review, uses },
    requester: { identity: requester.identity, keyId: requester.key.id },
    approver:
      approval === null
        ? null
        : { identity: approval.approver.identity, keyId: approval.approver.key.id },
    issuedAt: issuedAt.toISOString(),
    expires: expires.toISOString(),
    requested: doneAnswer(stored.requested),
    approved: stored.approved === null ? null : doneAnswer(stored.approved),
    revoked: stored.revoked === null ? null : doneAnswer(stored.revoked),
    reviewed: stored.reviewed === null ? null : doneAnswer(stored.reviewed),
    envelope: dsseEnvelopeJson(approval?.envelope ?? request),
  };
}

/** `expired` also for a request that nobody approved in time. */
function stateOf(stored: StoredException, at: Date): string {
  if (stored.state === 'revoked') return 'revoked';
  if (stored.document.exception.expires <= at) return 'expired';
  return isInForce(stored, at) ? 'in-force' : 'requested';
}

function doneAnswer({ by, at, says }: Done): object {
  return { by: shownClerk(by), at: at.toISOString(), says };
}

function shownClerk({ kind, id, name }: Clerk): object {
  return { kind, id, name };
}
