import type { HttpRequest } from '../http/exchange.ts';

/**
 * The one name of the session's cookie, on TLS and on plain loopback alike: browsers that count
 * loopback as trustworthy (Chromium, Firefox) take a Secure `__Host-` cookie there, and the others
 * have the TLS listener. There is no second name without the prefix that could be set from outside.
 */
export const SESSION_COOKIE = '__Host-bulla-session';

const ATTRIBUTES = 'Secure; HttpOnly; SameSite=Strict; Path=/';

/** The header that gives a browser its session. `secondsLeft` is from now. */
export function setSessionCookie(secret: string, secondsLeft: number): string {
  return `${SESSION_COOKIE}=${secret}; ${ATTRIBUTES}; Max-Age=${Math.max(0, Math.floor(secondsLeft))}`;
}

/** The header that takes it away. */
export function clearSessionCookie(): string {
  return `${SESSION_COOKIE}=; ${ATTRIBUTES}; Max-Age=0`;
}

/** The session's cookie of a request, or null; two of them are none, for one is not ours. */
export function sessionCookie(request: HttpRequest): string | null {
  const values = (request.header('cookie') ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${SESSION_COOKIE}=`))
    .map((pair) => pair.slice(SESSION_COOKIE.length + 1));
  const [value = ''] = values;
  return values.length === 1 && value !== '' ? value : null;
}
