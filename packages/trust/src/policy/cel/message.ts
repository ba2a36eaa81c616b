import type { Code } from '../../fault/codes.ts';

/** What the runner asks of its worker: `variables` is null where only the expression is judged. */
export interface CelRequest {
  readonly expression: string;
  readonly variables: Readonly<Record<string, unknown>> | null;
}

/** The worker's answer: the value, or the code and the text of what went wrong. */
export type CelAnswer =
  | { readonly value: boolean }
  | { readonly code: Code; readonly message: string };

/** The first message of a worker: it has loaded and waits for requests. */
export const READY = 'ready';
