import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { Page } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';

/** What stands at an address that no page has. */
export function NotFoundPage(): ReactElement {
  return (
    <Page title="There is no such page">
      <Empty title="The address leads nowhere">
        <p>It may be mistyped, or of another version of Bulla.</p>
        <Link to="/">Overview</Link>
      </Empty>
    </Page>
  );
}
