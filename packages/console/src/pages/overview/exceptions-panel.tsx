import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { type ExceptionAnswer, exceptionsQuery } from '../../api/exceptions.ts';
import { Answered } from '../../parts/answered.tsx';
import { KindLabel, ReviewLabel } from '../../parts/exception-label.tsx';
import { plural } from '../../parts/format.ts';
import { Panel } from '../../parts/page.tsx';
import { ImageName, Remaining } from '../../parts/values.tsx';

const SHOWN = 5;

/** What lets images in past what policies require, the first to end first; and what is to be done. */
export function ExceptionsPanel(): ReactElement {
  const query = useQuery(exceptionsQuery({ state: 'in-force' }));
  const { openReviews = 0, inForce = 0 } = query.data?.counts ?? {};
  return (
    <Panel
      title="Exceptions in force"
      aside={
        <span className="words">
          {openReviews === 0 ? null : (
            <Link to="/exceptions" search={{ review: 'open' }}>
              {plural(openReviews, 'open review')}
            </Link>
          )}
          <Link to="/exceptions">All exceptions</Link>
        </span>
      }
    >
      <Answered query={query} rows={1}>
        {({ exceptions }) =>
          exceptions.length === 0 ? (
            <p className="dim">None: nothing is let in past what policies require.</p>
          ) : (
            <>
              <ul className="in-force">
                {firstToEnd(exceptions).map((one) => (
                  <InForce key={one.id} of={one} />
                ))}
              </ul>
              {inForce > SHOWN ? (
                <p>
                  <Link to="/exceptions" search={{ state: 'in-force' }}>
                    {plural(inForce, 'exception')} in force
                  </Link>
                </p>
              ) : null}
            </>
          )
        }
      </Answered>
    </Panel>
  );
}

function firstToEnd(exceptions: readonly ExceptionAnswer[]): readonly ExceptionAnswer[] {
  return exceptions.toSorted((a, b) => (a.expires < b.expires ? -1 : 1)).slice(0, SHOWN);
}

function InForce({ of }: { readonly of: ExceptionAnswer }): ReactElement {
  const { id, name, kind, repository, expires, review } = of;
  return (
    <li>
      <span className="words">
        <KindLabel kind={kind} />
        <ReviewLabel review={review} />
        <Link to="/exceptions/$id" params={{ id }}>
          {name}
        </Link>
        <span className="mono dim">
          <ImageName of={repository} />
        </span>
      </span>
      <span className="dim">
        <Remaining until={expires} over="expired" />
      </span>
    </li>
  );
}
