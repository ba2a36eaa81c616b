import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { TagAnswer, TagHistoryAnswer } from '../../api/repositories.ts';
import { Label } from '../../parts/mark.tsx';
import { Panel } from '../../parts/page.tsx';
import { useMay } from '../../parts/session.tsx';
import { Problem } from '../../parts/states.tsx';
import { DataTable } from '../../parts/table.tsx';
import { DigestText, Instant } from '../../parts/values.tsx';

type TagPeriod = TagHistoryAnswer['history'][number];

/** The chosen tag: what is attached to its image, and what it led to before. */
export function TagPanel(props: {
  readonly repository: string;
  readonly tag: TagAnswer;
  /** Undefined where it cannot be read. */
  readonly history: readonly TagPeriod[] | undefined;
  readonly error: unknown;
}): ReactElement {
  const { repository, tag, history, error } = props;
  const mayDecisions = useMay('decisions.read');
  return (
    <Panel
      title={`Tag ${tag.tag}`}
      aside={
        <span className="words">
          {mayDecisions ? (
            <Link to="/decisions" search={{ digest: tag.digest }}>
              Decisions about it
            </Link>
          ) : null}
          <Link to="/repositories/$" params={{ _splat: repository }}>
            Close
          </Link>
        </span>
      }
    >
      <h3>Attached</h3>
      {tag.attached.length === 0 ? (
        <p className="dim">
          Nothing is attached: no signature, no attestation. A policy that asks for one refuses this
          image.
        </p>
      ) : (
        <ul className="policy-lines">
          {tag.attached.map(({ digest, kind, type }) => (
            <li key={digest}>
              <Label tone="mute">{kind}</Label>
              <code>{type}</code>
              <DigestText of={digest} />
            </li>
          ))}
        </ul>
      )}
      <h3>History</h3>
      {error === null ? null : <Problem error={error} />}
      {history === undefined ? null : <History tag={tag.tag} history={history} />}
    </Panel>
  );
}

function History(props: {
  readonly tag: string;
  readonly history: readonly TagPeriod[];
}): ReactElement {
  return (
    <DataTable
      caption={`What ${props.tag} led to, the newest first`}
      rows={props.history}
      rowKey={({ from }) => from}
      columns={[
        {
          title: 'Digest',
          kind: 'main',
          cell: ({ digest, rollback }) => (
            <span className="words">
              <DigestText of={digest} />
              {rollback ? (
                <Label tone="warn" icon="rollback">
                  rolled back
                </Label>
              ) : null}
            </span>
          ),
        },
        { title: 'From', cell: ({ from }) => <Instant at={from} /> },
        {
          title: 'Until',
          cell: ({ until }) => (until === null ? 'now' : <Instant at={until} />),
        },
      ]}
    />
  );
}
