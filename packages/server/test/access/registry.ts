import { codeEntry } from '@bulla/trust/fault/codes';
import { asFault } from '@bulla/trust/fault/fault';
import { createRegistryAccess } from '../../src/access/authorize.ts';
import { tokenDoor } from '../../src/access/token-door.ts';
import type { Door, HttpRequest } from '../../src/http/exchange.ts';
import type { RegistryAction, RegistryNeed } from '../../src/http/principal.ts';
import { type HttpServer, listen } from '../../src/http/server.ts';
import { type RequestOptions, request, type Setting } from './setting.ts';

/** What a request below `/v2` needs, for `manifests/` alone. */
function needOf({ method, segments }: HttpRequest): RegistryNeed {
  const at = segments.indexOf('manifests');
  if (segments[0] === '_catalog') return { kind: 'catalog' };
  if (at === -1) return { kind: 'base' };
  const action = method === 'PUT' ? 'push' : method === 'DELETE' ? 'delete' : 'pull';
  return { kind: 'repository', repository: segments.slice(0, at).join('/'), action };
}

/** A door that only says who was let in, or why not: the registry without its content. */
export function guardedDoor({ access }: Setting): Door {
  const registry = createRegistryAccess(access);
  return {
    prefix: '/v2',
    async handle(request) {
      const need = needOf(request);
      try {
        const principal = await registry.authorize(request, need);
        return { status: 200, body: `${principal.kind} ${principal.name}` };
      } catch (error) {
        const fault = asFault(error);
        const { status } = codeEntry(fault.code);
        if (status !== 401)
          return { status, body: JSON.stringify({ errors: [{ code: 'DENIED' }] }) };
        const challenge = registry.challenge(request, need);
        return { status, headers: { 'www-authenticate': challenge }, body: fault.code };
      }
    },
    refuse: (fault) => ({ status: codeEntry(asFault(fault).code).status, body: fault.message }),
  };
}

/** A registry's front on loopback: the guard and the token door. */
export function startRegistry(setting: Setting): Promise<HttpServer> {
  return listen([guardedDoor(setting), tokenDoor(setting.access)]);
}

/** A server's address. */
export function urlOf({ host, port }: HttpServer): string {
  return `http://${host}:${port}`;
}

/** The scope that a challenge asks for, and its error, and how to fetch the token. */
export function parseChallenge(header: string | null): ReadonlyMap<string, string> {
  const [scheme, rest = ''] = (header ?? '').split(/ (.*)/s);
  const pairs = [...rest.matchAll(/([a-z]+)="([^"]*)"/g)].map(
    ([, name = '', value = '']) => [name, value] as const,
  );
  return new Map([['scheme', scheme ?? ''], ...pairs]);
}

export const BASE: RegistryNeed = { kind: 'base' };
export const CATALOG: RegistryNeed = { kind: 'catalog' };
export const UNAUTHENTICATED = { code: 'access.unauthenticated' };
export const DENIED = { code: 'access.denied' };

export function need(action: RegistryAction, repository = 'app'): RegistryNeed {
  return { kind: 'repository', repository, action };
}

export function bearer(
  token: string,
  rest: Pick<RequestOptions, 'remoteAddress' | 'listener' | 'host' | 'secure'> = {},
): HttpRequest {
  return request({ ...rest, headers: { authorization: `Bearer ${token}` } });
}

/** Somebody else's machine, on a listener that is for all. */
export const REMOTE = {
  remoteAddress: '198.51.100.7',
  listener: 'https://192.0.2.1:5443',
  host: 'registry.example',
  secure: true,
} as const;
