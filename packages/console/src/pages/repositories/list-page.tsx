import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { repositoriesQuery } from '../../api/repositories.ts';
import { Answered } from '../../parts/answered.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';
import { DataTable } from '../../parts/table.tsx';
import { ImageName } from '../../parts/values.tsx';

/** The repositories that this server has or has fetched from. */
export function RepositoriesPage(): ReactElement {
  // The id of an index route is another in the router's types than in the router.
  const cursor = useSearch({ strict: false, select: (search) => search.cursor });
  const query = useQuery(repositoriesQuery(cursor));
  return (
    <Page title="Repositories" lead="Images that were pushed here or fetched through here.">
      <Answered query={query}>
        {(data) =>
          data.repositories.length === 0 && cursor === undefined ? (
            <Empty title="No repository is here yet">
              <p>
                Push an image, or pull one through a configured upstream. The{' '}
                <Link to="/">overview</Link> shows how each client is connected.
              </p>
            </Empty>
          ) : (
            <div className="results">
              <DataTable
                caption="Repositories by name"
                rows={data.repositories}
                rowKey={({ name }) => name}
                columns={[
                  {
                    title: 'Repository',
                    kind: 'main',
                    cell: ({ name }) => (
                      <Link className="image-link" to="/repositories/$" params={{ _splat: name }}>
                        <ImageName of={name} />
                      </Link>
                    ),
                  },
                ]}
              />
              {data.next === null ? null : (
                <nav className="pager" aria-label="Pages">
                  <span />
                  <Link to="/repositories" search={{ cursor: data.next }}>
                    More <Icon name="chevron" />
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
