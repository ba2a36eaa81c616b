import type { ReactElement, ReactNode } from 'react';
import { Loading, Problem } from './states.tsx';

/** As much of a query as shows where its answer stands. */
interface Asked<Data> {
  readonly data: Data | undefined;
  readonly error: unknown;
  readonly refetch: () => Promise<unknown>;
}

/**
 * What a query answered, as `children` show it. Until then lines hold its place; a failure stands
 * above what is still there of an earlier answer.
 */
export function Answered<Data>(props: {
  readonly query: Asked<Data>;
  /** How many lines hold its place. */
  readonly rows?: number;
  readonly children: (data: Data) => ReactNode;
}): ReactElement {
  const { query, rows, children } = props;
  const { data, error, refetch } = query;
  return (
    <>
      {error === null ? null : <Problem error={error} retry={() => void refetch()} />}
      {data !== undefined ? (
        children(data)
      ) : error === null ? (
        <Loading {...(rows === undefined ? {} : { rows })} />
      ) : null}
    </>
  );
}
