import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type ActAnswer, actsQuery } from '../../api/acts.ts';
import { Answered } from '../../parts/answered.tsx';
import { Snippet } from '../../parts/copy.tsx';
import { KindLabel } from '../../parts/exception-label.tsx';
import { plainText, shortDigestsIn } from '../../parts/format.ts';
import { Label } from '../../parts/mark.tsx';
import { Page } from '../../parts/page.tsx';
import { Pager } from '../../parts/pager.tsx';
import { Empty } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago } from '../../parts/values.tsx';
import { roomOf } from './act-rooms.ts';

const route = getRouteApi('/app/record');

/** What people did that changes decisions: each is an entry of the record's chain. */
export function RecordPage(): ReactElement {
  const search = route.useSearch();
  const query = useQuery(actsQuery(search));
  const { before, ...narrowed } = search;
  const isNarrowed = Object.keys(narrowed).length > 0;
  return (
    <Page
      title="Record"
      lead="What people did that changes decisions. Each line is an entry of the record’s chain, between the decisions."
    >
      <Answered query={query} rows={8}>
        {(data) =>
          data.acts.length === 0 && data.next === null ? (
            <Empty title={isNarrowed ? 'No entry matches' : 'Nothing was done yet'}>
              <p>
                Exceptions, uses of break-glass, cut-overs of policies and what is done with dead
                letters appear here.
              </p>
              {isNarrowed ? <Link to="/record">The whole list</Link> : null}
            </Empty>
          ) : (
            <div className="stack">
              <div className="results">
                <DataTable
                  caption="What people did, the newest first"
                  columns={COLUMNS}
                  rows={data.acts}
                  rowKey={({ seq }) => String(seq)}
                />
                <Pager
                  before={before}
                  next={data.next}
                  none="No older entries"
                  link={(page, text) => (
                    <Link to="/record" search={{ ...narrowed, ...page }}>
                      {text}
                    </Link>
                  )}
                />
              </div>
              <details className="raw">
                <summary>How to prove that nothing was taken away</summary>
                <Snippet
                  caption="Checks every hash, number and signed head; a token that reads the record is in BULLA_TOKEN"
                  text={`bulla record verify --server ${location.origin}`}
                  what="command"
                />
              </details>
            </div>
          )
        }
      </Answered>
    </Page>
  );
}

const COLUMNS: readonly Column<ActAnswer>[] = [
  {
    title: 'What',
    kind: 'main',
    cell: ({ act, subject, says }) => (
      <>
        {shortDigestsIn(plainText(says))}
        <span className="sub">
          <Subject act={act} subject={subject} />
        </span>
      </>
    ),
  },
  {
    title: 'Act',
    cell: ({ act }) => (
      <>
        <Room act={act} />
        <span className="sub dim">{act.slice(act.indexOf('.') + 1)}</span>
      </>
    ),
  },
  { title: 'By', kind: 'name', cell: ({ actor }) => actor.name },
  { title: 'When', cell: ({ at }) => <Ago at={at} /> },
  { title: 'Entry', kind: 'number', cell: ({ seq }) => seq },
];

/** What the act was done to, where the console has a page of it. */
function Subject(props: { readonly act: string; readonly subject: string }): ReactElement | null {
  const { act, subject } = props;
  switch (roomOf(act)) {
    case 'exception':
    case 'break-glass':
      return (
        <Link to="/exceptions/$id" params={{ id: subject }}>
          See the exception
        </Link>
      );
    case 'rollout':
    case 'policy':
      return (
        <Link to="/policies/$name" params={{ name: subject }}>
          See the policy
        </Link>
      );
    case 'stream':
      return (
        <Link to="/streams/$name" params={{ name: subject }}>
          See the stream
        </Link>
      );
    default:
      return null;
  }
}

function Room({ act }: { readonly act: string }): ReactElement {
  const room = roomOf(act);
  if (room === 'exception' || room === 'break-glass') return <KindLabel kind={room} />;
  return <Label tone="info">{room}</Label>;
}
