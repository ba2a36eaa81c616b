import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { asFault, quote, TrustFault } from '@bulla/trust/fault/fault';
import { plainAddress } from '../http/address.ts';
import type { ClientCertificate, Door, HttpReply } from '../http/exchange.ts';
import { lingering } from '../http/linger.ts';
import { publicFault } from '../http/public-fault.ts';
import { type Connection, hasBody, readRequest, requestId } from '../http/request.ts';
import { type ReviewAnswer, writeAnswer } from './answer.ts';
import { type Bodies, openBodies } from './body.ts';
import type { AdmissionConfig } from './config.ts';
import type { AdmissionMetrics } from './metrics.ts';
import { parseReview, type Review } from './parse.ts';
import type { AdmissionService } from './service.ts';

/** What the webhook's port answers with. */
export interface AdmissionDoor {
  readonly service: AdmissionService;
  readonly config: Pick<AdmissionConfig, 'marginMs' | 'maxBodyBytes' | 'maxHeldBytes'>;
  /** Answers at `/healthz` and `/readyz`: kubelets show no certificate. */
  readonly probes: readonly Door[];
  /** The verified certificate of a request's connection; null: callers need none. */
  readonly callerOf: ((request: IncomingMessage) => ClientCertificate | null) | null;
  readonly metrics: AdmissionMetrics;
  /** Told of faults that are the server's own. */
  readonly failed: (fault: TrustFault) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

type Hook = 'mutate' | 'validate';

const HOOKS: Readonly<Record<string, Hook>> = {
  '/admission/mutate': 'mutate',
  '/admission/validate': 'validate',
};

/**
 * Answers the API server (enforcement reference 2.1). What is no review is refused by an HTTP status
 * with a Status of Kubernetes, which the API server takes for a failed call: with `failurePolicy: Fail`
 * nothing gets past. It never throws.
 */
export function admissionHandler(door: AdmissionDoor): RequestListener {
  const bodies = openBodies(door.config.maxBodyBytes, door.config.maxHeldBytes);
  return (request, response) => {
    const url = request.url ?? '/';
    const question = url.indexOf('?');
    const path = question === -1 ? url : url.slice(0, question);
    const hook = Object.hasOwn(HOOKS, path) ? HOOKS[path] : undefined;
    const answered =
      hook === undefined
        ? answerOther(door, request, response, path)
        : answerHook(door, bodies, hook, request, response, url.slice(path.length));
    answered.catch((error: unknown) => refuse(door, request, response, asFault(error)));
  };
}

async function answerHook(
  door: AdmissionDoor,
  bodies: Bodies,
  hook: Hook,
  request: IncomingMessage,
  response: ServerResponse,
  query: string,
): Promise<void> {
  const began = door.now();
  requireCaller(door, request);
  requireJsonPost(request);
  const review = parseReview(await bodies.read(request), door.config.maxBodyBytes);
  const budgetMs = budgetOf(query, door.config.marginMs) - (door.now() - began);
  const call = {
    remoteAddress: plainAddress(request.socket.remoteAddress),
    userAgent: request.headers['user-agent'] ?? '',
    budgetMs: coarse(budgetMs),
  };
  const answer = await door.service[hook](review, call);
  send(response, 200, writeAnswer(answer));
  tellMetrics(door, hook, review, answer, began);
}

function tellMetrics(
  { metrics, now }: AdmissionDoor,
  hook: Hook,
  { operation }: Review,
  { annotations }: ReviewAnswer,
  began: number,
): void {
  metrics.answered(hook, operation, annotations['outcome'] ?? 'none', now() - began);
}

function requireCaller({ callerOf }: AdmissionDoor, request: IncomingMessage): void {
  if (callerOf === null || callerOf(request) !== null) return;
  throw new TrustFault(
    'admission.caller-unknown',
    'expected a client certificate of the configured authority, found none',
  );
}

function requireJsonPost({ method, headers }: IncomingMessage): void {
  if (method !== 'POST') {
    throw new TrustFault('http.method-unsupported', `expected POST, found ${quote(method)}`);
  }
  const type = headers['content-type'] ?? '';
  if (type === 'application/json' || /^application\/json *(?:;|$)/i.test(type)) return;
  throw new TrustFault('http.media-type', `expected application/json, found ${quote(type)}`);
}

const TICK_MS = 10;

/** Timers of one length are one list to Node: thousands a second cost nothing then. */
function coarse(budgetMs: number): number {
  return Math.max(Math.floor(budgetMs / TICK_MS) * TICK_MS, TICK_MS);
}

/** What the API server waits where it does not say (`timeoutSeconds` of v1). */
const DEFAULT_SECONDS = 10;
const MOST_SECONDS = 30;
const TIMEOUT = /[?&]timeout=([0-9]{1,4})s(?:&|$)/;

/** How long an answer may take: what the query says, in bounds, without the margin or half of it. */
export function budgetOf(query: string, marginMs: number): number {
  const [, given] = TIMEOUT.exec(query) ?? [];
  const seconds = given === undefined ? DEFAULT_SECONDS : Number(given);
  const waitsMs = Math.min(Math.max(seconds, 1), MOST_SECONDS) * 1000;
  return Math.max(waitsMs - marginMs, waitsMs / 2);
}

async function answerOther(
  { probes }: AdmissionDoor,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): Promise<void> {
  const probe = probes.find(({ prefix }) => prefix === path);
  if (probe === undefined) throw new TrustFault('http.not-found', `no such path: ${quote(path)}`);
  const reply = await probe.handle(readRequest(request, requestId(request), 1, CONNECTION));
  send(response, reply.status, textOf(reply), request.method === 'HEAD');
}

const CONNECTION: Connection = {
  secure: true,
  listener: 'admission',
  hosts: undefined,
  clientCertificate: () => null,
};

function textOf({ body }: HttpReply): string {
  return typeof body === 'string' ? body : '';
}

function send(response: ServerResponse, status: number, text: string, isHead = false): void {
  const length = Buffer.byteLength(text);
  response.writeHead(status, headersOf(length));
  // As text it leaves with the headers in one record of TLS; bytes would take a second one. What has a
  // byte for each character needs no other encoding.
  if (isHead) response.end();
  else response.end(text, length === text.length ? 'latin1' : 'utf8');
}

function headersOf(length: number) {
  return {
    'content-type': 'application/json',
    'content-length': length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}

/** A Status of Kubernetes, which is what the API server reads of an answer that is no 200. */
function refuse(
  door: AdmissionDoor,
  request: IncomingMessage,
  response: ServerResponse,
  fault: TrustFault,
): void {
  const { status, code, message, remedy } = publicFault(fault);
  door.metrics.refused(code);
  if (status >= 500) door.failed(fault);
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${code}: ${message} (${remedy})`,
    reason: status >= 500 ? 'InternalError' : 'BadRequest',
    code: status,
  };
  const bytes = Buffer.from(JSON.stringify(body));
  const unread = !request.complete && hasBody(request);
  response.writeHead(status, {
    ...headersOf(bytes.length),
    ...(code === 'http.method-unsupported' ? { allow: 'POST' } : {}),
    ...(unread ? { connection: 'close' } : {}),
  });
  if (unread) lingering(request, bytes).pipe(response);
  else response.end(request.method === 'HEAD' ? undefined : bytes);
}
