import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type ActivityEntry, activityQuery } from '../../api/access.ts';
import { Answered } from '../../parts/answered.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago } from '../../parts/values.tsx';
import { actionText, changesOf, entityName } from './changes.ts';

const route = getRouteApi('/app/activity');

/** Who changed users and tokens, and how. */
export function ActivityPage(): ReactElement {
  const search = route.useSearch();
  const query = useQuery(activityQuery(search.before));
  return (
    <Page title="Activity" lead="Who changed users, roles, passwords and tokens.">
      <Answered query={query} rows={8}>
        {(data) =>
          data.activity.length === 0 ? (
            <Empty
              title={search.before === undefined ? 'Nothing was changed yet' : 'No older changes'}
            >
              <p>Every change of a user, a role, a password or a token appears here.</p>
            </Empty>
          ) : (
            <div className="results">
              <DataTable
                caption="Changes, the newest first"
                columns={COLUMNS}
                rows={data.activity}
                rowKey={({ id }) => id}
              />
              {data.next === null ? null : (
                <nav className="pager" aria-label="Pages">
                  <span />
                  <Link to="/activity" search={{ before: data.next }}>
                    Older <Icon name="chevron" />
                  </Link>
                </nav>
              )}
            </div>
          )
        }
      </Answered>
    </Page>
  );
}

const COLUMNS: readonly Column<ActivityEntry>[] = [
  {
    title: 'What',
    kind: 'main',
    cell: (entry) => (
      <>
        {actionText(entry.action)} <strong>{entityName(entry)}</strong>
      </>
    ),
  },
  { title: 'By', cell: ({ actor }) => actor.name },
  {
    title: 'Changes',
    cell: (entry) => {
      const changes = changesOf(entry.before, entry.after);
      return changes.length === 0 ? (
        ''
      ) : (
        <ul className="plain-list">
          {changes.map((change) => (
            <li key={change}>{change}</li>
          ))}
        </ul>
      );
    },
  },
  { title: 'When', cell: ({ at }) => <Ago at={at} /> },
];
