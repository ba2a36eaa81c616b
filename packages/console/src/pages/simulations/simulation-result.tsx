import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import type { SimulatedAnswer, SimulationAnswer } from '../../api/simulations.ts';
import { countText, plural, shortDigestsIn, shortReference } from '../../parts/format.ts';
import { Label } from '../../parts/mark.tsx';
import { Panel } from '../../parts/page.tsx';
import { type Column, DataTable } from '../../parts/table.tsx';
import { DigestText, Fact, Facts, ImageName } from '../../parts/values.tsx';
import { type ChangeGroup, GROUPINGS, type Grouping, groupChanges } from './groups.ts';
import { Tile } from './tile.tsx';
import { CHANGES, keyOf } from './words.ts';
import './simulations.css';

const CHANGE_NAMES = ['refused', 'admitted', 'warned', 'excepted', 'unknown'] as const;

/** What other policies would change. */
export function SimulationResult(props: {
  readonly id: string;
  readonly of: SimulationAnswer;
  readonly chosen: string | undefined;
  readonly grouping: string | undefined;
}): ReactElement {
  const { id, of, grouping } = props;
  const chosen = keyOf(CHANGES, props.chosen);
  const by = keyOf(GROUPINGS, grouping) ?? 'policy';
  const { totals, result } = of;
  const shown = result.changes.filter(({ change }) => chosen === null || change === chosen);
  return (
    <>
      <section className="counts counts-six" aria-label="What would change">
        {CHANGE_NAMES.map((change) => (
          <Tile
            key={change}
            {...{ id, change, by: grouping, ...CHANGES[change] }}
            count={totals[change]}
            chosen={chosen === change}
          />
        ))}
        <div className="count">
          <span className="count-number">
            {countText(totals.unchanged.admitted + totals.unchanged.refused)}
          </span>
          <Label tone="good" icon="check">
            unchanged
          </Label>
          <span className="sub dim">
            {countText(totals.unchanged.admitted)} admitted, {countText(totals.unchanged.refused)}{' '}
            denied
          </span>
        </div>
      </section>
      {shown.length === 0 ? (
        <Panel title="Images">
          <p className="dim">
            {chosen === null ? 'Nothing would change.' : `None is ${CHANGES[chosen].word}.`}
          </p>
        </Panel>
      ) : (
        <>
          <Grouped id={id} changes={shown} by={by} chosen={chosen} />
          <Images of={shown} chosen={chosen} id={id} by={grouping} />
        </>
      )}
      <Panel title="Compared">
        <Facts>
          <Fact name="In force then">
            <DigestText of={result.against} />
          </Fact>
          <Fact name="With these">
            <DigestText of={result.policySetHash} />
          </Fact>
        </Facts>
      </Panel>
    </>
  );
}

function Grouped(props: {
  readonly id: string;
  readonly changes: readonly SimulatedAnswer[];
  readonly by: Grouping;
  readonly chosen: string | null;
}): ReactElement {
  const { id, changes, by, chosen } = props;
  const title: Column<ChangeGroup> = {
    title: GROUPINGS[by],
    kind: 'main',
    cell: ({ value }) =>
      by === 'reason' ? (
        <code>{value}</code>
      ) : by === 'repository' ? (
        <span className="mono">
          <ImageName of={value} />
        </span>
      ) : (
        value
      ),
  };
  return (
    <Panel
      title="Where and why"
      flush
      aside={
        <nav className="words" aria-label="Told apart by">
          {Object.entries(GROUPINGS).map(([name, word]) => (
            <Link
              key={name}
              to="/simulations/$id"
              params={{ id }}
              search={{ ...(chosen === null ? {} : { change: chosen }), by: name }}
              resetScroll={false}
              activeProps={{}}
              className={name === by ? 'chosen' : ''}
              aria-current={name === by ? 'true' : undefined}
            >
              {word}
            </Link>
          ))}
        </nav>
      }
    >
      <DataTable
        caption={`Changes by ${GROUPINGS[by].toLowerCase()}`}
        columns={[title, ...GROUP_COLUMNS]}
        rows={groupChanges(changes, by)}
        rowKey={({ change, value }) => `${change} ${value}`}
      />
    </Panel>
  );
}

const GROUP_COLUMNS: readonly Column<ChangeGroup>[] = [
  { title: 'Change', cell: ({ change }) => <ChangeLabel change={change} /> },
  { title: 'Images', kind: 'number', cell: ({ images }) => countText(images) },
  { title: 'Decisions', kind: 'number', cell: ({ decisions }) => countText(decisions) },
];

function Images(props: {
  readonly id: string;
  readonly by: string | undefined;
  readonly of: readonly SimulatedAnswer[];
  readonly chosen: keyof typeof CHANGES | null;
}): ReactElement {
  const { id, by, of, chosen } = props;
  return (
    <Panel
      title={chosen === null ? 'Images that change' : `Images: ${CHANGES[chosen].word}`}
      flush
      aside={
        chosen === null ? undefined : (
          <Link
            to="/simulations/$id"
            params={{ id }}
            search={by === undefined ? {} : { by }}
            resetScroll={false}
          >
            All that change
          </Link>
        )
      }
    >
      {chosen === null ? null : <p className="dim class-says">{CHANGES[chosen].says}</p>}
      <DataTable
        caption="Images that change, each in the place where it was decided about"
        columns={COLUMNS}
        rows={of}
        rowKey={({ lastDecision, surface, namespace }) => `${lastDecision} ${surface} ${namespace}`}
      />
    </Panel>
  );
}

function ChangeLabel({ change }: { readonly change: SimulatedAnswer['change'] }) {
  if (change === null) return <Label tone="good">unchanged</Label>;
  const { word, tone, icon } = CHANGES[change];
  return (
    <Label tone={tone} icon={icon}>
      {word}
    </Label>
  );
}

const COLUMNS: readonly Column<SimulatedAnswer>[] = [
  {
    title: 'Image',
    kind: 'main',
    cell: ({ reference, digest, lastDecision }) => (
      <>
        <Link className="image-link" to="/decisions/$id" params={{ id: lastDecision }}>
          <ImageName of={shortReference(reference)} />
        </Link>
        {digest === null || reference.includes('@') ? null : (
          <span className="sub">
            <DigestText of={digest} copy={false} />
          </span>
        )}
      </>
    ),
  },
  { title: 'Change', cell: ({ change }) => <ChangeLabel change={change} /> },
  {
    title: 'Where',
    cell: ({ surface, namespace }) => (namespace === null ? surface : `${surface} in ${namespace}`),
  },
  {
    title: 'Why',
    cell: ({ because }) => (
      <ul className="plain-list">
        {because.map(({ policy, clause, code, says }) => (
          <li key={`${policy} ${clause} ${code}`}>
            {policy === null ? clause : `${policy}: ${clause}`} <code className="dim">{code}</code>
            <span className="sub dim">{shortDigestsIn(says)}</span>
          </li>
        ))}
      </ul>
    ),
  },
  { title: 'Asked for', kind: 'number', cell: ({ uses }) => plural(uses, 'time') },
];
