import { Button, Skeleton } from '@mantine/core';
import type { ReactElement, ReactNode } from 'react';
import { ApiProblem, isForbidden } from '../api/problem.ts';
import { Icon } from './icons.tsx';
import './states.css';

/** What stands where nothing is yet, and what to do next. */
export function Empty(props: {
  readonly title: string;
  readonly children: ReactNode;
}): ReactElement {
  return (
    <div className="empty">
      <h2>{props.title}</h2>
      {props.children}
    </div>
  );
}

/** What the server refused or could not do, with its code, its remedy and another try. */
export function Problem(props: {
  readonly error: unknown;
  /** What did not happen. */
  readonly title?: string;
  readonly retry?: () => void;
}): ReactElement {
  const { error, retry } = props;
  const problem = error instanceof ApiProblem ? error : null;
  const usual = isForbidden(error) ? 'Your role does not allow this' : 'This did not work';
  const defect = error instanceof Error ? error.message : 'an unknown failure';
  return (
    <div className="notice" data-tone={isForbidden(error) ? 'info' : 'bad'} role="alert">
      <Icon name={isForbidden(error) ? 'eye' : 'warning'} />
      <div>
        <h2>{props.title ?? usual}</h2>
        <p>{problem?.message ?? `The console failed: ${defect}`}</p>
        {problem === null || problem.remedy === null ? null : <p>{problem.remedy}</p>}
        {problem === null ? null : (
          <p className="dim">
            <code>{problem.code}</code>
          </p>
        )}
        {retry === undefined ? null : (
          <Button variant="default" size="xs" mt="xs" onClick={retry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

/** A sentence that wants attention where it stands. */
export function Notice(props: {
  readonly tone: 'bad' | 'warn' | 'info' | 'good';
  readonly children: ReactNode;
  readonly live?: boolean;
}): ReactElement {
  const { tone, children, live = false } = props;
  const icon = tone === 'good' ? 'check' : tone === 'info' ? 'eye' : 'warning';
  return (
    <div className="notice" data-tone={tone} role={live ? 'alert' : undefined}>
      <Icon name={icon} />
      <div>{children}</div>
    </div>
  );
}

/** Lines that hold the place of what is being read, so that nothing jumps when it comes. */
export function Loading({ rows = 6 }: { readonly rows?: number }): ReactElement {
  return (
    <div className="loading" role="status">
      <span className="for-readers">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <Skeleton key={row} height={36} radius="sm" />
      ))}
    </div>
  );
}
