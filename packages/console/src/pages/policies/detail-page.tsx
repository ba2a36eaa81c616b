import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type PolicyAnswer, policiesQuery } from '../../api/policies.ts';
import { CopyButton } from '../../parts/copy.tsx';
import { Label } from '../../parts/mark.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { Empty, Loading, Notice, Problem } from '../../parts/states.tsx';
import { DigestText, Fact, Facts } from '../../parts/values.tsx';
import { ModeLabel } from './mode-label.tsx';
import './policies.css';

const route = getRouteApi('/app/policies/$name');

/** One policy: what it covers, who its authorities are, and its text. */
export function PolicyPage(): ReactElement {
  const { name } = route.useParams();
  const { data, error, refetch } = useQuery(policiesQuery());
  const policy = data?.policies.find((one) => one.name === name);
  return (
    <Page
      title={`Policy ${name}`}
      head={
        <span className="headline">
          {policy === undefined ? null : <ModeLabel mode={policy.mode} />}
          <span>{name}</span>
        </span>
      }
      lead={
        <span className="id-line">
          <Link to="/policies">Policies</Link>
          <span aria-hidden="true">·</span>
          <Link to="/decisions" search={{ policy: name }}>
            Its decisions
          </Link>
        </span>
      }
    >
      {error === null ? null : <Problem error={error} retry={() => void refetch()} />}
      {data === undefined && error === null ? <Loading /> : null}
      {data !== undefined && policy === undefined ? (
        <Empty title="No policy of this name is in force">
          <p>It may have been renamed or removed since.</p>
          <Link to="/policies">Policies in force</Link>
        </Empty>
      ) : null}
      {policy === undefined ? null : <Body policy={policy} />}
    </Page>
  );
}

const MODE_SAYS = {
  enforce: 'refuses an image that does not satisfy it',
  warn: 'admits an image that does not satisfy it, with a warning',
  audit: 'admits an image that does not satisfy it, and only records that',
} as const;

function Body({ policy }: { readonly policy: PolicyAnswer }): ReactElement {
  const { mode, hash, file, description, images, surfaces, authorities, text, warnings } = policy;
  return (
    <div className="stack">
      {warnings.length === 0 ? null : (
        <Notice tone="warn">
          <ul className="plain-list">
            {warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Notice>
      )}
      <Panel title="What it does">
        <Facts>
          <Fact name="Description">{description}</Fact>
          <Fact name="Mode">{`${mode}: ${MODE_SAYS[mode]}`}</Fact>
          <Fact name="Images">
            <ul className="plain-list">
              {images.map((pattern) => (
                <li key={pattern}>
                  <code>{pattern}</code>
                </li>
              ))}
            </ul>
          </Fact>
          <Fact name="Doors">{surfaces.join(', ')}</Fact>
          <Fact name="Authorities">
            <Authorities of={authorities} />
          </Fact>
          <Fact name="File">
            <code>{file}</code>
          </Fact>
          <Fact name="Hash">
            <DigestText of={hash} />
          </Fact>
        </Facts>
      </Panel>
      <Panel title="Text" aside={<CopyButton text={text} what="policy text" />} flush>
        <PolicyText text={text} />
      </Panel>
    </div>
  );
}

function Authorities({ of }: { readonly of: PolicyAnswer['authorities'] }): ReactElement {
  return (
    <ul className="plain-list">
      {of.map(({ name, kind, supported }) => (
        <li key={name} className="words">
          <span>{name}</span>
          <span className="dim">{kind}</span>
          {supported ? null : (
            <Label tone="bad" icon="warning">
              never admits
            </Label>
          )}
        </li>
      ))}
    </ul>
  );
}

/** The text by its lines. The numbers are drawn by the style sheet, so that copying leaves them out. */
function PolicyText({ text }: { readonly text: string }): ReactElement {
  return (
    // biome-ignore lint/a11y: what scrolls must be reached by keys, and named
    <pre className="policy-text" tabIndex={0} role="group" aria-label="Policy text">
      {text
        .replace(/\n$/, '')
        .split('\n')
        .map((line, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a line has nothing but its number
          <code key={index}>{line === '' ? '\u200b' : line}</code>
        ))}
    </pre>
  );
}
