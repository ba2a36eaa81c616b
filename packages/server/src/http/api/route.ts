import type { TSchema } from 'typebox';
import type { HttpReply, HttpRequest } from '../exchange.ts';
import type { Permission, Principal } from '../principal.ts';

/** A call of the product API: who calls, and what was asked, checked against the route's schemas. */
export interface ApiCall {
  readonly principal: Principal;
  readonly request: HttpRequest;
  readonly params: Readonly<Record<string, string>>;
  /** Checked by `query`; still text. */
  readonly query: Readonly<Record<string, string>>;
  /** Checked by `body`; undefined when the route takes none. */
  readonly body: unknown;
}

/**
 * One route of the product API, below `/api/bulla/v1`. Every route says what it needs; there is no
 * default but refusal. The OpenAPI document is made from these.
 */
export interface ApiRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/decisions/:id`; a parameter is one segment. */
  readonly path: `/${string}`;
  /** A permission; `signed-in`: any session or token; `public`: the sign-in itself and the like. */
  readonly needs: Permission | 'signed-in' | 'public';
  readonly summary: string;
  /** An object schema of text values. */
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** The answer's schema, for OpenAPI and for tests; undefined for a stream or no content. */
  readonly answer?: TSchema;
  /** A plain value is answered as JSON with 200; null as 204; an `HttpReply` as it is. */
  handle(call: ApiCall): Promise<object | null | { readonly reply: HttpReply }>;
}

/** Who makes a request. Throws `access.*` when credentials were given and are wrong. */
export type Authenticate = (request: HttpRequest) => Promise<Principal>;
