import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type DecisionSummary, decisionsQuery } from '../../api/decisions.ts';
import type { ExceptionAnswer } from '../../api/exceptions.ts';
import { plural, shortReference } from '../../parts/format.ts';
import { Mark } from '../../parts/mark.tsx';
import { Panel } from '../../parts/page.tsx';
import { useMay } from '../../parts/session.tsx';
import { Loading, Problem } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago, ImageName } from '../../parts/values.tsx';

const SHOWN = 10;

/** The decisions that stood on an exception. */
export function Uses({ of: { id, uses } }: { readonly of: ExceptionAnswer }): ReactElement {
  const may = useMay('decisions.read');
  return (
    <Panel
      title="Decisions that stood on it"
      aside={
        may && uses > 0 ? (
          <Link to="/decisions" search={{ exception: id }}>
            {plural(uses, 'decision')}
          </Link>
        ) : undefined
      }
      flush={uses > 0 && may}
    >
      {uses === 0 ? (
        <p className="dim">None yet: nothing was let in by it.</p>
      ) : may ? (
        <Found id={id} />
      ) : (
        <p>{plural(uses, 'decision')}</p>
      )}
    </Panel>
  );
}

function Found({ id }: { readonly id: string }): ReactElement {
  const { data, error, refetch } = useQuery(decisionsQuery({ exception: id }, false));
  if (error !== null) return <Problem error={error} retry={() => void refetch()} />;
  if (data === undefined) return <Loading rows={3} />;
  return (
    <DataTable
      caption="The newest decisions that stood on it"
      columns={COLUMNS}
      rows={data.decisions.slice(0, SHOWN)}
      rowKey={({ seq }) => String(seq)}
    />
  );
}

const COLUMNS: readonly Column<DecisionSummary>[] = [
  {
    title: 'Outcome',
    cell: ({ outcome, effect }) => (
      <Mark of={outcome === 'deny' ? 'deny' : effect === 'pass' ? 'admit' : effect} />
    ),
  },
  {
    title: 'Image',
    kind: 'main',
    cell: ({ id, reference }) => (
      <Link className="image-link" to="/decisions/$id" params={{ id }}>
        <ImageName of={shortReference(reference)} />
      </Link>
    ),
  },
  {
    title: 'Asked by',
    kind: 'name',
    cell: ({ actor, surface, namespace }) => (
      <>
        {actor.name}
        <span className="sub dim">
          {namespace === null ? surface : `${surface} in ${namespace}`}
        </span>
      </>
    ),
  },
  { title: 'When', cell: ({ at }) => <Ago at={at} /> },
];
