import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import {
  type ExceptionAnswer,
  type ExceptionsAnswer,
  exceptionsQuery,
} from '../../api/exceptions.ts';
import { Answered } from '../../parts/answered.tsx';
import { Snippet } from '../../parts/copy.tsx';
import { KindLabel, ReviewLabel, StateLabel } from '../../parts/exception-label.tsx';
import { countText, plainText, plural } from '../../parts/format.ts';
import { Page } from '../../parts/page.tsx';
import { Pager } from '../../parts/pager.tsx';
import { Empty } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago, DigestText, ImageName, Remaining } from '../../parts/values.tsx';
import { glassCommands, requestCommands } from './commands.ts';
import { FilterForm } from './filter-form.tsx';
import { countFilters, type ExceptionsSearch, readFilters } from './filters.ts';

const route = getRouteApi('/app/exceptions');

/** Exceptions and uses of break-glass, the newest request first. */
export function ExceptionsPage(): ReactElement {
  // The router keeps what its check leaves out, so the check is made here as well.
  const search = route.useSearch({ select: readFilters });
  const { before, ...narrowed } = search;
  const navigate = route.useNavigate();
  const query = useQuery(exceptionsQuery(search));
  const counts = query.data?.counts;
  const go = (next: ExceptionsSearch) => void navigate({ search: next });
  return (
    <Page title="Exceptions" lead={counts === undefined ? '\u00a0' : countsText(counts)}>
      {query.error === null ? <FilterForm search={search} onChange={go} /> : null}
      <Answered query={query} rows={6}>
        {(data) =>
          data.exceptions.length === 0 ? (
            <NothingFound search={search} onChange={go} />
          ) : (
            <div className="stack">
              <div aria-busy={query.isPlaceholderData} className="results">
                <DataTable
                  caption="Exceptions, the newest request first"
                  columns={COLUMNS}
                  rows={data.exceptions}
                  rowKey={({ id }) => id}
                />
                <Pager
                  before={before}
                  next={data.next}
                  none="No older ones"
                  link={(page, text) => (
                    <Link to="/exceptions" search={{ ...narrowed, ...page }}>
                      {text}
                    </Link>
                  )}
                />
              </div>
              <How />
            </div>
          )
        }
      </Answered>
    </Page>
  );
}

function countsText({
  inForce,
  breakGlassInForce,
  openReviews,
}: ExceptionsAnswer['counts']): string {
  const glass = breakGlassInForce === 0 ? '' : `, ${countText(breakGlassInForce)} by break-glass`;
  const reviews = openReviews === 0 ? 'no review is open' : `${plural(openReviews, 'open review')}`;
  return `${countText(inForce)} in force${glass}; ${reviews}.`;
}

const COLUMNS: readonly Column<ExceptionAnswer>[] = [
  {
    title: 'Exception',
    kind: 'main',
    cell: ({ id, name, reason }) => (
      <>
        <Link className="image-link" to="/exceptions/$id" params={{ id }}>
          {name}
        </Link>
        <span className="sub dim">{plainText(reason)}</span>
      </>
    ),
  },
  {
    title: 'State',
    cell: ({ kind, state, review }) => (
      <span className="words">
        <KindLabel kind={kind} />
        <StateLabel state={state} />
        <ReviewLabel review={review} />
      </span>
    ),
  },
  {
    title: 'For',
    cell: ({ repository, digest, policies }) => (
      <>
        <span className="mono">
          <ImageName of={repository} />
        </span>
        <span className="sub">
          {digest === null ? 'all of the repository' : <DigestText of={digest} copy={false} />}
        </span>
        <span className="sub dim">{policies.join(', ')}</span>
      </>
    ),
  },
  { title: 'Asked by', kind: 'name', cell: ({ requester }) => requester.identity },
  {
    title: 'Until',
    cell: ({ state, expires }) =>
      state === 'revoked' ? (
        <span className="dim">ended</span>
      ) : state === 'expired' ? (
        <Ago at={expires} />
      ) : (
        <Remaining until={expires} over="expired" />
      ),
  },
  { title: 'Uses', kind: 'number', cell: ({ uses }) => countText(uses) },
];

function NothingFound(props: {
  readonly search: ExceptionsSearch;
  readonly onChange: (search: ExceptionsSearch) => void;
}): ReactElement {
  if (countFilters(props.search) > 0) {
    return (
      <Empty title="No exception matches these filters">
        <p>Take a filter away.</p>
        <Button variant="default" onClick={() => props.onChange({})}>
          Clear all filters
        </Button>
      </Empty>
    );
  }
  return (
    <Empty title="Nobody asked for an exception yet">
      <p>
        An exception lets one image through named clauses of a policy until it expires. It needs the
        signatures of two people, so it is made where their keys are.
      </p>
      <Snippet {...snippet(requestCommands(location.origin))} />
    </Empty>
  );
}

function How(): ReactElement {
  return (
    <details className="raw">
      <summary>How to ask for one, and what to do in an emergency</summary>
      <div className="stack">
        <Snippet {...snippet(requestCommands(location.origin))} />
        <Snippet {...snippet(glassCommands(location.origin))} />
      </div>
    </details>
  );
}

function snippet({ caption, text }: { readonly caption: string; readonly text: string }) {
  return { caption, text, what: `commands: ${caption}` };
}
