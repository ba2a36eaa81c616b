import { ApiProblem } from './problem.ts';

/**
 * An answer as the type that the server's own route gives it. The page and the API come from one
 * program on one origin, so its shape is not checked again here.
 */
export function answerAs<T>(value: unknown): T {
  return value as T;
}

/** A JSON text that the server wrote, or null for none. */
export function jsonValue(text: string | null): unknown {
  return text === null ? null : JSON.parse(text);
}

/** The problem that a refusal describes; also for a body that is none of the product API's. */
export function problemOf(status: number, body: unknown): ApiProblem {
  const text = (name: string): string | null => {
    const value: unknown =
      typeof body === 'object' && body !== null ? Reflect.get(body, name) : null;
    return typeof value === 'string' && value !== '' ? value : null;
  };
  return new ApiProblem(
    status,
    text('code') ?? `http.${status}`,
    text('message') ?? `The server answered with status ${status}.`,
    text('remedy'),
  );
}
