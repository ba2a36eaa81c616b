import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import {
  type DeadLetterAnswer,
  deadLettersQuery,
  dropLetters,
  retryLetters,
} from '../../api/streams.ts';
import { Answered } from '../../parts/answered.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Label } from '../../parts/mark.tsx';
import { Panel } from '../../parts/page.tsx';
import { useMay } from '../../parts/session.tsx';
import { Problem } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago } from '../../parts/values.tsx';

/** What the receiver of a stream did not take, and what may be done about it. */
export function DeadLetters(props: {
  readonly stream: string;
  readonly after: string | undefined;
}): ReactElement {
  const { stream, after } = props;
  const may = useMay('streams.manage');
  const query = useQuery(deadLettersQuery(stream, after));
  const some = query.data !== undefined && query.data.deadLetters.length > 0;
  const acts: Column<DeadLetterAnswer> = {
    title: 'Actions',
    kind: 'acts',
    cell: ({ id, seq, retrying }) => (
      <LetterActs stream={stream} ids={[id]} what={`entry ${seq}`} retrying={retrying} />
    ),
  };
  return (
    <Panel
      title="Dead letters"
      flush={some}
      aside={
        may && some ? (
          <LetterActs stream={stream} ids={null} what="all dead letters" retrying={false} all />
        ) : undefined
      }
    >
      <Answered query={query} rows={3}>
        {(data) =>
          some ? (
            <>
              <DataTable
                caption="Dead letters in the order of the record"
                columns={may ? [...COLUMNS, acts] : COLUMNS}
                rows={data.deadLetters}
                rowKey={({ id }) => id}
              />
              {data.next === null ? null : (
                <nav className="pager" aria-label="Pages">
                  <span />
                  <Link
                    to="/streams/$name"
                    params={{ name: stream }}
                    search={{ after: String(data.next) }}
                  >
                    Further <Icon name="chevron" />
                  </Link>
                </nav>
              )}
            </>
          ) : (
            <p className="dim">None: nothing was given up.</p>
          )
        }
      </Answered>
    </Panel>
  );
}

const COLUMNS: readonly Column<DeadLetterAnswer>[] = [
  {
    title: 'Entry',
    kind: 'main',
    cell: ({ seq, kind }) => (
      <>
        <strong>{seq}</strong> <span className="dim">{kind}</span>
      </>
    ),
  },
  { title: 'Why', cell: ({ reason }) => reason },
  {
    title: 'Failed',
    cell: ({ failedAt, attempts, retrying }) => (
      <>
        <Ago at={failedAt} />
        <span className="sub dim">{attempts === 1 ? '1 attempt' : `${attempts} attempts`}</span>
        {retrying ? (
          <Label tone="info" icon="clock">
            tried again soon
          </Label>
        ) : null}
      </>
    ),
  },
];

function LetterActs(props: {
  readonly stream: string;
  /** Null: all. */
  readonly ids: readonly string[] | null;
  readonly what: string;
  readonly retrying: boolean;
  readonly all?: boolean;
}): ReactElement {
  const { stream, ids, what, retrying, all = false } = props;
  const client = useQueryClient();
  const onSuccess = () => client.invalidateQueries({ queryKey: ['streams'] });
  const retry = useMutation({ mutationFn: () => retryLetters(stream, ids), onSuccess });
  const drop = useMutation({ mutationFn: () => dropLetters(stream, ids), onSuccess });
  return (
    <span className="acts">
      <Button
        variant="default"
        size="compact-xs"
        loading={retry.isPending}
        disabled={retrying}
        aria-label={`Retry ${what}`}
        onClick={() => retry.mutate()}
      >
        {all ? 'Retry all' : 'Retry'}
      </Button>
      <Confirm
        word={all ? 'Drop all' : 'Drop'}
        what={all ? 'dead letters' : what}
        says="The receiver never gets it. The record keeps the entry, and says who dropped it."
        pending={drop.isPending}
        error={drop.error}
        onConfirm={() => drop.mutate()}
      />
      {retry.error === null ? null : <Problem error={retry.error} />}
    </span>
  );
}
