import { createContext, type ReactElement, type ReactNode, use } from 'react';
import type { SessionAnswer } from '../api/access.ts';

/** One of the things that a signed-in user may be allowed to do. */
export type Permission = SessionAnswer['permissions'][number];

const Context = createContext<SessionAnswer | null>(null);

/** Hands the session to the pages below. */
export function SessionProvider(props: {
  readonly session: SessionAnswer;
  readonly children: ReactNode;
}): ReactElement {
  return <Context value={props.session}>{props.children}</Context>;
}

/** The session. Called only below the provider, which all pages but the sign-in are. */
export function useSession(): SessionAnswer {
  const session = use(Context);
  if (session === null) throw new Error('a page asks who is signed in before anybody is');
  return session;
}

/** Whether the signed-in user may do so; the server decides it again for itself. */
export function useMay(permission: Permission): boolean {
  return useSession().permissions.includes(permission);
}
