import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type PoliciesAnswer, type PolicyAnswer, policiesQuery } from '../../api/policies.ts';
import { Answered } from '../../parts/answered.tsx';
import { Label } from '../../parts/mark.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';
import { DigestText, Fact, Facts } from '../../parts/values.tsx';
import { ModeLabel, modeText } from './mode-label.tsx';
import { Patterns } from './patterns.tsx';
import { PolicyText } from './policy-text.tsx';
import { RolloutPanel } from './rollout-panel.tsx';

const route = getRouteApi('/app/policies/$name');

/** One policy: what it covers, who its authorities are, and its text. */
export function PolicyPage(): ReactElement {
  const { name } = route.useParams();
  const query = useQuery(policiesQuery());
  const policy = query.data?.policies.find((one) => one.name === name);
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
      <Answered query={query}>
        {({ files }) =>
          policy === undefined ? (
            <Empty title="No policy of this name is in force">
              <p>It may have been renamed or removed since.</p>
              <Link to="/policies">Policies in force</Link>
            </Empty>
          ) : (
            <Body policy={policy} files={files} />
          )
        }
      </Answered>
    </Page>
  );
}

function Body(props: {
  readonly policy: PolicyAnswer;
  readonly files: PoliciesAnswer['files'];
}): ReactElement {
  const { name, mode, fileMode, hash, file, description } = props.policy;
  const { images, exclude, surfaces, authorities } = props.policy;
  const text = props.files.find((one) => one.file === file)?.text;
  return (
    <div className="stack">
      <Panel title="What it does">
        <Facts>
          <Fact name="Description">{description}</Fact>
          <Fact name="Mode">{modeText(mode)}</Fact>
          <Fact name="Its file says">
            {fileMode === mode ? null : `${fileMode}; a cut-over enforces it all the same`}
          </Fact>
          <Fact name="Images">
            <Patterns of={images} />
          </Fact>
          <Fact name="But not">{exclude.length === 0 ? null : <Patterns of={exclude} />}</Fact>
          <Fact name="Doors">{surfaces.join(', ')}</Fact>
          <Fact name="Authorities">
            <Authorities of={authorities} />
          </Fact>
          <Fact name="File">{file === null ? null : <code>{file}</code>}</Fact>
          <Fact name="Hash">
            <DigestText of={hash} />
          </Fact>
        </Facts>
      </Panel>
      <RolloutPanel policy={name} mode={mode} />
      {file === null || text === undefined ? null : <PolicyText file={file} text={text} />}
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
