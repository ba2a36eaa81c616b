import { createTheme, MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { type ReactElement, StrictMode } from 'react';
import { ApiProblem, isSignedOut } from '../api/problem.ts';
import { router } from './router.tsx';
import './mantine.css';
import './theme.css';

// Colours stand in theme.css; here is only what decides which of them a component takes.
const theme = createTheme({
  primaryColor: 'clay',
  colors: {
    clay: ['', '', '', '', '', '', '', '', '', ''],
  },
  respectReducedMotion: true,
  cursorType: 'pointer',
});

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal is an answer; only what got none is asked again.
      retry: (count, error) => error instanceof ApiProblem && error.status === 0 && count < 2,
      staleTime: 2000,
    },
  },
  queryCache: new QueryCache({
    onError: (error, query) => {
      // The session ended meanwhile: whoever asks for it again learns it, and shows the sign-in.
      if (isSignedOut(error) && query.queryKey[0] !== 'session') {
        void client.resetQueries({ queryKey: ['session'] });
      }
    },
  }),
});

/** The console. Neither the theme nor a component writes a style element into the page. */
export function App(): ReactElement {
  return (
    <StrictMode>
      <MantineProvider
        theme={theme}
        defaultColorScheme="auto"
        withCssVariables={false}
        withGlobalClasses={false}
      >
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>
  );
}
