import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { fileMark } from './file-mark.ts';
import {
  type EngineOptions,
  type Failure,
  failureOf,
  isFailure,
  MOVED_ERRCODE,
  type Reply,
  type Request,
  type Result,
  type Statement,
} from './message.ts';

/** A connection that answers requests one after another; every call blocks its thread. */
export interface Engine {
  answer(request: Request): Reply;
  close(): void;
}

/** Written into the header of each database of Bulla: "Bula". */
const APPLICATION_ID = 0x42756c61;
const SETTINGS = [
  'journal_mode = WAL',
  // Each commit is synced before it is acknowledged.
  'synchronous = FULL',
  'foreign_keys = ON',
  'trusted_schema = OFF',
  'cell_size_check = ON',
  'journal_size_limit = 67108864',
] as const;
const SQLITE_NOTADB = 26;
const BUSY_TIMEOUT_MS = 5000;
const STATEMENTS_KEPT = 200;
const DONE: Result = { rows: [], changes: 0 };
const MOVED: Failure = {
  errcode: MOVED_ERRCODE,
  message: 'the file was removed or replaced while it was open',
};
const ROLLED_BACK: Failure = { errcode: 0, message: 'the transaction was rolled back' };

/**
 * Opens a connection. Throws SQLite's error; `SQLITE_NOTADB` also for a database of another program,
 * `SQLITE_READONLY_DBMOVED` for another file than the one that has the mark. What was done while the file
 * was removed or replaced is a failure, though it cannot be undone: nobody will ever read it. It imports nothing but Node's own modules, so that a worker starts in any condition.
 */
export function openEngine({ path, readOnly, mark }: EngineOptions): Engine {
  const isInPlace = () => mark === null || fileMark(path) === mark;
  // Before SQLite makes a new one in its place.
  if (!isInPlace()) throw Object.assign(new Error(MOVED.message), { errcode: MOVED.errcode });
  const database = new DatabaseSync(path, { readOnly, timeout: BUSY_TIMEOUT_MS });
  try {
    if (readOnly) database.exec('PRAGMA query_only = ON');
    else prepareFile(database);
  } catch (error) {
    database.close();
    throw error;
  }
  const prepare = keptStatements(database);
  return {
    answer(request) {
      const outcomes = answer(database, prepare, request, readOnly);
      // Afterwards: what was written before the file went is lost as well.
      if (isInPlace()) return { outcomes };
      // Nobody knows of a transaction whose beginning failed: what comes next must not be in it.
      attempt(() => rollback(database));
      return { outcomes: outcomes.map(() => MOVED) };
    },
    close: () => database.close(),
  };
}

function answer(
  database: DatabaseSync,
  prepare: Prepare,
  request: Request,
  readOnly: boolean,
): Reply['outcomes'] {
  const run = (statement: Statement) => attempt(() => runStatement(prepare, statement));
  switch (request.kind) {
    case 'group':
      return readOnly || request.statements.length === 1
        ? request.statements.map(run)
        : runGroup(database, prepare, request.statements);
    case 'run':
      // SQLite itself rolls back when the disk is full: what comes then must not stand alone.
      return [database.isTransaction ? run(request.statement) : ROLLED_BACK];
    case 'begin':
      return [attempt(() => exec(prepare, 'BEGIN IMMEDIATE'))];
    case 'commit':
      return [database.isTransaction ? commit(database, prepare) : ROLLED_BACK];
    case 'rollback':
      return [attempt(() => rollback(database))];
    default:
      return request satisfies never;
  }
}

function prepareFile(database: DatabaseSync): void {
  const id = database.prepare('PRAGMA application_id').get()?.['application_id'];
  const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'];
  // Looked at before anything is changed: another program's database stays as it is.
  if (id !== APPLICATION_ID && (id !== 0 || tables !== 0)) {
    throw Object.assign(new Error('it is a database of another program'), {
      errcode: SQLITE_NOTADB,
    });
  }
  for (const setting of SETTINGS) database.exec(`PRAGMA ${setting}`);
  if (id === 0) database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
}

/** A prepared statement, and whether it answers rows. */
interface Prepared {
  readonly statement: StatementSync;
  readonly answersRows: boolean;
}

type Prepare = (sql: string) => Prepared;

/** Prepared statements, the least recently used given up first. */
function keptStatements(database: DatabaseSync): Prepare {
  const kept = new Map<string, Prepared>();
  return (sql) => {
    const prepared = kept.get(sql) ?? prepareStatement(database, sql);
    kept.delete(sql);
    kept.set(sql, prepared);
    const oldest = kept.keys().next();
    if (kept.size > STATEMENTS_KEPT && oldest.done !== true) kept.delete(oldest.value);
    return prepared;
  };
}

function prepareStatement(database: DatabaseSync, sql: string): Prepared {
  const statement = database.prepare(sql);
  return { statement, answersRows: statement.columns().length > 0 };
}

function runStatement(prepare: Prepare, { sql, parameters }: Statement): Result {
  const { statement, answersRows } = prepare(sql);
  if (!answersRows) {
    return { rows: [], changes: Number(statement.run(...parameters).changes) };
  }
  const rows = statement.all(...parameters);
  return { rows, changes: rows.length };
}

/** All statements in one transaction, so with one fsync, each in a savepoint of its own. */
function runGroup(
  database: DatabaseSync,
  prepare: Prepare,
  statements: readonly Statement[],
): Reply['outcomes'] {
  const begun = attempt(() => exec(prepare, 'BEGIN IMMEDIATE'));
  if (isFailure(begun)) return statements.map(() => begun);
  const outcomes = statements.map((statement) =>
    database.isTransaction ? inSavepoint(prepare, statement) : ROLLED_BACK,
  );
  if (!database.isTransaction) {
    // The one that made SQLite give up tells why; those before it were undone with it.
    const cause = outcomes.find(isFailure) ?? ROLLED_BACK;
    return outcomes.map(() => cause);
  }
  const committed = commit(database, prepare);
  return isFailure(committed) ? outcomes.map(() => committed) : outcomes;
}

function inSavepoint(prepare: Prepare, statement: Statement): Result | Failure {
  return attempt(() => {
    exec(prepare, 'SAVEPOINT one');
    try {
      const result = runStatement(prepare, statement);
      exec(prepare, 'RELEASE one');
      return result;
    } catch (error) {
      // Where SQLite rolled back everything there is no savepoint any more.
      attempt(() => exec(prepare, 'ROLLBACK TO one'));
      attempt(() => exec(prepare, 'RELEASE one'));
      throw error;
    }
  });
}

function commit(database: DatabaseSync, prepare: Prepare): Result | Failure {
  const committed = attempt(() => exec(prepare, 'COMMIT'));
  if (isFailure(committed)) attempt(() => rollback(database));
  return committed;
}

function rollback(database: DatabaseSync): Result {
  if (database.isTransaction) database.exec('ROLLBACK');
  return DONE;
}

function exec(prepare: Prepare, sql: string): Result {
  prepare(sql).statement.run();
  return DONE;
}

function attempt(act: () => Result): Result | Failure {
  try {
    return act();
  } catch (error) {
    return failureOf(error);
  }
}
