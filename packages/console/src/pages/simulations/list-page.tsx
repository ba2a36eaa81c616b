import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { type ReactElement, useState } from 'react';
import { type SummaryAnswer, simulationsQuery } from '../../api/simulations.ts';
import { Answered } from '../../parts/answered.tsx';
import { Snippet } from '../../parts/copy.tsx';
import { countText } from '../../parts/format.ts';
import { Icon } from '../../parts/icons.tsx';
import { Label } from '../../parts/mark.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago } from '../../parts/values.tsx';
import { AskForm } from './ask-form.tsx';
import { summaryText } from './words.ts';

const route = getRouteApi('/app/simulations');

/** Simulations and impacts that were asked for, the newest first. */
export function SimulationsPage(): ReactElement {
  const { before } = route.useSearch();
  const navigate = useNavigate();
  const query = useQuery(simulationsQuery(before));
  const [asking, setAsking] = useState(false);
  return (
    <Page
      title="Simulations"
      lead="What other policies, or a change of trust, would do to what was decided before. Nothing is changed by asking."
      acts={
        asking || query.error !== null ? undefined : (
          <Button size="xs" onClick={() => setAsking(true)}>
            Simulate
          </Button>
        )
      }
    >
      <div className="stack">
        {asking ? (
          <AskForm
            onDone={(id) => {
              setAsking(false);
              if (id !== null) void navigate({ to: '/simulations/$id', params: { id } });
            }}
          />
        ) : null}
        <Answered query={query} rows={4}>
          {(data) =>
            data.simulations.length === 0 ? (
              <Empty title={before === undefined ? 'Nothing was simulated yet' : 'No older ones'}>
                <p>
                  Try policies on the decisions of the last days before they are in force, here or
                  in a terminal:
                </p>
                <Snippet text={commands(location.origin)} what="commands" />
              </Empty>
            ) : (
              <div className="results">
                <DataTable
                  caption="Simulations and impacts, the newest first"
                  columns={COLUMNS}
                  rows={data.simulations}
                  rowKey={({ id }) => id}
                />
                {data.next === null ? null : (
                  <nav className="pager" aria-label="Pages">
                    <span />
                    <Link to="/simulations" search={{ before: data.next }}>
                      Older <Icon name="chevron" />
                    </Link>
                  </nav>
                )}
              </div>
            )
          }
        </Answered>
      </div>
    </Page>
  );
}

function commands(origin: string): string {
  return [
    `bulla policy simulate --policy new-policies --decisions 7d.. --server ${origin}`,
    `bulla policy impact --policy policies --retire-key release.pub --server ${origin}`,
  ].join('\n');
}

const COLUMNS: readonly Column<SummaryAnswer>[] = [
  {
    title: 'Asked',
    kind: 'main',
    cell: ({ id, asked }) => (
      <Link className="image-link" to="/simulations/$id" params={{ id }}>
        {asked}
      </Link>
    ),
  },
  {
    title: 'What',
    cell: ({ kind }) => (
      <Label tone="info">{kind === 'impact' ? 'change of trust' : 'other policies'}</Label>
    ),
  },
  { title: 'Came out', cell: summaryText },
  { title: 'Images', kind: 'number', cell: ({ totals }) => countText(totals.images) },
  { title: 'By', kind: 'name', cell: ({ by }) => by.name },
  { title: 'When', cell: ({ at }) => <Ago at={at} /> },
];
