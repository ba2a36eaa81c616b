import type { IncomingMessage, ServerResponse } from 'node:http';

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/** Notes that the sender of a request waits with its body to be told to go on (RFC 9110 §10.1.1). */
export function noteWaiting(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, response);
}

/** Whether the sender still waits with its body. */
export function isWaiting(request: IncomingMessage): boolean {
  return waiting.has(request);
}

/** Tells a sender that waits to go on, once: somebody is about to read what it has. */
export function tellToGoOn(request: IncomingMessage): void {
  const response = waiting.get(request);
  if (response === undefined) return;
  waiting.delete(request);
  if (!response.headersSent) response.writeContinue();
}
