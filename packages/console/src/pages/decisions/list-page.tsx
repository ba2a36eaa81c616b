import { Button, Switch } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactElement, useEffect, useRef, useState } from 'react';
import { type DecisionSummary, decisionsQuery } from '../../api/decisions.ts';
import { Answered } from '../../parts/answered.tsx';
import { KindLabel } from '../../parts/exception-label.tsx';
import { plural, shortReference } from '../../parts/format.ts';
import { Mark } from '../../parts/mark.tsx';
import { Page } from '../../parts/page.tsx';
import { Pager } from '../../parts/pager.tsx';
import { Empty } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago, DigestText, ImageName } from '../../parts/values.tsx';
import { FilterForm } from './filter-form.tsx';
import { askOf, countFilters, type DecisionsSearch, isLive, readFilters } from './filters.ts';

const route = getRouteApi('/app/decisions');

/** The decisions of every door, the newest first. What is looked for stands in the address. */
export function DecisionsPage(): ReactElement {
  // The router keeps what its check leaves out, so the check is made here as well.
  const search = route.useSearch({ select: readFilters });
  const { before, ...narrowed } = search;
  const navigate = route.useNavigate();
  const live = isLive(search);
  const query = useQuery(decisionsQuery(askOf(search), live));
  const fresh = useFresh(query.data?.decisions);
  const go = (next: DecisionsSearch) => void navigate({ search: next });
  return (
    <Page
      title="Decisions"
      lead="What each door answered, and why."
      acts={
        <Switch
          label="Live"
          withThumbIndicator={false}
          checked={live}
          disabled={search.before !== undefined || search.to !== undefined}
          onChange={({ currentTarget }) => {
            const { live: _, ...rest } = search;
            go(currentTarget.checked ? rest : { ...rest, live: 'off' });
          }}
        />
      }
    >
      <FilterForm search={search} onChange={go} />
      <Answered query={query} rows={10}>
        {(data) =>
          data.decisions.length === 0 ? (
            <NothingFound search={search} next={data.next} onChange={go} />
          ) : (
            <div aria-busy={query.isPlaceholderData} className="results">
              <p className="for-readers" role="status">
                {fresh.size === 0 ? '' : plural(fresh.size, 'new decision')}
              </p>
              <DataTable
                caption="Decisions, the newest first"
                columns={COLUMNS}
                rows={data.decisions}
                rowKey={keyOf}
                fresh={fresh}
              />
              <Pager
                before={before}
                next={data.next}
                none="No older decisions"
                link={(page, text) => (
                  <Link to="/decisions" search={{ ...narrowed, ...page }}>
                    {text}
                  </Link>
                )}
              />
            </div>
          )
        }
      </Answered>
    </Page>
  );
}

const COLUMNS: readonly Column<DecisionSummary>[] = [
  {
    title: 'Outcome',
    cell: ({ outcome, effect, exceptions }) => (
      <span className="words">
        <Mark of={outcome === 'deny' ? 'deny' : effect === 'pass' ? 'admit' : effect} />
        {kindsOf(exceptions).map((kind) => (
          <KindLabel key={kind} kind={kind} />
        ))}
      </span>
    ),
  },
  {
    title: 'Image',
    kind: 'main',
    cell: ({ id, reference, digest }) => (
      <>
        <Link className="image-link" to="/decisions/$id" params={{ id }}>
          <ImageName of={shortReference(reference)} />
        </Link>
        {digest === null || reference.includes('@') ? null : (
          <span className="sub">
            <DigestText of={digest} copy={false} />
          </span>
        )}
      </>
    ),
  },
  { title: 'Policy', cell: (decision) => policyText(decision) },
  { title: 'Reason', cell: ({ code }) => (code === null ? '' : <code>{code}</code>) },
  {
    title: 'Asked by',
    cell: ({ actor, surface }) => (
      <>
        {actor.name}
        <span className="sub dim">{surface}</span>
      </>
    ),
  },
  { title: 'When', cell: ({ at }) => <Ago at={at} /> },
];

/** A decision that is given again from the cache keeps its id, and is an entry of its own. */
function keyOf({ seq }: DecisionSummary): string {
  return String(seq);
}

/** What it stood on: exceptions, break-glass, or both; each said once. */
function kindsOf(exceptions: DecisionSummary['exceptions']): readonly string[] {
  return [...new Set(exceptions.map(({ kind }) => kind))];
}

/** Which policies made the answer what it is. What a right to sign let through was asked of none (semantics 15). */
function policyText({ policies, outcome, effect }: DecisionSummary): string {
  const decided = policies.filter((policy) => policy.effect === effect);
  if (decided.length > 0) return decided.map(({ name }) => name).join(', ');
  return outcome === 'admit' ? 'read to be signed' : 'none covers it';
}

function NothingFound(props: {
  readonly search: DecisionsSearch;
  readonly next: number | null;
  readonly onChange: (search: DecisionsSearch) => void;
}): ReactElement {
  const { search, next } = props;
  const filtered = countFilters(search) > 0;
  if (next !== null) {
    // The server looks through so many entries for one page, and no further.
    return (
      <Empty title="No decision matches these filters so far">
        <p>The newest entries of the record were looked through, and there are older ones.</p>
        <Link to="/decisions" search={{ ...search, before: String(next) }}>
          Look further back
        </Link>
      </Empty>
    );
  }
  return filtered ? (
    <Empty title="No decision matches these filters">
      <p>Widen the time or take a filter away.</p>
      <Button variant="default" onClick={() => props.onChange({})}>
        Clear all filters
      </Button>
    </Empty>
  ) : (
    <Empty title="No decision was taken yet">
      <p>
        Pull an image through this server, and what it answered appears here at once. The{' '}
        <Link to="/">overview</Link> shows how each client is connected.
      </p>
    </Empty>
  );
}

const NONE: ReadonlySet<string> = new Set();

/** Entries that a renewed list holds and the one before did not. */
function useFresh(decisions: readonly DecisionSummary[] | undefined): ReadonlySet<string> {
  const seen = useRef<ReadonlySet<string> | null>(null);
  const [fresh, setFresh] = useState(NONE);
  useEffect(() => {
    if (decisions === undefined) return;
    const keys = new Set(decisions.map(keyOf));
    // A list that shares nothing with the one before is another question's.
    const renewed = seen.current !== null && [...keys].some((key) => seen.current?.has(key));
    setFresh(renewed ? new Set([...keys].filter((key) => !seen.current?.has(key))) : NONE);
    seen.current = keys;
  }, [decisions]);
  return fresh;
}
