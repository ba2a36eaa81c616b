import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { isAbsent } from '../../api/problem.ts';
import {
  type AttachedAnswer,
  type RepositoryAnswer,
  repositoryQuery,
  type TagAnswer,
  tagHistoryQuery,
} from '../../api/repositories.ts';
import { CopyButton } from '../../parts/copy.tsx';
import { plural, sizeText } from '../../parts/format.ts';
import { Icon } from '../../parts/icons.tsx';
import { Label, Mark } from '../../parts/mark.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty, Loading, Problem } from '../../parts/states.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago, DigestText, ImageName } from '../../parts/values.tsx';
import { TagPanel } from './tag-panel.tsx';

const route = getRouteApi('/app/repositories/$');

/** One repository: its tags, what is attached to each, and what was last decided about it. */
export function RepositoryPage(): ReactElement {
  const { _splat: name = '' } = route.useParams();
  const search = route.useSearch();
  const { data, error, refetch } = useQuery(repositoryQuery(name, search.cursor));
  const history = useQuery({
    ...tagHistoryQuery(name, search.tag ?? ''),
    enabled: search.tag !== undefined,
  });
  // All at once: the history would push the tags down when it comes.
  const waits = data === undefined || history.isLoading;
  const chosen = data?.tags.find(({ tag }) => tag === search.tag);
  return (
    <Page
      title={name}
      head={
        <span className="mono">
          <ImageName of={name} />
        </span>
      }
      lead={<Lead repository={data} />}
    >
      {error === null ? null : isAbsent(error) ? (
        <Empty title="There is no such repository">
          <p>Check the name, or push an image to it.</p>
        </Empty>
      ) : (
        <Problem error={error} retry={() => void refetch()} />
      )}
      {waits ? (
        error === null ? (
          <Loading />
        ) : null
      ) : (
        <>
          {chosen === undefined ? null : (
            <TagPanel
              repository={name}
              tag={chosen}
              history={history.data?.history}
              error={history.error}
            />
          )}
          <Tags repository={data} />
        </>
      )}
    </Page>
  );
}

function Lead({ repository }: { readonly repository: RepositoryAnswer | undefined }): ReactElement {
  return (
    <span className="id-line">
      <Link to="/repositories">Repositories</Link>
      {repository === undefined ? null : (
        <span>
          Policies know it as <code>{repository.canonical}</code>{' '}
          <CopyButton text={repository.canonical} what="name for policies" compact />
        </span>
      )}
    </span>
  );
}

function Tags({ repository }: { readonly repository: RepositoryAnswer }): ReactElement {
  const { name, tags, next } = repository;
  if (tags.length === 0) {
    return (
      <Empty title="No tag is here">
        <p>Images of this repository are known by their digests only. Push one with a tag.</p>
      </Empty>
    );
  }
  return (
    <div className="results">
      <DataTable
        caption={`Tags of ${name}`}
        rows={tags}
        rowKey={({ tag }) => tag}
        columns={columnsFor(name)}
      />
      {next === null ? null : (
        <nav className="pager" aria-label="Pages">
          <span />
          <Link to="/repositories/$" params={{ _splat: name }} search={{ cursor: next }}>
            More tags <Icon name="chevron" />
          </Link>
        </nav>
      )}
    </div>
  );
}

function columnsFor(name: string): readonly Column<TagAnswer>[] {
  return [
    {
      title: 'Tag',
      kind: 'main',
      cell: ({ tag }) => (
        <Link
          className="image-link"
          to="/repositories/$"
          params={{ _splat: name }}
          search={{ tag }}
        >
          {tag}
        </Link>
      ),
    },
    { title: 'Digest', cell: ({ digest }) => <DigestText of={digest} /> },
    { title: 'Last decision', cell: (tag) => <LastDecision of={tag} /> },
    { title: 'Attached', cell: ({ attached }) => <Attached of={attached} /> },
    {
      title: 'Size',
      kind: 'number',
      cell: ({ sizeBytes }) => (sizeBytes === null ? '' : sizeText(sizeBytes)),
    },
    {
      title: 'Here since',
      cell: ({ since }) =>
        since === null ? <span className="dim">unknown</span> : <Ago at={since} />,
    },
  ];
}

function LastDecision({ of }: { readonly of: TagAnswer }): ReactElement {
  const { lastDecision } = of;
  if (lastDecision === null) return <span className="dim">none yet</span>;
  const { id, outcome, effect, at } = lastDecision;
  return (
    <Link className="plain-link" to="/decisions/$id" params={{ id }}>
      <Mark of={outcome === 'deny' ? 'deny' : effect === 'pass' ? 'admit' : effect} />{' '}
      <span className="dim">
        <Ago at={at} />
      </span>
    </Link>
  );
}

/** How much of each kind is attached. */
function Attached({ of }: { readonly of: readonly AttachedAnswer[] }): ReactElement {
  const count = (kind: AttachedAnswer['kind']) => of.filter((one) => one.kind === kind).length;
  const signatures = count('signature');
  const attestations = count('attestation');
  const others = count('other');
  if (of.length === 0) return <span className="dim">nothing</span>;
  return (
    <span className="words">
      {signatures === 0 ? null : <Label tone="mute">{plural(signatures, 'signature')}</Label>}
      {attestations === 0 ? null : <Label tone="mute">{plural(attestations, 'attestation')}</Label>}
      {others === 0 ? null : <Label tone="mute">{plural(others, 'other')}</Label>}
    </span>
  );
}
