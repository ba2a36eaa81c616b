import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type PolicyAnswer, policiesQuery } from '../../api/policies.ts';
import { Snippet } from '../../parts/copy.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty, Loading, Notice, Problem } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { DigestText } from '../../parts/values.tsx';
import { ModeLabel } from './mode-label.tsx';
import './policies.css';

/** The policies in force, and what is wrong with their files. */
export function PoliciesPage(): ReactElement {
  const { data, error, refetch } = useQuery(policiesQuery());
  return (
    <Page
      title="Policies"
      lead={
        data === undefined ? (
          'What every image must satisfy.'
        ) : (
          <span className="id-line">
            Every policy that covers an image must be satisfied. All together:{' '}
            <DigestText of={data.hash} />
          </span>
        )
      }
    >
      {error === null ? null : <Problem error={error} retry={() => void refetch()} />}
      {data === undefined && error === null ? <Loading rows={3} /> : null}
      {data === undefined ? null : (
        <div className="stack">
          {data.problems.map(({ code, message, place }) => (
            <Notice key={`${code} ${place}`} tone="bad">
              <p>
                A policy file cannot be used as it is now; what was in force before stays in force.
              </p>
              <p>
                {message} {place === null ? null : <code>{place}</code>}
              </p>
              <p className="dim">
                <code>{code}</code>
              </p>
            </Notice>
          ))}
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
    </Page>
  );
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
  { title: 'Mode', cell: ({ mode }) => <ModeLabel mode={mode} /> },
  {
    title: 'Images',
    cell: ({ images }) => (
      <ul className="plain-list">
        {images.map((pattern) => (
          <li key={pattern}>
            <code>{pattern}</code>
          </li>
        ))}
      </ul>
    ),
  },
  { title: 'Doors', cell: ({ surfaces }) => surfaces.join(', ') },
  {
    title: 'Warnings',
    cell: ({ warnings }) =>
      warnings.length === 0 ? <span className="dim">none</span> : String(warnings.length),
  },
  { title: 'Hash', cell: ({ hash }) => <DigestText of={hash} /> },
];
