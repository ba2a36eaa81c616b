import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { isAbsent } from '../../api/problem.ts';
import {
  type ImpactAnswer,
  type SimulationAnswer,
  simulationQuery,
} from '../../api/simulations.ts';
import { Answered } from '../../parts/answered.tsx';
import { CopyButton } from '../../parts/copy.tsx';
import { plural } from '../../parts/format.ts';
import { Page } from '../../parts/page.tsx';
import { Empty, Notice } from '../../parts/states.tsx';
import { Ago } from '../../parts/values.tsx';
import { ImpactResult } from './impact-result.tsx';
import { SimulationResult } from './simulation-result.tsx';
import { changedImages, cutText, shortfallText, touchedImages } from './words.ts';

const route = getRouteApi('/app/simulations/$id');

/** One simulation or impact with all that came out. */
export function SimulationPage(): ReactElement {
  const { id } = route.useParams();
  const search = route.useSearch();
  const query = useQuery(simulationQuery(id));
  const { data, error } = query;
  if (isAbsent(error)) {
    return (
      <Page title="No such simulation">
        <Empty title="No simulation of this id is stored">
          <p>The newest two hundred are kept. Ask again for what is gone.</p>
          <Link to="/simulations">All simulations</Link>
        </Empty>
      </Page>
    );
  }
  const title = data === undefined ? 'Simulation' : titleOf(data);
  return (
    <Page
      title={title}
      lead={
        <span className="id-line">
          <Link to="/simulations">Simulations</Link>
          <span aria-hidden="true">/</span>
          <code>{id}</code>
          <CopyButton text={id} what="simulation id" compact />
        </span>
      }
    >
      <Answered query={query} rows={8}>
        {(simulation) => (
          <div className="stack">
            <Told of={simulation} />
            {simulation.kind === 'impact' ? (
              <ImpactResult id={id} of={simulation} chosen={search.change} />
            ) : (
              <SimulationResult
                id={id}
                of={simulation}
                chosen={search.change}
                grouping={search.by}
              />
            )}
          </div>
        )}
      </Answered>
    </Page>
  );
}

function titleOf({ kind, asked }: SimulationAnswer | ImpactAnswer): string {
  return kind === 'impact' ? `If ${asked}` : `If these were in force: ${asked}`;
}

function Told({ of }: { readonly of: SimulationAnswer | ImpactAnswer }): ReactElement {
  const { totals, by, at } = of;
  const shortfall = shortfallText(totals);
  const cut = of.kind === 'impact' ? cutImpact(of) : cutSimulation(of);
  return (
    <>
      <p className="dim">
        {plural(totals.images, 'image')} of {plural(totals.decisions, 'decision')} asked again by{' '}
        {by.name}, <Ago at={at} />.
      </p>
      {shortfall === null ? null : <Notice tone="warn">{shortfall}</Notice>}
      {cut === null ? null : <Notice tone="warn">{cut}</Notice>}
    </>
  );
}

function cutSimulation({ totals, result }: SimulationAnswer): string | null {
  return cutText(result.changes.length, changedImages(totals));
}

function cutImpact({ totals, result }: ImpactAnswer): string | null {
  return cutText(result.images.length, touchedImages(totals));
}
