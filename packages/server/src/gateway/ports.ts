import type { Digest } from '@bulla/trust/oci/digest';
import type { Rollback } from '@bulla/trust/policy/evaluate/rollback';
import type { Decide } from '../decision/ask.ts';
import type { RequestFacts } from '../decision/made.ts';
import type { HttpRequest } from '../http/exchange.ts';
import type { Principal, RegistryAction, RegistryNeed } from '../http/principal.ts';

/** What a route asks of its caller; repositories are named as they were asked for. */
export type AccessNeed = RegistryNeed;

/** Who may do what. */
export interface GatewayAccess {
  /**
   * Who asks, if they may do what the route needs. Throws a fault of status 401 where better
   * credentials might help and 403 where they would not, alike whether the repository is there or
   * not.
   */
  authorize(request: HttpRequest, need: AccessNeed): Promise<Principal>;
  /** Whether somebody whose credentials were checked may do more than the route needed. */
  may(principal: Principal, repository: string, action: RegistryAction): boolean;
  /** The value of `WWW-Authenticate` beside a 401; null for none. */
  challenge(request: HttpRequest, need: AccessNeed): string | null;
}

/** Whether what is pulled is verified before. */
export type Verification =
  | { readonly kind: 'open' }
  | {
      readonly kind: 'policies';
      readonly decide: Decide;
      /** A push is acknowledged when this has resolved: its own refusal must not outlive it. */
      readonly forgetRefusals: (repository: string) => Promise<void> | void;
      readonly noteSignRead: NoteSignRead;
    };

/** A read of an image manifest without a decision, by somebody with the scope `sign`. */
export interface SignRead {
  readonly actor: Principal;
  readonly request: RequestFacts;
  /** Canonical `registry/repository`. */
  readonly repository: string;
  readonly tag: string | null;
  readonly digest: Digest;
  readonly at: Date;
}

/** Keeps a sign read; the manifest is served when it resolves (semantics 15). */
export type NoteSignRead = (read: SignRead) => Promise<void>;

/** A digest to which a tag led, and when that was seen first and last; `lastSeen` is coarse. */
export interface TagSighting {
  readonly digest: Digest;
  readonly firstSeen: Date;
  readonly lastSeen: Date;
}

/** What tags led to over time (rollback memory). Repositories are canonical. */
export interface TagHistory {
  /**
   * Notes what a tag leads to, and tells whether that is an older digest come back. A sighting of
   * the same digest within some seconds may be answered from memory.
   */
  seen(repository: string, tag: string, digest: Digest, at: Date): Promise<Rollback | null>;
  /** The digests that the tag led to, newest first; of very many, the newest. */
  history(repository: string, tag: string): Promise<readonly TagSighting[]>;
}

/** What the gateway takes from the rooms beside it. */
export interface GatewayPorts {
  readonly access: GatewayAccess;
  readonly verification: Verification;
  readonly history: TagHistory;
}

const EVERYBODY: Principal = {
  kind: 'anonymous',
  id: 'anonymous',
  name: 'anonymous',
  permissions: new Set(),
  repositories: [{ repository: '**', actions: ['pull', 'push', 'delete'] }],
};

/** Whoever reaches the port may pull, push and delete; for a registry of one's own, and for tests. */
export const OPEN_ACCESS: GatewayAccess = {
  authorize: async () => EVERYBODY,
  may: (_principal, _repository, action) => action !== 'sign',
  challenge: () => null,
};

/** Nothing is remembered, so nothing is found to have come back. */
export const NO_HISTORY: TagHistory = {
  seen: async () => null,
  history: async () => [],
};

/** No access control, no verification, no memory: a plain registry, asked for as such. */
export const OPEN_PORTS: GatewayPorts = {
  access: OPEN_ACCESS,
  verification: { kind: 'open' },
  history: NO_HISTORY,
};
