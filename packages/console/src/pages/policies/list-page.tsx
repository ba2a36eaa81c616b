import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type PoliciesAnswer, type PolicyAnswer, policiesQuery } from '../../api/policies.ts';
import { rolloutsQuery } from '../../api/rollouts.ts';
import { Answered } from '../../parts/answered.tsx';
import { Snippet } from '../../parts/copy.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty, Notice } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { DigestText, Remaining } from '../../parts/values.tsx';
import { fileName } from './files.ts';
import { ModeLabel } from './mode-label.tsx';
import { Patterns } from './patterns.tsx';

/** The policies in force, and what is wrong with their files. */
export function PoliciesPage(): ReactElement {
  const query = useQuery(policiesQuery());
  const hash = query.data?.hash;
  return (
    <Page
      title="Policies"
      lead={
        hash === undefined ? (
          'What every image must satisfy.'
        ) : (
          <span className="id-line">
            Every policy that covers an image must be satisfied. All together:{' '}
            {hash === null ? 'none' : <DigestText of={hash} />}
          </span>
        )
      }
    >
      <Answered query={query} rows={3}>
        {(data) => (
          <div className="stack">
            <Problems of={data} />
            {data.policies.length === 0 ? (
              <Empty title="No policy is in force">
                <p>Every image is refused until there is one. Write one and start with it:</p>
                <Snippet
                  text={'bulla policy init > policy.yaml\nbulla up --policy policy.yaml'}
                  what="commands"
                />
              </Empty>
            ) : (
              <div className="results">
                <DataTable
                  caption="Policies in force"
                  columns={COLUMNS}
                  rows={data.policies}
                  rowKey={({ name }) => name}
                />
              </div>
            )}
          </div>
        )}
      </Answered>
    </Page>
  );
}

/** What is wrong with the files, and what to know of the policies. */
function Problems({ of }: { readonly of: PoliciesAnswer }): ReactElement {
  return (
    <>
      {of.problems.map(({ code, message }) => (
        <Notice key={`${code} ${message}`} tone="bad">
          <p>
            {of.policies.length === 0
              ? 'The policy files cannot be used as they are now, so every image is refused.'
              : 'The policy files cannot be used as they are now; what was in force before them stays in force.'}
          </p>
          <p>{message}</p>
          <p className="dim">
            <code>{code}</code>
          </p>
        </Notice>
      ))}
      {of.warnings.length === 0 ? null : (
        <Notice tone="warn">
          <ul className="plain-list">
            {of.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}

const DOORS = ['pull', 'admission', 'gate', 'node', 'watch'];

/** In few words, since most policies hold at every door. */
function doorsText(surfaces: readonly string[]): string {
  return DOORS.every((door) => surfaces.includes(door)) ? 'all' : surfaces.join(', ');
}

const COLUMNS: readonly Column<PolicyAnswer>[] = [
  {
    title: 'Policy',
    kind: 'main',
    cell: ({ name, description }) => (
      <>
        <Link className="image-link" to="/policies/$name" params={{ name }}>
          {name}
        </Link>
        {description === null ? null : <span className="sub dim">{description}</span>}
      </>
    ),
  },
  {
    title: 'Mode',
    cell: (policy) => <Mode of={policy} />,
  },
  {
    title: 'Images',
    cell: ({ images }) => <Patterns of={images} />,
  },
  { title: 'File', cell: ({ file }) => (file === null ? '' : <code>{fileName(file)}</code>) },
  { title: 'Doors', cell: ({ surfaces }) => doorsText(surfaces) },
  { title: 'Hash', cell: ({ hash }) => <DigestText of={hash} /> },
];

/** What a policy does, by whose word, and whether it is on its way to do more. */
function Mode({ of: { name, mode, fileMode } }: { readonly of: PolicyAnswer }): ReactElement {
  const { data } = useQuery(rolloutsQuery());
  const rollout = data?.rollouts.find(({ policy }) => policy === name);
  return (
    <>
      <ModeLabel mode={mode} />
      {fileMode === mode ? null : (
        <span className="sub dim">by a cut-over; its file says {fileMode}</span>
      )}
      {rollout?.state === 'observing' ? (
        <span className="sub dim">
          observed: <Remaining until={rollout.endsAt} over="its window is over" />
        </span>
      ) : null}
    </>
  );
}
