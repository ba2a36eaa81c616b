import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { decisionsQuery } from '../../api/decisions.ts';
import { type OverviewAnswer, overviewQuery } from '../../api/overview.ts';
import { Answered } from '../../parts/answered.tsx';
import { CopyButton } from '../../parts/copy.tsx';
import { countText, plural, shortReference } from '../../parts/format.ts';
import { Label, Mark } from '../../parts/mark.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { useMay } from '../../parts/session.tsx';
import { Loading, Notice } from '../../parts/states.tsx';
import { Ago, DigestText, Fact, Facts, ImageName } from '../../parts/values.tsx';
import { ConnectPanel } from './connect-panel.tsx';
import { ExceptionsPanel } from './exceptions-panel.tsx';
import '../../parts/counts.css';
import './overview.css';

/** What is running, what it decided lately, and how clients are connected. */
export function OverviewPage(): ReactElement {
  const query = useQuery(overviewQuery());
  const { data } = query;
  return (
    <Page title="Overview" lead={data === undefined ? '\u00a0' : <Lead overview={data} />}>
      <Answered query={query} rows={8}>
        {(overview) => <Body overview={overview} />}
      </Answered>
    </Page>
  );
}

function Lead({ overview }: { readonly overview: OverviewAnswer }): ReactElement {
  return (
    <>
      Bulla {overview.version}, started <Ago at={overview.startedAt} />
    </>
  );
}

function Body({ overview }: { readonly overview: OverviewAnswer }): ReactElement {
  const mayDecisions = useMay('decisions.read');
  const mayExceptions = useMay('exceptions.read');
  return (
    <div className="stack">
      <Warnings overview={overview} />
      <Counts overview={overview} />
      {mayExceptions ? <ExceptionsPanel /> : null}
      <div className="halves">
        <Panel title="Health" aside={<Readiness overview={overview} />}>
          <Checks overview={overview} />
        </Panel>
        <Panel title="Installation">
          <Running overview={overview} />
        </Panel>
      </div>
      {mayDecisions ? <LastRefusals /> : null}
      <ConnectPanel overview={overview} />
    </div>
  );
}

function Warnings({ overview }: { readonly overview: OverviewAnswer }): ReactElement | null {
  const { policies } = overview;
  if (policies.count > 0 && policies.warnings.length === 0 && !policies.starter) return null;
  return (
    <Notice tone={policies.count === 0 ? 'bad' : 'warn'}>
      {policies.count === 0 ? (
        <p>No policy is in force, so every image is refused. Name a policy file at the start.</p>
      ) : null}
      {policies.starter ? (
        <p>
          The policy of the first start is in force: it only records, and refuses nothing. Set{' '}
          <code>mode: enforce</code> in it once your images are signed, or put a policy of your own
          in its place.
        </p>
      ) : null}
      <ul className="plain-list">
        {policies.warnings.map((warning) => (
          <li key={warning}>{warning}</li>
        ))}
      </ul>
      <p>
        <Link to="/policies">See the policies</Link>
      </p>
    </Notice>
  );
}

const DAY = { time: '24h' } as const;

function Counts({ overview }: { readonly overview: OverviewAnswer }): ReactElement {
  const { admitted24h, warned24h, audited24h, denied24h } = overview.counts;
  return (
    <section className="counts" aria-label="Decisions of the last 24 hours">
      <Count mark="admit" count={admitted24h} search={{ ...DAY, effect: 'pass' }} />
      <Count mark="audit" count={audited24h} search={{ ...DAY, effect: 'audit' }} />
      <Count mark="warn" count={warned24h} search={{ ...DAY, effect: 'warn' }} />
      <Count mark="deny" count={denied24h} search={{ ...DAY, outcome: 'deny' }} />
      <Bar
        parts={[
          { tone: 'good', count: admitted24h },
          { tone: 'info', count: audited24h },
          { tone: 'warn', count: warned24h },
          { tone: 'bad', count: denied24h },
        ]}
      />
    </section>
  );
}

function Count(props: {
  readonly mark: 'admit' | 'audit' | 'warn' | 'deny';
  readonly count: number;
  readonly search: {
    readonly time: '24h';
    readonly effect?: 'pass' | 'audit' | 'warn';
    readonly outcome?: 'deny';
  };
}): ReactElement {
  return (
    <Link className="count" to="/decisions" search={props.search}>
      <span className="count-number">{countText(props.count)}</span>
      <Mark of={props.mark} /> <span className="dim">in 24 hours</span>
    </Link>
  );
}

/** The shares of a whole as one bar; the numbers beside it say the same. */
function Bar(props: {
  readonly parts: readonly { readonly tone: string; readonly count: number }[];
}): ReactElement {
  const total = props.parts.reduce((sum, { count }) => sum + count, 0);
  let x = 0;
  return (
    <svg className="bar" viewBox="0 0 1000 6" preserveAspectRatio="none" aria-hidden="true">
      <rect className="bar-none" width="1000" height="6" />
      {total === 0
        ? null
        : props.parts.map(({ tone, count }) => {
            const width = (count / total) * 1000;
            const from = x;
            x += width;
            return <rect key={tone} data-tone={tone} x={from} width={width} height="6" />;
          })}
    </svg>
  );
}

function Readiness({ overview }: { readonly overview: OverviewAnswer }): ReactElement {
  const failing = overview.checks.filter(({ ok }) => !ok).length;
  return failing === 0 ? (
    <Label tone="good" icon="check">
      all checks pass
    </Label>
  ) : (
    <Label tone="bad" icon="cross">{`${plural(failing, 'check')} fail`}</Label>
  );
}

function Checks({ overview }: { readonly overview: OverviewAnswer }): ReactElement {
  return (
    <ul className="checks">
      {overview.checks.map(({ name, ok }) => (
        <li key={name}>
          <Mark of={ok ? 'pass' : 'fail'} word={ok ? 'ready' : 'not ready'} />
          <span>{name}</span>
        </li>
      ))}
      {overview.services.map(({ name, state }) => (
        <li key={name}>
          {state === 'running' ? (
            <Mark of="pass" word="running" />
          ) : (
            <Mark of="skipped" word={state} />
          )}
          <span>{name}</span>
        </li>
      ))}
    </ul>
  );
}

const PULL: Readonly<Record<string, string>> = {
  true: 'everybody may',
  false: 'nobody may',
  loopback: 'programs on this machine may',
};

function Running({ overview }: { readonly overview: OverviewAnswer }): ReactElement {
  const { addresses, storage, policies, anonymousPull } = overview;
  return (
    <Facts>
      <Fact name="Addresses">
        <Addresses of={addresses} />
      </Fact>
      <Fact name="Storage">{`tables in ${storage.tables}, content in ${storage.objects}`}</Fact>
      <Fact name="Policies">
        <span className="words">
          <Link to="/policies">{plural(policies.count, 'policy', 'policies')}</Link>
          {policies.starter ? <Label tone="warn">starter policy</Label> : null}
          {policies.hash === null ? null : <DigestText of={policies.hash} />}
        </span>
      </Fact>
      <Fact name="Pull without a token">{PULL[anonymousPull] ?? anonymousPull}</Fact>
    </Facts>
  );
}

function Addresses({ of }: { readonly of: readonly string[] }): ReactElement {
  return (
    <ul className="plain-list">
      {of.map((address) => (
        <li key={address}>
          <code>{address}</code> <CopyButton text={address} what={`address ${address}`} compact />
        </li>
      ))}
    </ul>
  );
}

function LastRefusals(): ReactElement | null {
  const { data } = useQuery(decisionsQuery({ outcome: 'deny' }, true));
  const last = data?.decisions.slice(0, 5) ?? [];
  if (data === undefined) {
    return (
      <Panel title="Last refusals">
        <Loading rows={5} />
      </Panel>
    );
  }
  return (
    <Panel
      title="Last refusals"
      aside={
        <Link to="/decisions" search={{ outcome: 'deny' }}>
          All refusals
        </Link>
      }
    >
      {last.length === 0 ? (
        <p className="dim">Nothing was refused yet.</p>
      ) : (
        <ul className="refusals">
          {last.map(({ seq, id, reference, code, at }) => (
            <li key={seq}>
              <Link className="mono" to="/decisions/$id" params={{ id }}>
                <ImageName of={shortReference(reference)} />
              </Link>
              <code className="dim">{code ?? 'no policy'}</code>
              <span className="dim">
                <Ago at={at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
