import { setImmediate as nextTurn } from 'node:timers/promises';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { faultOf } from './faults.ts';
import { type Failure, isFailure, type Request, type Result, type Statement } from './message.ts';
import type { SqliteThread } from './thread.ts';

/** One transaction that has the connection to itself. */
export interface Turn {
  run(statement: Statement): Promise<Result>;
  commit(): Promise<void>;
  /** Gives the connection back, rolling back what was not committed. */
  end(): Promise<void>;
}

/** The statements that wait for one connection, in the order in which they came. */
export interface Queue {
  /** Runs a statement by itself; it is durable when this resolves. */
  run(statement: Statement): Promise<Result>;
  /** Begins a transaction when all that came before is done. */
  begin(): Promise<Turn>;
  /** Refuses new statements, and resolves when those that wait are done and the thread has ended. */
  close(): Promise<void>;
}

/** How a queue is made. */
export interface QueueOptions {
  readonly path: string;
  /** Starts the thread when it is first needed, and again after it died. */
  readonly start: () => Promise<SqliteThread>;
  /** A transaction without a statement for so long is rolled back. */
  readonly idleMs: number;
}

interface Single {
  readonly statement: Statement;
  readonly sizeBytes: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** A task that runs alone. */
type Alone = () => Promise<void>;

const NO_OUTCOME: Failure = { errcode: 0, message: 'no outcome' };
const GROUP_MOST = 256;
const GROUP_MOST_BYTES = 8 << 20;

/**
 * Statements in groups: all that wait when the thread is free go to it at once, in one transaction
 * with one fsync. Whoever comes while it is busy is in the next group, so groups grow with the load
 * and nobody waits for a timer.
 */
export function openQueue(options: QueueOptions, started?: SqliteThread): Queue {
  const { path } = options;
  const waiting: (Single | Alone)[] = [];
  let thread = started === undefined ? null : closingOnFailure(started);
  let pumping: Promise<void> | null = null;
  let closed = false;

  async function running(): Promise<SqliteThread> {
    if (thread === null || thread.ended()) thread = closingOnFailure(await options.start());
    return thread;
  }

  async function pump(): Promise<void> {
    // What comes in this turn of the event loop shall be in the first group.
    await nextTurn();
    while (waiting.length > 0) {
      const [next] = waiting;
      if (typeof next === 'function') {
        waiting.shift();
        await next();
      } else {
        await runGroup(waiting.splice(0, groupLength(waiting)).filter(isSingle));
      }
    }
    pumping = null;
  }

  async function runGroup(group: readonly Single[]): Promise<void> {
    try {
      const statements = group.map((one) => one.statement);
      const { outcomes } = await (await running()).ask({ kind: 'group', statements });
      for (const [index, { resolve, reject }] of group.entries()) {
        const outcome = outcomes[index];
        if (outcome !== undefined && !isFailure(outcome)) resolve(outcome);
        else reject(faultOf(outcome ?? NO_OUTCOME, path));
      }
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  function enter(task: Single | Alone): void {
    waiting.push(task);
    pumping ??= pump();
  }

  const refuseClosed = () => {
    if (closed) throw new TrustFault('storage.closed', `${quote(path)} was closed`);
  };

  return {
    async run(statement) {
      refuseClosed();
      return new Promise((resolve, reject) => {
        enter({ statement, sizeBytes: sizeOf(statement), resolve, reject });
      });
    },
    async begin() {
      refuseClosed();
      return new Promise((resolve, reject) => {
        enter(async () => {
          try {
            const asked = await running();
            const [begun = NO_OUTCOME] = (await asked.ask({ kind: 'begin' })).outcomes;
            if (isFailure(begun)) throw faultOf(begun, path);
            const { turn, over } = openTurn(asked, options);
            resolve(turn);
            await over;
          } catch (error) {
            reject(error);
          }
        });
      });
    },
    async close() {
      closed = true;
      while (pumping !== null) await pumping;
      await thread?.close();
    },
  };
}

function openTurn(
  thread: SqliteThread,
  { path, idleMs }: QueueOptions,
): { readonly turn: Turn; readonly over: Promise<void> } {
  const { promise: over, resolve: release } = Promise.withResolvers<void>();
  let last: Promise<unknown> = Promise.resolve();
  let state: 'open' | 'failed' | 'committed' | 'ended' = 'open';
  let idle: NodeJS.Timeout | undefined;

  function watch(): void {
    idle = setTimeout(() => void end(), idleMs);
    idle.unref();
  }

  async function ask(request: Request): Promise<Result> {
    clearTimeout(idle);
    try {
      const [outcome = NO_OUTCOME] = (await thread.ask(request)).outcomes;
      if (isFailure(outcome)) throw faultOf(outcome, path);
      return outcome;
    } finally {
      watch();
    }
  }

  /** Statements of one transaction follow one another, also when its caller did not wait. */
  function enqueue<T>(act: () => Promise<T>): Promise<T> {
    const mine = last.then(act);
    last = mine.catch(() => undefined);
    return mine;
  }

  function refuseUnlessOpen(): void {
    if (state === 'open') return;
    const what = state === 'failed' ? 'failed before' : 'is over';
    throw new TrustFault('storage.failed', `${quote(path)}: the transaction ${what}`);
  }

  function end(): Promise<void> {
    return enqueue(async () => {
      if (state === 'ended') return;
      const open = state !== 'committed';
      state = 'ended';
      if (open) await undo(thread);
      clearTimeout(idle);
      release();
    });
  }

  watch();
  return {
    over,
    turn: {
      end,
      run: (statement) =>
        enqueue(async () => {
          refuseUnlessOpen();
          try {
            return await ask({ kind: 'run', statement });
          } catch (error) {
            // As PostgreSQL does: what failed must not be committed in part.
            state = 'failed';
            throw error;
          }
        }),
      commit: () =>
        enqueue(async () => {
          refuseUnlessOpen();
          await ask({ kind: 'commit' });
          state = 'committed';
        }),
    },
  };
}

/**
 * A thread of which nobody knows what it did is ended, and whatever transaction was open on it with
 * it: the next statement goes to a new one.
 */
function closingOnFailure(thread: SqliteThread): SqliteThread {
  return {
    ended: () => thread.ended(),
    close: () => thread.close(),
    async ask(request) {
      try {
        return await thread.ask(request);
      } catch (error) {
        await thread.close();
        throw error;
      }
    },
  };
}

/** Rolls back; a thread that cannot is ended, so that nobody writes into what is left open. */
async function undo(thread: SqliteThread): Promise<void> {
  try {
    const [outcome = NO_OUTCOME] = (await thread.ask({ kind: 'rollback' })).outcomes;
    if (isFailure(outcome)) await thread.close();
  } catch {
    // It is gone, and took its transaction along.
  }
}

function isSingle(task: Single | Alone): task is Single {
  return typeof task !== 'function';
}

/** How many of the tasks at the front make one group: at least one. */
function groupLength(tasks: readonly (Single | Alone)[]): number {
  let bytes = 0;
  let length = 0;
  for (const task of tasks) {
    if (!isSingle(task)) break;
    bytes += task.sizeBytes;
    if (length > 0 && (length >= GROUP_MOST || bytes > GROUP_MOST_BYTES)) break;
    length += 1;
  }
  return length;
}

function sizeOf({ parameters }: Statement): number {
  let size = 0;
  for (const value of parameters) {
    if (typeof value === 'string' || value instanceof Uint8Array) size += value.length;
  }
  return size;
}
