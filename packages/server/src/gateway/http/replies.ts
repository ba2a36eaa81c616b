import type { Digest } from '@bulla/trust/oci/digest';
import type { HttpReply, HttpRequest } from '../../http/exchange.ts';
import type { RegistryAction } from '../../http/principal.ts';
import type { AccessNeed } from '../ports.ts';
import type { Caller } from '../pull.ts';

/** A request whose sender may make it. */
export interface Call {
  readonly request: HttpRequest;
  readonly caller: Caller;
}

/** One method of a target: what it needs of its caller, and what it does. */
export interface Route {
  readonly needs: AccessNeed;
  handle(call: Call): Promise<HttpReply>;
}

/** The routes of one target by method. Each says what it needs; there is no default but refusal. */
export type Routes = Readonly<Record<string, Route>>;

/** What a route needs that does something with a repository. */
export function needOf(repository: string, action: RegistryAction): AccessNeed {
  return { kind: 'repository', repository, action };
}

/** Docker's clients of old ask for it before they believe that this is a registry. */
export const API_VERSION = { 'docker-distribution-api-version': 'registry/2.0' } as const;

/** Headers of content that somebody uploaded: it never runs in this origin (semantics 20). */
export const STORED = { ...API_VERSION, 'content-security-policy': 'sandbox' } as const;

/** A reply of the registry's own JSON. */
export function json(status: number, value: unknown): HttpReply {
  return {
    status,
    headers: { ...API_VERSION, 'content-type': 'application/json' },
    body: JSON.stringify(value),
  };
}

/** 201 for content that can be pulled at `location` now. */
export function created(
  location: string,
  digest: Digest,
  more: Readonly<Record<string, string>> = {},
): HttpReply {
  return {
    status: 201,
    headers: { ...API_VERSION, location, 'docker-content-digest': digest, ...more },
  };
}
