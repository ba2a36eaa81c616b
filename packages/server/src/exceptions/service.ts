import { TrustFault } from '@bulla/trust/fault/fault';
import type { ExceptionDocument, GivenException } from '@bulla/trust/policy/exceptions/document';
import { openTurns } from '../bounds/turns.ts';
import { closeReview, revoke } from './end.ts';
import type { Clerk, StoredException } from './exception.ts';
import {
  countExceptions,
  type ExceptionFilter,
  type ExceptionPage,
  getException,
  givenExceptions,
  listExceptions,
} from './find.ts';
import type { ExceptionParts } from './ground.ts';
import { approve, breakGlass, handIn } from './hand-in.ts';
import type { ExceptionCounts } from './metrics.ts';
import { settleRevocations } from './revoked.ts';

/**
 * Exceptions and break-glass of a server (semantics 17): who handed in what, what holds now, and what
 * came of it. Keys never come here; documents are signed where the keys are. Each method is
 * documented where it is written.
 */
export interface ExceptionService {
  handIn(document: ExceptionDocument, by: Clerk): Promise<StoredException>;
  approve(document: ExceptionDocument, by: Clerk): Promise<StoredException>;
  breakGlass(document: ExceptionDocument, by: Clerk): Promise<StoredException>;
  revoke(id: string, by: Clerk, reason: string): Promise<StoredException>;
  closeReview(id: string, by: Clerk, found: string): Promise<StoredException>;
  list(filter: ExceptionFilter): Promise<ExceptionPage>;
  get(id: string): Promise<StoredException>;
  /** For a decision about one of these digests of the repository. */
  given(repository: string, digests: readonly string[]): Promise<readonly GivenException[]>;
  counts(): Promise<ExceptionCounts>;
  settle(): Promise<number>;
}

const WAITING_MOST = 256;

function tooMany(): TrustFault {
  return new TrustFault('exception.too-many', `${WAITING_MOST} are being handed in at this moment`);
}

/** The service on the tables that `parts` hands in. */
export function createExceptions(parts: ExceptionParts): ExceptionService {
  const { db } = parts.tables;
  // One after the other, so that their bound holds for those that come at once.
  const turns = openTurns({ atOnce: 1, waiting: { most: WAITING_MOST, tooMany } });
  return {
    handIn: (document, by) => turns(() => handIn(parts, document, by)),
    approve: (document, by) => approve(parts, document, by),
    breakGlass: (document, by) => breakGlass(parts, document, by),
    revoke: (id, by, reason) => revoke(parts, id, by, reason),
    closeReview: (id, by, found) => closeReview(parts, id, by, found),
    list: (filter) => listExceptions(db, filter, parts.clock()),
    get: (id) => getException(db, id),
    given: (repository, digests) =>
      givenExceptions(db, parts.revokedMarks, repository, digests, parts.clock()),
    counts: () => countExceptions(db, parts.clock()),
    settle: () => settleRevocations(db, parts.revokedMarks, parts.raiseEpoch, parts.clock()),
  };
}
