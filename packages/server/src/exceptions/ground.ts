import type { TrustFault } from '@bulla/trust/fault/fault';
import type { ExceptionDocument } from '@bulla/trust/policy/exceptions/document';
import type { Asker } from '../decision/made.ts';
import type { Tables } from '../storage/tables.ts';
import type { Clerk } from './exception.ts';
import type { ExceptionMetrics } from './metrics.ts';
import type { RevokedMarks } from './revoked.ts';

/** An act for the record: what was done to which exception, and what of it is kept. */
export interface ExceptionAct {
  readonly actor: Asker;
  readonly act: `exception.${string}` | `break-glass.${string}`;
  readonly subject: string;
  readonly says: string;
  readonly detail: Readonly<Record<string, string | number | boolean | null | readonly string[]>>;
}

/** What exceptions stand on. */
export interface ExceptionParts {
  readonly tables: Tables;
  readonly revokedMarks: RevokedMarks;
  /** Resolves when the act is durable in the record. Throws `record.unavailable`. */
  readonly note: (act: ExceptionAct) => Promise<unknown>;
  /** Ends what was decided before, on every replica (semantics 14). */
  readonly raiseEpoch: () => Promise<void>;
  /**
   * Why no policy in force takes the document, signatures and all; null where each that it names does.
   * `recorded`: as if its record were durable.
   */
  readonly refusalOf: (document: ExceptionDocument, at: Date) => Promise<TrustFault | null>;
  readonly metrics: ExceptionMetrics;
  /** Says loudly, on the operator's own log, that somebody broke the glass. */
  readonly alarm: (message: string, fields: Readonly<Record<string, string>>) => void;
  readonly clock: () => Date;
}

/** A clerk as the record names who acts. */
export function askerOf({ kind, id, name }: Clerk): Asker {
  return { kind: kind === 'operator' ? 'system' : kind, id, name };
}
