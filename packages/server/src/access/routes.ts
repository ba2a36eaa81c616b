import type { ApiCall, ApiRoute } from '../http/api/route.ts';
import type { HttpReply } from '../http/exchange.ts';
import { accountRoutes } from './account-routes.ts';
import { userAnswer } from './answers.ts';
import { clearSessionCookie, sessionCookie, setSessionCookie } from './cookie.ts';
import { checked, LinkBody, PasswordBody, SessionAnswer, SignInBody } from './schemas.ts';
import type { AccessService } from './service.ts';
import type { StartedSession } from './sessions.ts';

interface Reply {
  readonly reply: HttpReply;
}

/** Every route of access in the product API: sessions, users, tokens, activity. */
export function accessRoutes(access: AccessService, clock: () => Date): readonly ApiRoute[] {
  return [...sessionRoutes(access, clock), ...accountRoutes(access)];
}

function sessionRoutes(access: AccessService, clock: () => Date): readonly ApiRoute[] {
  return [
    {
      method: 'GET',
      path: '/session',
      needs: 'public',
      summary: 'Who calls, and what they may do',
      answer: SessionAnswer,
      handle: (call) => currentSession(access, call),
    },
    {
      method: 'POST',
      path: '/session',
      needs: 'public',
      summary: 'Sign in by name and password',
      body: SignInBody,
      answer: SessionAnswer,
      async handle({ body, request }): Promise<Reply> {
        const asked = checked(SignInBody, body);
        const started = await access.signIn({ ...asked, address: request.remoteAddress });
        return { reply: signedIn(started, clock()) };
      },
    },
    {
      method: 'POST',
      path: '/session/link',
      needs: 'public',
      summary: 'Sign in by a one-time link, and set password and, for the first owner, name',
      body: LinkBody,
      answer: SessionAnswer,
      async handle({ body }): Promise<Reply> {
        const started = await access.useLink(checked(LinkBody, body));
        return { reply: signedIn(started, clock()) };
      },
    },
    {
      method: 'DELETE',
      path: '/session',
      needs: 'public',
      summary: 'Sign out',
      async handle({ request }) {
        const secret = sessionCookie(request);
        if (secret !== null) await access.signOut(secret);
        return { reply: { status: 204, headers: { 'set-cookie': clearSessionCookie() } } };
      },
    },
    {
      method: 'PUT',
      path: '/session/password',
      needs: 'signed-in',
      summary: 'Change the own password; other sessions end',
      body: PasswordBody,
      async handle({ body, request }) {
        const { current, next } = checked(PasswordBody, body);
        const secret = sessionCookie(request) ?? '';
        await access.changePassword(secret, { current, next, address: request.remoteAddress });
        return null;
      },
    },
  ];
}

async function currentSession(
  access: AccessService,
  { principal, request }: ApiCall,
): Promise<object> {
  const { kind, name } = principal;
  const answer = {
    signedIn: kind !== 'anonymous',
    kind,
    name,
    permissions: [...principal.permissions],
  };
  const secret = kind === 'user' ? sessionCookie(request) : null;
  const session = secret === null ? null : await access.findSession(secret);
  if (session === null) return answer;
  return { ...answer, user: userAnswer(session.user), expires: session.expires.toISOString() };
}

/** The answer to a sign-in. The secret goes into the cookie, where no script reads it. */
function signedIn({ secret, user, principal, expires }: StartedSession, at: Date): HttpReply {
  const body = {
    signedIn: true,
    kind: 'user',
    name: user.name,
    permissions: [...principal.permissions],
    user: userAnswer(user),
    expires: expires.toISOString(),
  };
  const secondsLeft = (expires.getTime() - at.getTime()) / 1000;
  return {
    status: 200,
    headers: {
      'content-type': 'application/json',
      'set-cookie': setSessionCookie(secret, secondsLeft),
    },
    body: JSON.stringify(body),
  };
}
