import { useMantineColorScheme } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { type ReactElement, useEffect, useState } from 'react';
import { type Permission, signOut } from '../api/access.ts';
import { Icon, type IconName, Seal } from '../parts/icons.tsx';
import { useSession } from '../parts/session.tsx';
import { GlassBanner } from './glass-banner.tsx';
import './layout.css';

const MENU = [
  { to: '/', title: 'Overview', icon: 'overview', needs: 'overview.read' },
  { to: '/decisions', title: 'Decisions', icon: 'decisions', needs: 'decisions.read' },
  { to: '/exceptions', title: 'Exceptions', icon: 'exceptions', needs: 'exceptions.read' },
  { to: '/repositories', title: 'Repositories', icon: 'repositories', needs: 'repositories.read' },
  { to: '/policies', title: 'Policies', icon: 'policies', needs: 'policies.read' },
  {
    to: '/simulations',
    title: 'Simulations',
    icon: 'simulations',
    needs: 'policies.simulate',
  },
  { to: '/streams', title: 'Streams', icon: 'streams', needs: 'record.read' },
  { to: '/record', title: 'Record', icon: 'record', needs: 'decisions.read' },
  { to: '/users', title: 'Users', icon: 'users', needs: 'users.read' },
  { to: '/tokens', title: 'Tokens', icon: 'key', needs: 'tokens.own' },
  { to: '/activity', title: 'Activity', icon: 'activity', needs: 'users.read' },
] as const satisfies readonly {
  readonly to: string;
  readonly title: string;
  readonly icon: IconName;
  readonly needs: Permission;
}[];

/** The frame of every page but the sign-in: navigation at the side, on a phone behind a button. */
export function Layout(): ReactElement {
  const [open, setOpen] = useState(false);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of page closes the menu
  useEffect(() => setOpen(false), [path]);
  return (
    <div className="frame">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="side" data-open={open}>
        <div className="side-head">
          <Link className="brand" to="/">
            <Seal /> Bulla
          </Link>
          <button
            type="button"
            className="quiet menu-button"
            aria-expanded={open}
            aria-controls="menu"
            onClick={() => setOpen(!open)}
          >
            <Icon name={open ? 'cross' : 'menu'} /> Menu
          </button>
        </div>
        <div className="side-body" id="menu">
          <Menu />
          <Account />
        </div>
      </header>
      <main className="content" id="content" tabIndex={-1}>
        <GlassBanner />
        <Outlet />
      </main>
    </div>
  );
}

function Menu(): ReactElement {
  const { permissions } = useSession();
  return (
    <nav aria-label="Main">
      <ul className="menu">
        {MENU.filter(({ needs }) => permissions.includes(needs)).map(({ to, title, icon }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
              <Icon name={icon} /> {title}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Account(): ReactElement {
  const { user } = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    await signOut();
    await navigate({ to: '/sign-in' });
    client.clear();
  };
  return (
    <div className="account">
      <Link to="/account" className="account-name">
        <span className="for-readers">Account: </span>
        {user.name}
        <span className="sub dim">{user.role}</span>
      </Link>
      <div className="account-acts">
        <button type="button" className="quiet" onClick={() => void leave()}>
          <Icon name="leave" /> Sign out
        </button>
        <SchemeButton />
      </div>
    </div>
  );
}

function SchemeButton(): ReactElement {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const dark =
    colorScheme === 'dark' ||
    (colorScheme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  return (
    <button
      type="button"
      className="quiet"
      aria-label={dark ? 'Light colours' : 'Dark colours'}
      onClick={() => setColorScheme(dark ? 'light' : 'dark')}
    >
      <Icon name={dark ? 'sun' : 'moon'} />
    </button>
  );
}
