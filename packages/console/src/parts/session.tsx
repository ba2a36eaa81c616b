import { createContext, type ReactElement, type ReactNode, use } from 'react';
import type { Permission, SessionAnswer, UserAnswer } from '../api/access.ts';

/** A session of somebody. */
export type Session = SessionAnswer & { readonly user: UserAnswer };

const Context = createContext<Session | null>(null);

/** Hands the session to the pages below. */
export function SessionProvider(props: {
  readonly session: Session;
  readonly children: ReactNode;
}): ReactElement {
  return <Context value={props.session}>{props.children}</Context>;
}

/** The session. Called only below the provider, which all pages but the sign-in are. */
export function useSession(): Session {
  const session = use(Context);
  if (session === null) throw new Error('a page asks who is signed in before anybody is');
  return session;
}

/** Whether the signed-in user may do so; the server decides it again for itself. */
export function useMay(permission: Permission): boolean {
  return useSession().permissions.includes(permission);
}
