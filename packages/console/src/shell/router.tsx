import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
} from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { AccountPage } from '../pages/account/account-page.tsx';

import { ActivityPage } from '../pages/activity/activity-page.tsx';
import { DecisionPage } from '../pages/decisions/detail-page.tsx';
import { readFilters } from '../pages/decisions/filters.ts';
import { DecisionsPage } from '../pages/decisions/list-page.tsx';
import { ExceptionPage } from '../pages/exceptions/detail-page.tsx';
import { readFilters as readExceptionFilters } from '../pages/exceptions/filters.ts';
import { ExceptionsPage } from '../pages/exceptions/list-page.tsx';
import { NotFoundPage } from '../pages/not-found/not-found-page.tsx';
import { OverviewPage } from '../pages/overview/overview-page.tsx';
import { PolicyPage } from '../pages/policies/detail-page.tsx';
import { PoliciesPage } from '../pages/policies/list-page.tsx';
import { RecordPage } from '../pages/record/record-page.tsx';
import { RepositoryPage } from '../pages/repositories/detail-page.tsx';
import { RepositoriesPage } from '../pages/repositories/list-page.tsx';
import { SignInPage } from '../pages/sign-in/sign-in-page.tsx';
import { SimulationPage } from '../pages/simulations/detail-page.tsx';
import { SimulationsPage } from '../pages/simulations/list-page.tsx';
import { StreamPage } from '../pages/streams/detail-page.tsx';
import { StreamsPage } from '../pages/streams/list-page.tsx';
import { TokensPage } from '../pages/tokens/tokens-page.tsx';
import { UsersPage } from '../pages/users/users-page.tsx';
import { Problem } from '../parts/states.tsx';
import { Gate } from './gate.tsx';
import { parseSearch, stringifySearch } from './search.ts';

type Raw = Readonly<Record<string, unknown>>;

/** The named values of an address that are there as text. */
function texts<Name extends string>(...names: readonly Name[]) {
  return (search: Raw): { readonly [N in Name]?: string } => {
    const found: { [N in Name]?: string } = {};
    for (const name of names) {
      const value = search[name];
      if (typeof value === 'string' && value !== '') found[name] = value;
    }
    return found;
  };
}

const root = createRootRoute({ notFoundComponent: NotFoundPage, errorComponent: Failure });
const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: SignInPage,
  validateSearch: texts('to'),
});
const app = createRoute({ getParentRoute: () => root, id: 'app', component: Gate });
const pages = [
  createRoute({ getParentRoute: () => app, path: '/', component: OverviewPage }),
  createRoute({
    getParentRoute: () => app,
    path: '/decisions',
    component: DecisionsPage,
    validateSearch: readFilters,
  }),
  createRoute({ getParentRoute: () => app, path: '/decisions/$id', component: DecisionPage }),
  createRoute({
    getParentRoute: () => app,
    path: '/exceptions',
    component: ExceptionsPage,
    validateSearch: readExceptionFilters,
  }),
  createRoute({ getParentRoute: () => app, path: '/exceptions/$id', component: ExceptionPage }),
  createRoute({
    getParentRoute: () => app,
    // With the slash it is an index, which goes before the names below it.
    path: '/repositories/',
    component: RepositoriesPage,
    validateSearch: texts('cursor'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/repositories/$',
    component: RepositoryPage,
    validateSearch: texts('cursor', 'tag'),
  }),
  createRoute({ getParentRoute: () => app, path: '/policies', component: PoliciesPage }),
  createRoute({ getParentRoute: () => app, path: '/policies/$name', component: PolicyPage }),
  createRoute({
    getParentRoute: () => app,
    path: '/simulations',
    component: SimulationsPage,
    validateSearch: texts('before'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/simulations/$id',
    component: SimulationPage,
    validateSearch: texts('change', 'by'),
  }),
  createRoute({ getParentRoute: () => app, path: '/streams', component: StreamsPage }),
  createRoute({
    getParentRoute: () => app,
    path: '/streams/$name',
    component: StreamPage,
    validateSearch: texts('after'),
  }),
  createRoute({
    getParentRoute: () => app,
    path: '/record',
    component: RecordPage,
    validateSearch: texts('act', 'subject', 'before'),
  }),
  createRoute({ getParentRoute: () => app, path: '/users', component: UsersPage }),
  createRoute({ getParentRoute: () => app, path: '/tokens', component: TokensPage }),
  createRoute({ getParentRoute: () => app, path: '/account', component: AccountPage }),
  createRoute({
    getParentRoute: () => app,
    path: '/activity',
    component: ActivityPage,
    validateSearch: texts('before'),
  }),
] as const;

/** The pages by their addresses. `packages/server/src/console/routes.ts` lists the same paths. */
export const router = createRouter({
  routeTree: root.addChildren([signIn, app.addChildren(pages)]),
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
  // Repository names have colons in them, and addresses are read by people.
  pathParamsAllowedCharacters: [':', '@', '+'],
});

function Failure({ error, reset }: ErrorComponentProps): ReactElement {
  return (
    <main className="content">
      <Problem error={error} retry={reset} />
    </main>
  );
}

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
