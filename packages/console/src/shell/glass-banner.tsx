import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { breakGlassQuery, type ExceptionAnswer, type ExceptionsAnswer } from '../api/exceptions.ts';
import { plural } from '../parts/format.ts';
import { Icon } from '../parts/icons.tsx';
import { useMay } from '../parts/session.tsx';
import { ImageName, Remaining } from '../parts/values.tsx';
import './glass-banner.css';

/** So many are named; the list has the rest. */
const NAMED_MOST = 3;

/**
 * Says on every page that the glass is broken, or that a use of break-glass was not looked at yet; for
 * whoever may read exceptions. That it cannot be known is said as well.
 */
export function GlassBanner(): ReactElement | null {
  const may = useMay('exceptions.read');
  const { data, error } = useQuery(breakGlassQuery(may));
  if (!may) return null;
  if (data === undefined) {
    return error === null ? null : (
      <section className="glass glass-unknown" aria-label="Break-glass">
        <p>Whether break-glass holds cannot be read: {error.message}</p>
      </section>
    );
  }
  const { breakGlassInForce, openReviews } = data.counts;
  if (breakGlassInForce + openReviews === 0) return null;
  return (
    <section className="glass" aria-label="Break-glass" data-holds={breakGlassInForce > 0}>
      <Icon name="glass" />
      <div>
        {breakGlassInForce > 0 ? <Holding answer={data} /> : null}
        {openReviews > 0 ? (
          <p>
            <strong>
              {plural(openReviews, 'review')} of break-glass {openReviews === 1 ? 'is' : 'are'}{' '}
              open.
            </strong>{' '}
            Somebody else than who used it has to close {openReviews === 1 ? 'it' : 'each'}.{' '}
            <Link to="/exceptions" search={{ review: 'open' }}>
              See what is to be reviewed
            </Link>
          </p>
        ) : null}
      </div>
    </section>
  );
}

function Holding({ answer }: { readonly answer: ExceptionsAnswer }): ReactElement {
  const { breakGlassInForce } = answer.counts;
  const holding = answer.exceptions.filter(({ state }) => state === 'in-force');
  const named = holding.slice(0, NAMED_MOST);
  return (
    <>
      <p>
        <strong>BREAK-GLASS HOLDS</strong>
        {breakGlassInForce === 1 ? '' : ` (${plural(breakGlassInForce, 'use')})`}: images are let in
        past what policies require.
      </p>
      <ul className="plain-list">
        {named.map((one) => (
          <Held key={one.id} of={one} />
        ))}
      </ul>
      {breakGlassInForce > named.length ? (
        <p>
          <Link to="/exceptions" search={{ kind: 'break-glass', state: 'in-force' }}>
            See all that hold
          </Link>
        </p>
      ) : null}
    </>
  );
}

function Held({ of }: { readonly of: ExceptionAnswer }): ReactElement {
  const { id, name, repository, digest, expires } = of;
  return (
    <li>
      <Link to="/exceptions/$id" params={{ id }}>
        {name}
      </Link>{' '}
      for{' '}
      <span className="mono">
        <ImageName of={repository} />
      </span>
      {digest === null ? ', all of it' : ''}: <Remaining until={expires} over="ends now" />
    </li>
  );
}
