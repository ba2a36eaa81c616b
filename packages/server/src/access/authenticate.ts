import { TrustFault } from '@bulla/trust/fault/fault';
import type { Authenticate } from '../http/api/route.ts';
import type { Principal } from '../http/principal.ts';
import { sessionCookie } from './cookie.ts';
import { parseAuthorization } from './credentials.ts';
import type { AccessService } from './service.ts';

/** Nobody: the product API gives them what is public, and nothing else. */
const NOBODY: Principal = {
  kind: 'anonymous',
  id: 'anonymous',
  name: 'anonymous',
  permissions: new Set(),
  repositories: [],
};

/**
 * Who calls the product API: an API token as a Bearer, or else a session's cookie, which no other
 * door reads (semantics 20). A cookie that is over stands for nobody, so that its browser can sign
 * in; that a page of another origin does not use it is the API door's to see to. Throws
 * `access.credentials-invalid` for a token that does not hold, and `access.unauthenticated` for
 * another scheme or a token of the registry.
 */
export function createAuthenticate(access: AccessService): Authenticate {
  return async (request) => {
    const credentials = parseAuthorization(request.header('authorization'));
    if (credentials.kind === 'api-token' && credentials.scheme === 'bearer') {
      return (await access.ofToken(credentials.secret)).principal;
    }
    if (credentials.kind !== 'none') {
      throw new TrustFault(
        'access.unauthenticated',
        'expected an API token as Bearer, or a session',
      );
    }
    const cookie = sessionCookie(request);
    if (cookie === null) return NOBODY;
    return (await access.findSession(cookie))?.principal ?? NOBODY;
  };
}
