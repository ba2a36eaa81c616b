import { parentPort } from 'node:worker_threads';
import { answerRequest } from './evaluate.ts';
import { type CelRequest, READY } from './message.ts';

/** The worker's thread: one request at a time, each answered by one message, in order. */
parentPort?.on('message', (request: CelRequest) => {
  parentPort?.postMessage(answerRequest(request));
});
parentPort?.postMessage(READY);
