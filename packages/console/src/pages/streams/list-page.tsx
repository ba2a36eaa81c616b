import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type StreamAnswer, streamsQuery } from '../../api/streams.ts';
import { Answered } from '../../parts/answered.tsx';
import { Snippet } from '../../parts/copy.tsx';
import { countText } from '../../parts/format.ts';
import { Page } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago } from '../../parts/values.tsx';
import { StreamLabels } from './stream-label.tsx';

const EXAMPLE = `streams:
  - name: siem
    url: https://siem.example/in
    format: ecs
    headersEnv: { Authorization: SIEM_TOKEN }
    signingEnv: [SIEM_SIGNING]`;

/** The receivers of the record: how far each has it, and what it did not take. */
export function StreamsPage(): ReactElement {
  const query = useQuery(streamsQuery());
  return (
    <Page title="Streams" lead="Whom the record is sent to, in order and at least once.">
      <Answered query={query} rows={3}>
        {(data) =>
          data.streams.length === 0 ? (
            <Empty title="The record is sent to nobody">
              <p>Name receivers in the server’s configuration: a SIEM, a log store, a chat.</p>
              <Snippet text={EXAMPLE} what="configuration" caption="bulla.yaml" />
            </Empty>
          ) : (
            <div className="results">
              <DataTable
                caption="Streams of the record"
                columns={COLUMNS}
                rows={data.streams}
                rowKey={({ name }) => name}
              />
            </div>
          )
        }
      </Answered>
    </Page>
  );
}

const COLUMNS: readonly Column<StreamAnswer>[] = [
  {
    title: 'Stream',
    kind: 'main',
    cell: ({ name, receiver }) => (
      <>
        <Link className="image-link" to="/streams/$name" params={{ name }}>
          {name}
        </Link>
        <span className="sub dim">{receiver}</span>
      </>
    ),
  },
  {
    title: 'State',
    cell: (stream) => (
      <span className="words">
        <StreamLabels of={stream} />
      </span>
    ),
  },
  { title: 'Format', cell: ({ format, signed }) => (signed ? `${format}, signed` : format) },
  { title: 'Behind', kind: 'number', cell: ({ lag }) => countText(lag) },
  {
    title: 'Failing since',
    cell: ({ failingSince }) => (failingSince === null ? '' : <Ago at={failingSince} />),
  },
];
