import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { type ReactElement, useEffect } from 'react';
import { sessionQuery } from '../api/access.ts';
import { SessionProvider } from '../parts/session.tsx';
import { Problem } from '../parts/states.tsx';
import { Layout } from './layout.tsx';

/** Lets in whoever is signed in, and leads everybody else to the sign-in and back again. */
export function Gate(): ReactElement | null {
  const { data, error, refetch } = useQuery(sessionQuery());
  if (data?.user !== undefined) {
    return (
      <SessionProvider session={{ ...data, user: data.user }}>
        <Layout />
      </SessionProvider>
    );
  }
  if (data !== undefined) return <ToSignIn />;
  if (error === null) return null;
  return (
    <main className="content">
      <Problem error={error} retry={() => void refetch()} />
    </main>
  );
}

function ToSignIn(): null {
  const router = useRouter();
  useEffect(() => {
    // Read once: while the page changes, the address is the sign-in's already.
    const { href } = router.latestLocation;
    if (href.startsWith('/sign-in')) return;
    void router.navigate({
      to: '/sign-in',
      search: href === '/' ? {} : { to: href },
      replace: true,
    });
  }, [router]);
  return null;
}
