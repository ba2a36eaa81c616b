/** A value as SQLite takes and gives it. Whole numbers come back as `number`. */
export type SqlValue = null | bigint | number | string | Uint8Array;

/** One statement with the values of its `?`. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

/** What a statement did: the rows that it answered, and how many it changed. */
export interface Result {
  readonly rows: readonly Readonly<Record<string, SqlValue>>[];
  readonly changes: number;
}

/** Why a statement did nothing: SQLite's extended result code (0: not SQLite's) and its words. */
export interface Failure {
  readonly errcode: number;
  readonly message: string;
}

/**
 * What is asked of an engine. The statements of a `group` succeed and fail each on its own, and are
 * durable together. `begin` opens the one transaction, in which `run` runs a statement.
 */
export type Request =
  | { readonly kind: 'group'; readonly statements: readonly Statement[] }
  | { readonly kind: 'run'; readonly statement: Statement }
  | { readonly kind: 'begin' | 'commit' | 'rollback' };

/** One outcome for each statement of a group, else exactly one. */
export interface Reply {
  readonly outcomes: readonly (Result | Failure)[];
}

/** The file that an engine opens. */
export interface EngineOptions {
  /** A path, or `:memory:`. */
  readonly path: string;
  readonly readOnly: boolean;
  /** What `fileMark` must say of the file, now and after each request; null in memory. */
  readonly mark: string | null;
}

/** SQLITE_READONLY_DBMOVED: the file that is open is not the one that has the name any more. */
export const MOVED_ERRCODE = 1032;

/** The first message of a worker: whether its engine is open, or why it is not. */
export interface Started {
  readonly failure: Failure | null;
}

/** Whether a statement did nothing. */
export function isFailure(outcome: Result | Failure): outcome is Failure {
  return 'errcode' in outcome;
}

/** SQLite's code of an error that it threw, and its words. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const errcode = error instanceof Error && 'errcode' in error ? error.errcode : 0;
  return { errcode: typeof errcode === 'number' ? errcode : 0, message };
}
