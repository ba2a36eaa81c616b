import { answerAs, problemOf } from './parse.ts';
import { ApiProblem } from './problem.ts';

const BASE = '/api/bulla/v1';
const DEADLINE_MS = 20_000;

/** Values of a query; those that are undefined or empty are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** A path of the product API with its query. */
export function apiPath(path: `/${string}`, query: Query = {}): `/${string}` {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Reads an answer. Throws `ApiProblem` for a refusal, and for no answer by the deadline. */
export function read<T>(
  path: `/${string}`,
  signal?: AbortSignal,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  return exchange<T>('GET', path, { deadlineMs, signal });
}

/** Asks for a change. Throws as `read` does; a change is never tried twice. */
export function change<T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: `/${string}`,
  body?: object,
  deadlineMs = DEADLINE_MS,
): Promise<T> {
  return exchange<T>(method, path, { deadlineMs, body });
}

interface Exchange {
  readonly deadlineMs: number;
  readonly body?: object | undefined;
  readonly signal?: AbortSignal | undefined;
}

async function exchange<T>(
  method: string,
  path: string,
  { deadlineMs, body, signal }: Exchange,
): Promise<T> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const init: RequestInit = {
    method,
    credentials: 'same-origin',
    redirect: 'error',
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  };
  const response = await answered(fetch(`${BASE}${path}`, init), deadlineMs, signal);
  const value = response.status === 204 ? null : await answered(json(response), deadlineMs, signal);
  if (!response.ok) throw problemOf(response.status, value);
  return answerAs<T>(value);
}

async function json(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!/\bjson\b/.test(response.headers.get('content-type') ?? '')) return text;
  return text === '' ? null : JSON.parse(text);
}

/** A failure of the network as a problem; a request that its page gave up stays what it is. */
async function answered<T>(work: Promise<T>, deadlineMs: number, signal?: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const late = error instanceof DOMException && error.name === 'TimeoutError';
    throw new ApiProblem(
      0,
      'console.no-answer',
      late
        ? `The server gave no answer in ${deadlineMs / 1000} seconds.`
        : 'The server cannot be reached.',
      'Check that it is running and that this page was opened at its address, then try again.',
    );
  }
}
