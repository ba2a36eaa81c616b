import { Worker } from 'node:worker_threads';
import { quote, TrustFault } from '@bulla/trust/fault/fault';
import { openEngine } from './engine.ts';
import { openingFault } from './faults.ts';
import {
  type EngineOptions,
  failureOf,
  type Reply,
  type Request,
  type Started,
} from './message.ts';

/**
 * Where an engine runs: in a worker, so that neither an fsync nor a long query holds up this thread.
 * It takes one request at a time.
 */
export interface SqliteThread {
  /** Rejects with `storage.failed` when the thread ends: nobody knows whether it happened. */
  ask(request: Request): Promise<Reply>;
  /** True when it takes no more requests, whoever ended it. */
  ended(): boolean;
  /** Ends the connection and the thread. Resolves also when they ended before. */
  close(): Promise<void>;
}

/** Opens an engine and its thread. Throws the faults of `openingFault`. */
export type StartThread = (options: EngineOptions) => Promise<SqliteThread>;

/** An engine in a worker, which keeps the process alive only while it has something to do. */
export async function startWorker(options: EngineOptions): Promise<SqliteThread> {
  // Without this process's flags and environment: neither is for a worker.
  const worker = new Worker(workerUrl(), {
    name: options.readOnly ? 'sqlite-reader' : 'sqlite',
    env: {},
    execArgv: [],
    workerData: options,
    // Its objects live as long as one request; left to itself V8 collects them, and the bytes that
    // came with them, when they are tens of megabytes.
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  let ended = false;
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      ended = true;
      resolve();
    });
  });
  // Heard by whoever waits for an answer; while nobody does it must not end the process.
  worker.on('error', () => undefined);
  const started = await nextMessage(worker, options.path);
  worker.unref();
  if ('failure' in started && started.failure !== null) {
    await worker.terminate();
    throw openingFault(started.failure, options.path);
  }
  return {
    ended: () => ended,
    async ask(request) {
      if (ended) throw lost(options.path);
      worker.ref();
      try {
        const answer = nextMessage(worker, options.path);
        worker.postMessage(request);
        const message = await answer;
        if ('outcomes' in message) return message;
        throw new TrustFault('internal.defect', 'a thread of SQLite started twice');
      } finally {
        worker.unref();
      }
    },
    async close() {
      if (!ended) worker.postMessage('close');
      worker.ref();
      await exited;
    },
  };
}

/** An engine in this thread: for a database in memory, which never waits for a disk. */
export async function startInline(options: EngineOptions): Promise<SqliteThread> {
  let ended = false;
  try {
    const engine = openEngine(options);
    return {
      ended: () => ended,
      // Cloned, as what crosses threads is: rows are plain objects, and nobody shares bytes.
      ask: async (request) => structuredClone(engine.answer(request)),
      async close() {
        if (!ended) engine.close();
        ended = true;
      },
    };
  } catch (error) {
    throw openingFault(failureOf(error), options.path);
  }
}

/** The worker's file lies beside this one: as source, as compiled, and in the bundle. */
function workerUrl(): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./sqlite-worker.${ending}`, import.meta.url);
}

/** The worker's next message; `storage.failed` when it ends before. */
function nextMessage(worker: Worker, path: string): Promise<Reply | Started> {
  return new Promise((resolve, reject) => {
    let cause: unknown;
    const onError = (error: unknown) => {
      cause = error;
    };
    const onMessage = (message: Reply | Started) => settle(() => resolve(message));
    const onExit = () => settle(() => reject(lost(path, cause)));
    const settle = (finish: () => void) => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      worker.off('exit', onExit);
      finish();
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.on('exit', onExit);
  });
}

function lost(path: string, cause?: unknown): TrustFault {
  const message = `the thread that writes ${quote(path)} ended`;
  return new TrustFault('storage.failed', message, undefined, { cause });
}
