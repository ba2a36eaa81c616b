import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { RolloutAnswer } from '../../api/rollouts.ts';
import { countText, plural, shortDigestsIn } from '../../parts/format.ts';
import { Label } from '../../parts/mark.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { Ago, DigestText, ImageName } from '../../parts/values.tsx';

type Denial = RolloutAnswer['wouldDeny'][number];

/** What a policy would have denied since its window was opened, and what passed it later. */
export function WouldDeny({ of }: { readonly of: RolloutAnswer }): ReactElement {
  const { wouldDeny, cutOver } = of;
  const what = cutOver === null ? 'would have denied' : 'would have denied, or denies';
  const left = wouldDeny.filter(({ mendedAt }) => mendedAt === null).length;
  if (wouldDeny.length === 0) return <p>There is nothing that it {what} since.</p>;
  return (
    <>
      <h3>
        {`What it ${what}: ${plural(left, 'image')} left, ${countText(wouldDeny.length - left)} mended`}
      </h3>
      <DataTable
        caption={`What it ${what}, the newest first`}
        columns={COLUMNS}
        rows={wouldDeny}
        rowKey={keyOf}
      />
    </>
  );
}

function keyOf({ repository, digest, namespace, code }: Denial): string {
  return JSON.stringify([repository, digest, namespace, code]);
}

const COLUMNS: readonly Column<Denial>[] = [
  {
    title: 'Image',
    kind: 'main',
    cell: ({ repository, digest, lastDecision }) => (
      <>
        <Link className="image-link" to="/decisions/$id" params={{ id: lastDecision }}>
          <ImageName of={repository} />
        </Link>
        <span className="sub">
          {digest === null ? 'a tag that was not resolved' : <DigestText of={digest} />}
        </span>
      </>
    ),
  },
  {
    title: 'Where',
    cell: ({ surfaces, namespace }) =>
      namespace === null ? surfaces.join(', ') : `${surfaces.join(', ')} in ${namespace}`,
  },
  {
    title: 'Why',
    cell: ({ says, code }) => (
      <>
        {shortDigestsIn(says)}
        {code === null ? null : <code className="sub dim">{code}</code>}
      </>
    ),
  },
  {
    title: 'Seen',
    cell: ({ count, lastSeen }) => (
      <>
        <Ago at={lastSeen} />
        <span className="sub dim">{plural(count, 'time')}</span>
      </>
    ),
  },
  {
    title: 'Since',
    cell: ({ mendedAt }) =>
      mendedAt === null ? (
        <Label tone="bad" icon="cross">
          not mended
        </Label>
      ) : (
        <Label tone="good" icon="check">
          mended
        </Label>
      ),
  },
];
