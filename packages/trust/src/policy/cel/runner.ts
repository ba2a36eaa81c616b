import { Worker } from 'node:worker_threads';
import { TrustFault } from '../../fault/fault.ts';
import type { ExpressionRunner } from '../expression.ts';
import { type CelAnswer, type CelRequest, READY } from './message.ts';

/** A runner of CEL that can judge an expression before there is any evidence. */
export interface CelRunner extends ExpressionRunner {
  /** Throws `cel.invalid` for what is not CEL, is too long or calls an unknown function. */
  checkExpression(expression: string): Promise<void>;
}

const MAX_EXPRESSION_LENGTH = 8192;
const CHECK_DEADLINE_MS = 2000;
const START_DEADLINE_MS = 10_000;
/** What one expression may hold beside its statement, which can be megabytes of JSON. */
const MEMORY = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

/**
 * CEL in a worker that stays warm between calls and is started by the first. Requests run one
 * after another; an expression that passes its deadline or the memory it is given ends the worker
 * (`cel.timeout`), and the next request gets a new one. An idle worker does not keep the process
 * alive; disposal ends it, after which the runner cannot be used.
 */
export function openExpressionRunner(): CelRunner {
  let worker: Worker | null = null;
  let closed = false;
  let last: Promise<unknown> = Promise.resolve();

  async function ask(request: CelRequest, deadlineMs: number): Promise<boolean> {
    if (closed) throw new TrustFault('internal.defect', 'the runner of expressions was closed');
    const running = worker ?? (await startWorker());
    worker = null;
    running.ref();
    try {
      const answer = await answerOf(running, request, deadlineMs);
      worker = running;
      if ('value' in answer) return answer.value;
      throw new TrustFault(answer.code, answer.message);
    } finally {
      running.unref();
      // It gave no answer: what it is doing now, nobody waits for.
      if (worker === null) await running.terminate();
    }
  }

  /** Joins the queue; what failed before does not fail what comes after. */
  function enqueue(request: CelRequest, deadlineMs: number): Promise<boolean> {
    const asked = last.then(() => ask(request, deadlineMs));
    last = asked.catch(() => undefined);
    return asked;
  }

  return {
    async evaluate(expression, variables, { deadlineMs }) {
      requireLength(expression);
      return await enqueue({ expression, variables }, deadlineMs);
    },
    async checkExpression(expression) {
      requireLength(expression);
      await enqueue({ expression, variables: null }, CHECK_DEADLINE_MS);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      await last;
      await worker?.terminate();
      worker = null;
    },
  };
}

function requireLength(expression: string): void {
  if (expression.trim() !== '' && expression.length <= MAX_EXPRESSION_LENGTH) return;
  throw new TrustFault(
    'cel.invalid',
    `expected an expression of 1 to ${MAX_EXPRESSION_LENGTH} characters, found ${expression.length}`,
  );
}

/** The worker's file lies beside this one: as source, as compiled, and in the bundle. */
function workerUrl(): URL {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./cel-worker.${ending}`, import.meta.url);
}

async function startWorker(): Promise<Worker> {
  // Without this process's flags: those of `node -e` or of an inspector are not for a worker.
  const worker = new Worker(workerUrl(), {
    name: 'cel',
    env: {},
    execArgv: [],
    resourceLimits: MEMORY,
  });
  // Heard by whoever waits for an answer; while nobody does it must not end the process.
  worker.on('error', () => undefined);
  try {
    await nextMessage(worker, START_DEADLINE_MS);
    return worker;
  } catch (cause) {
    await worker.terminate();
    throw new TrustFault('internal.defect', 'the worker for expressions did not start', undefined, {
      cause,
    });
  }
}

async function answerOf(
  worker: Worker,
  request: CelRequest,
  deadlineMs: number,
): Promise<CelAnswer> {
  worker.postMessage(request);
  const answer = await nextMessage(worker, deadlineMs);
  if (answer === READY) throw new TrustFault('internal.defect', 'a worker started twice');
  return answer;
}

/** The worker's next message; `cel.timeout` when it does not come in time or memory runs out. */
function nextMessage(worker: Worker, deadlineMs: number): Promise<CelAnswer | typeof READY> {
  return new Promise((resolve, reject) => {
    // Behind the poll phase: an answer that waits while this thread was busy is still read.
    const expire = () => setImmediate(() => settle(() => reject(late(deadlineMs))));
    const timer = setTimeout(expire, deadlineMs);
    const onMessage = (message: CelAnswer | typeof READY) => settle(() => resolve(message));
    const onError = (error: Error) => settle(() => reject(ended(error)));
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      worker.off('message', onMessage);
      worker.off('error', onError);
      finish();
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
  });
}

function late(deadlineMs: number): TrustFault {
  return new TrustFault('cel.timeout', `the expression gave no answer in ${deadlineMs} ms`);
}

function ended(error: Error): TrustFault {
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new TrustFault('cel.timeout', 'the expression used more memory than it is given');
  }
  return new TrustFault('internal.defect', 'the worker for expressions ended', undefined, {
    cause: error,
  });
}
