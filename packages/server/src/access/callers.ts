import { openRecent } from '../bounds/recent.ts';
import type { HttpRequest } from '../http/exchange.ts';
import type { Principal } from '../http/principal.ts';
import { sessionCookie } from './cookie.ts';
import { parseAuthorization } from './credentials.ts';
import { secretHash } from './secrets.ts';

/** Users behind the credentials that were checked lately, for whoever counts requests. */
export interface Callers {
  /** Remembers whom a credential was found to stand for; null: it does not hold, and is forgotten. */
  note(secret: string, principal: Principal | null): void;
  /**
   * The id of the user behind a credential, without waiting; null: it was not checked lately, did
   * not hold, or stands for nobody. It grants nothing: what it may do is for its door to check.
   */
  of(secret: string): string | null;
}

interface Known {
  readonly user: string;
  readonly untilMs: number;
}

const LATELY_MS = 5 * 60_000;

/** Nobody known. At most `most` credentials are remembered, by their hashes; `now` never goes back. */
export function openCallers(most: number, now: () => number): Callers {
  const known = openRecent<Known>(most);
  return {
    note(secret, principal) {
      const hash = secretHash(secret);
      const user = principal?.user;
      if (user === undefined) known.delete(hash);
      else known.set(hash, { user, untilMs: now() + LATELY_MS });
    },
    of(secret) {
      const found = known.get(secretHash(secret));
      return found === undefined || found.untilMs <= now() ? null : found.user;
    },
  };
}

/**
 * The id of the user to count a request for, if its credential was checked lately; else null: what
 * only claims to be somebody is counted with its address. A cookie counts only where it is read
 * (`cookies`, semantics 20), and a password never: hashes of it are not kept for this.
 */
export function callerOf(
  { of }: Pick<Callers, 'of'>,
  request: HttpRequest,
  cookies: boolean,
): string | null {
  const credentials = parseAuthorization(request.header('authorization'));
  switch (credentials.kind) {
    case 'none': {
      const cookie = cookies ? sessionCookie(request) : null;
      return cookie === null ? null : of(cookie);
    }
    case 'api-token':
      return of(credentials.secret);
    case 'bearer':
      return of(credentials.token);
    case 'basic':
    case 'unreadable':
      return null;
    default:
      return credentials satisfies never;
  }
}
