import { parentPort, workerData } from 'node:worker_threads';
import { openEngine } from './engine.ts';
import { type EngineOptions, failureOf, type Request, type Started } from './message.ts';

/** The thread of one connection: each request is answered by one message, in order. */
function serve(options: EngineOptions): void {
  const engine = openEngine(options);
  parentPort?.on('message', (request: Request | 'close') => {
    if (request === 'close') {
      engine.close();
      parentPort?.close();
      return;
    }
    parentPort?.postMessage(engine.answer(request));
  });
}

let started: Started = { failure: null };
try {
  serve(workerData);
} catch (error) {
  started = { failure: failureOf(error) };
}
parentPort?.postMessage(started);
