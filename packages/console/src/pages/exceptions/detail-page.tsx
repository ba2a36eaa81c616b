import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type ExceptionAnswer, exceptionQuery } from '../../api/exceptions.ts';
import { isAbsent } from '../../api/problem.ts';
import { Answered } from '../../parts/answered.tsx';
import { CopyButton, Snippet } from '../../parts/copy.tsx';
import { KindLabel, ReviewLabel, StateLabel } from '../../parts/exception-label.tsx';
import { plainText } from '../../parts/format.ts';
import { Page, Panel } from '../../parts/page.tsx';
import { Empty, Notice } from '../../parts/states.tsx';
import {
  DigestText,
  Fact,
  Facts,
  ImageName,
  Instant,
  KeyText,
  Remaining,
} from '../../parts/values.tsx';
import { nextCommands, shortId } from './commands.ts';
import { ExceptionActs } from './exception-acts.tsx';
import { Timeline } from './timeline.tsx';
import { Uses } from './uses.tsx';
import './exceptions.css';

const route = getRouteApi('/app/exceptions/$id');

/** One exception: all that an approver, a reviewer or an auditor reads of it. */
export function ExceptionPage(): ReactElement {
  const { id } = route.useParams();
  const query = useQuery(exceptionQuery(id));
  const { data, error } = query;
  if (isAbsent(error)) {
    return (
      <Page title="No such exception">
        <Empty title="No exception of this id was handed in">
          <p>Check the id, or look through the list.</p>
          <Link to="/exceptions">All exceptions</Link>
        </Empty>
      </Page>
    );
  }
  return (
    <Page
      title={data === undefined ? 'Exception' : `Exception ${data.name}`}
      head={data === undefined ? 'Exception' : <Headline of={data} />}
      lead={
        <span className="id-line">
          <Link to="/exceptions">Exceptions</Link>
          <span aria-hidden="true">/</span>
          <code>{shortId(id)}</code>
          <CopyButton text={id} what="exception id" compact />
        </span>
      }
    >
      <Answered query={query}>{(exception) => <Body of={exception} />}</Answered>
    </Page>
  );
}

function Headline({ of: { name, kind, state, review } }: { readonly of: ExceptionAnswer }) {
  return (
    <span className="headline">
      <KindLabel kind={kind} />
      <StateLabel state={state} />
      <ReviewLabel review={review} />
      <span>{name}</span>
    </span>
  );
}

function Body({ of }: { readonly of: ExceptionAnswer }): ReactElement {
  const commands = nextCommands(of, location.origin);
  return (
    <div className="stack">
      <Standing of={of} />
      <div className="halves">
        <Panel title="What it lifts">
          <Scope of={of} />
        </Panel>
        <Panel title="Who and why">
          <Parties of={of} />
        </Panel>
      </div>
      <Panel title="What happened">
        <Timeline of={of} />
      </Panel>
      <Uses of={of} />
      {commands.length === 0 ? null : (
        <Panel title="On the command line">
          <div className="stack">
            {commands.map(({ caption, text }) => (
              <Snippet key={caption} caption={caption} text={text} what={`commands: ${caption}`} />
            ))}
          </div>
        </Panel>
      )}
      <details className="raw">
        <summary>The envelope that was signed, as JSON</summary>
        <Snippet text={JSON.stringify(of.envelope, null, 2)} what="signed envelope" />
      </details>
    </div>
  );
}

/** What holds now in a sentence, and what may be done about it. */
function Standing({ of }: { readonly of: ExceptionAnswer }): ReactElement {
  const { kind, state, review } = of;
  const tone = review === 'open' ? 'bad' : state === 'in-force' ? 'warn' : 'info';
  return (
    <Notice tone={tone}>
      <p>{standingText(of)}</p>
      {state === 'in-force' || state === 'requested' ? (
        <p>
          <Remaining until={of.expires} over="It has expired." />
        </p>
      ) : null}
      {kind === 'break-glass' && review === 'open' ? (
        <p>
          {state === 'in-force'
            ? 'Its review can be closed when it has ended: revoke it, or wait.'
            : 'Somebody else than who used it has to look at what it let in, and close its review.'}
        </p>
      ) : null}
      <ExceptionActs of={of} />
    </Notice>
  );
}

function standingText({ kind, state, expires }: ExceptionAnswer): string {
  const until = expires.slice(0, 16).replace('T', ' ');
  switch (state) {
    case 'requested':
      return 'It was asked for, and lets nothing in before an approver has signed it.';
    case 'in-force':
      return kind === 'break-glass'
        ? `The glass is broken: it lets images in past what policies require, until ${until} UTC.`
        : `It is approved and lets images in past the clauses below, until ${until} UTC.`;
    case 'expired':
      return 'It has expired and lets nothing in any more.';
    case 'revoked':
      return 'It was revoked and lets nothing in any more.';
    default:
      return state satisfies never;
  }
}

function Scope({ of }: { readonly of: ExceptionAnswer }): ReactElement {
  const { repository, digest, policies, clauses, surfaces, namespaces, expires, issuedAt } = of;
  return (
    <Facts>
      <Fact name="Repository">
        <span className="mono">
          <ImageName of={repository} />
        </span>
      </Fact>
      <Fact name="Digest">
        {digest === null ? 'every image of the repository' : <DigestText of={digest} />}
      </Fact>
      <Fact name="Policies">
        <ul className="plain-list">
          {policies.map((name) => (
            <li key={name}>
              <Link to="/policies/$name" params={{ name }}>
                {name}
              </Link>
            </li>
          ))}
        </ul>
      </Fact>
      <Fact name="Clauses">
        <ul className="plain-list">
          {clauses.map((clause) => (
            <li key={clause}>
              <code>{clause}</code>
            </li>
          ))}
        </ul>
      </Fact>
      <Fact name="Doors">
        {surfaces === null ? 'all that the policies are for' : surfaces.join(', ')}
      </Fact>
      <Fact name="Namespaces">{namespaces === null ? 'all' : namespaces.join(', ')}</Fact>
      <Fact name="Issued">
        <Instant at={issuedAt} />
      </Fact>
      <Fact name="Expires">
        <Instant at={expires} />
      </Fact>
    </Facts>
  );
}

function Parties({ of }: { readonly of: ExceptionAnswer }): ReactElement {
  const { kind, requester, approver, reason, compensatingControl } = of;
  return (
    <Facts>
      <Fact name="Reason">{plainText(reason)}</Fact>
      <Fact name="What keeps the risk small">
        {compensatingControl === null ? null : plainText(compensatingControl)}
      </Fact>
      <Fact name={kind === 'break-glass' ? 'Broken by' : 'Asked by'}>{requester.identity}</Fact>
      <Fact name="Their key">
        <KeyText of={requester.keyId} />
      </Fact>
      <Fact name="Approved by">
        {approver === null
          ? kind === 'break-glass'
            ? 'nobody: the break-glass key alone'
            : 'nobody yet'
          : approver.identity}
      </Fact>
      <Fact name="The approver’s key">
        {approver === null ? null : <KeyText of={approver.keyId} />}
      </Fact>
    </Facts>
  );
}
