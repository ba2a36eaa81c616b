import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type DecisionAnswer, decisionQuery } from '../../api/decisions.ts';
import { isAbsent } from '../../api/problem.ts';
import { Answered } from '../../parts/answered.tsx';
import { CopyButton, Snippet } from '../../parts/copy.tsx';
import { countText, durationText } from '../../parts/format.ts';
import { Mark } from '../../parts/mark.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { Empty, Notice } from '../../parts/states.tsx';
import { DigestText, Fact, Facts, ImageName, Instant } from '../../parts/values.tsx';
import { FindingTree } from './finding-tree.tsx';
import { objectText } from './object-text.ts';
import { type Refusal, refusalsOf } from './refusals.ts';
import { Exceptions } from './used-exceptions.tsx';

const route = getRouteApi('/app/decisions/$id');

/** One decision: what was answered, the whole tree that led to it, and who asked. */
export function DecisionPage(): ReactElement {
  const { id } = route.useParams();
  const query = useQuery(decisionQuery(id));
  const { data, error } = query;
  if (isAbsent(error)) {
    return (
      <Page title="No such decision">
        <Empty title="The record holds no decision of this id">
          <p>It may be older than the record is kept. Check the id, or look for the image.</p>
          <Link to="/decisions">All decisions</Link>
        </Empty>
      </Page>
    );
  }
  return (
    <Page
      title={data === undefined ? 'Decision' : `Decision about ${data.reference}`}
      head={data === undefined ? 'Decision' : <Headline decision={data} />}
      lead={<IdLine id={id} />}
    >
      <Answered query={query}>{(decision) => <Body decision={decision} />}</Answered>
    </Page>
  );
}

function IdLine({ id }: { readonly id: string }): ReactElement {
  return (
    <span className="id-line">
      <Link to="/decisions">Decisions</Link>
      <span aria-hidden="true">/</span>
      <code>{id}</code>
      <CopyButton text={id} what="decision id" compact />
    </span>
  );
}

function Headline({ decision }: { readonly decision: DecisionAnswer }): ReactElement {
  const { outcome, effect, reference } = decision;
  return (
    <span className="headline">
      <Mark of={outcome === 'deny' ? 'deny' : effect === 'pass' ? 'admit' : effect} />
      <span className="mono">
        <ImageName of={reference} />
      </span>
    </span>
  );
}

function Body({ decision }: { readonly decision: DecisionAnswer }): ReactElement {
  return (
    <div className="stack">
      {refusalsOf(decision).map((refusal) => (
        <RefusalNotice key={refusal.policy} refusal={refusal} />
      ))}
      {warningsOf(decision).map((warning) => (
        <Notice key={warning} tone="warn">
          {warning}
        </Notice>
      ))}
      <Exceptions of={decision.exceptions} />
      {decision.cut.length === 0 ? null : (
        <Notice tone="info">
          The record kept this decision shortened, because of its size: {decision.cut.join(', ')}.
        </Notice>
      )}
      <Panel title="Why">
        <FindingTree key={decision.id} root={decision.finding} />
      </Panel>
      <div className="halves">
        <Panel title="The image">
          <ImageFacts decision={decision} />
        </Panel>
        <Panel title="The question">
          <RequestFacts decision={decision} />
        </Panel>
      </div>
      <Panel title="Policies">
        <Policies decision={decision} />
      </Panel>
      <Panel title="On the command line">
        <Snippet
          caption="Explain it in a terminal; a token that reads decisions is in BULLA_TOKEN"
          text={`bulla decisions explain ${decision.id} --server ${location.origin}`}
          what="command"
        />
      </Panel>
      <details className="raw">
        <summary>The record’s entry as JSON</summary>
        <Snippet text={JSON.stringify(decision, null, 2)} what="decision as JSON" />
      </details>
    </div>
  );
}

/** Warnings, without those about exceptions, which are told with a link to each. */
function warningsOf({ warnings, exceptions }: DecisionAnswer): readonly string[] {
  return warnings.filter((warning) => !exceptions.some(({ id }) => warning.includes(id)));
}

function RefusalNotice({ refusal }: { readonly refusal: Refusal }): ReactElement {
  const { policy, says, remedy } = refusal;
  return (
    <Notice tone="bad">
      <p>
        {policy === null ? (
          'Refused: '
        ) : (
          <>
            Refused by policy{' '}
            <Link to="/policies/$name" params={{ name: policy }}>
              {policy}
            </Link>
            :{' '}
          </>
        )}
        {says}
      </p>
      {remedy === null ? null : <p>{remedy}</p>}
    </Notice>
  );
}

function ImageFacts({ decision }: { readonly decision: DecisionAnswer }): ReactElement {
  const { repository, tag, digest, covers, evidence, validUntil } = decision;
  return (
    <Facts>
      <Fact name="Repository">
        <Link to="/decisions" search={{ repository }} className="mono">
          <ImageName of={repository} />
        </Link>
      </Fact>
      <Fact name="Tag">{tag}</Fact>
      <Fact name="Digest">{digest === null ? 'not resolved' : <DigestText of={digest} />}</Fact>
      <Fact name="Also covers">{covers.length === 0 ? null : <Digests of={covers} />}</Fact>
      <Fact name="Evidence">{evidence.length === 0 ? 'none' : <Digests of={evidence} />}</Fact>
      <Fact name="Valid until">{validUntil === null ? null : <Instant at={validUntil} />}</Fact>
    </Facts>
  );
}

function Digests({ of }: { readonly of: readonly string[] }): ReactElement {
  return (
    <ul className="digests">
      {of.map((digest) => (
        <li key={digest}>
          <DigestText of={digest} />
        </li>
      ))}
    </ul>
  );
}

const CACHE = {
  miss: 'taken anew',
  hit: 'from the cache',
  'last-known-good': 'the last known good, since a service did not answer',
} as const;

function RequestFacts({ decision }: { readonly decision: DecisionAnswer }): ReactElement {
  const { at, actor, request, surface, namespace, environment, cache, durationMs } = decision;
  const { count, lastUsedAt } = decision;
  const { object } = request;
  return (
    <Facts>
      <Fact name="Answered">
        <Instant at={at} />
      </Fact>
      <Fact name="Asked by">
        {actor.kind === 'anonymous' ? 'nobody who signed in' : actor.name}
      </Fact>
      <Fact name="From">
        <code>{request.remoteAddress}</code>
      </Fact>
      <Fact name="With">{request.userAgent}</Fact>
      <Fact name="Request">
        <code>{request.id}</code>
      </Fact>
      <Fact name="Door">{surface}</Fact>
      <Fact name="Namespace">{namespace}</Fact>
      <Fact name="Object">{object === undefined ? null : objectText(object)}</Fact>
      <Fact name="Cluster">{object?.cluster}</Fact>
      <Fact name="Environment">{environment}</Fact>
      <Fact name="The answer was">{CACHE[cache]}</Fact>
      <Fact name="It took">{durationText(durationMs)}</Fact>
      <Fact name="Given">{count === 1 ? 'once' : `${countText(count)} times`}</Fact>
      <Fact name="Last given">{count === 1 ? null : <Instant at={lastUsedAt} />}</Fact>
    </Facts>
  );
}

const EFFECTS = {
  pass: 'satisfied',
  warn: 'not satisfied, warns',
  audit: 'not satisfied, records',
  deny: 'not satisfied, denies',
} as const;

function Policies({ decision }: { readonly decision: DecisionAnswer }): ReactElement {
  const { policies, policySetHash, trustRootVersion } = decision;
  return (
    <>
      {policies.length === 0 ? (
        <p>
          {decision.outcome === 'deny'
            ? 'No policy covers this image here, so it is denied.'
            : 'No policy was asked: it was read to be signed, with a token that may.'}
        </p>
      ) : (
        <ul className="policy-lines">
          {policies.map(({ name, hash, mode, effect }) => (
            <li key={name}>
              <Mark of={effect} word={EFFECTS[effect]} />
              <Link to="/policies/$name" params={{ name }}>
                {name}
              </Link>
              <span className="dim">mode {mode}</span>
              <DigestText of={hash} />
            </li>
          ))}
        </ul>
      )}
      <Facts>
        <Fact name="All policies">
          <DigestText of={policySetHash} />
        </Fact>
        <Fact name="Trust roots">{trustRootVersion === '' ? 'none' : trustRootVersion}</Fact>
      </Facts>
    </>
  );
}
