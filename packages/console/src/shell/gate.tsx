import { useQuery } from '@tanstack/react-query';
import { Navigate, useLocation } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { sessionQuery } from '../api/access.ts';
import { SessionProvider } from '../parts/session.tsx';
import { Problem } from '../parts/states.tsx';
import { Layout } from './layout.tsx';

/** Lets in whoever is signed in, and leads everybody else to the sign-in and back again. */
export function Gate(): ReactElement | null {
  const { data, error, refetch } = useQuery(sessionQuery());
  const to = useLocation({ select: ({ href }) => href });
  if (data?.user !== undefined) {
    return (
      <SessionProvider session={{ ...data, user: data.user }}>
        <Layout />
      </SessionProvider>
    );
  }
  if (data !== undefined) {
    return <Navigate to="/sign-in" search={to === '/' ? {} : { to }} replace />;
  }
  if (error === null) return null;
  return (
    <main className="content">
      <Problem error={error} retry={() => void refetch()} />
    </main>
  );
}
