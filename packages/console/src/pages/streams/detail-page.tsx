import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type StreamAnswer, streamsQuery } from '../../api/streams.ts';
import { Answered } from '../../parts/answered.tsx';
import { countText, plural } from '../../parts/format.ts';
import { Page, Panel } from '../../parts/page.tsx';
import { Empty, Notice } from '../../parts/states.tsx';
import { Ago, Fact, Facts } from '../../parts/values.tsx';
import { DeadLetters } from './dead-letters.tsx';
import { StreamLabels } from './stream-label.tsx';

const route = getRouteApi('/app/streams/$name');

/** One receiver of the record, and what it did not take. */
export function StreamPage(): ReactElement {
  const { name } = route.useParams();
  const { after } = route.useSearch();
  const query = useQuery(streamsQuery());
  const stream = query.data?.streams.find((one) => one.name === name);
  return (
    <Page
      title={`Stream ${name}`}
      head={
        <span className="headline">
          {stream === undefined ? null : <StreamLabels of={stream} />}
          <span>{name}</span>
        </span>
      }
      lead={
        <span className="id-line">
          <Link to="/streams">Streams</Link>
          <span aria-hidden="true">·</span>
          <Link to="/record" search={{ subject: name }}>
            What was done with it
          </Link>
        </span>
      }
    >
      <Answered query={query}>
        {() =>
          stream === undefined ? (
            <Empty title="No stream of this name is configured">
              <p>What was not sent under a name is kept until it is configured again.</p>
              <Link to="/streams">All streams</Link>
            </Empty>
          ) : (
            <div className="stack">
              <Failing of={stream} />
              <Panel title="Receiver">
                <Receiver of={stream} />
              </Panel>
              <DeadLetters stream={name} after={after} />
            </div>
          )
        }
      </Answered>
    </Page>
  );
}

function Failing({ of: { failingSince, reason } }: { readonly of: StreamAnswer }) {
  if (failingSince === null) return null;
  return (
    <Notice tone="bad">
      <p>
        The receiver takes nothing since <Ago at={failingSince} />. Nothing is lost: the record has
        the entries, and they are tried again.
      </p>
      {reason === null ? null : <p>{reason}</p>}
    </Notice>
  );
}

function Receiver({ of }: { readonly of: StreamAnswer }): ReactElement {
  const { receiver, format, signed, seq, lag } = of;
  return (
    <Facts>
      <Fact name="Address">
        <code>{receiver}</code>
      </Fact>
      <Fact name="Format">{format}</Fact>
      <Fact name="Requests are signed">{signed ? 'yes' : 'no'}</Fact>
      <Fact name="Done up to entry">{countText(seq)}</Fact>
      <Fact name="Behind">{lag === 0 ? 'nothing' : plural(lag, 'entry', 'entries')}</Fact>
    </Facts>
  );
}
