import type { ReactElement, ReactNode } from 'react';
import { Icon } from './icons.tsx';

/** Which page of a list the newest first; the newest page has no beginning of its own. */
interface PageStart {
  readonly before?: string;
}

/** The way to older pages of a list, and back to the newest; nothing where one page is all. */
export function Pager(props: {
  /** Where this page begins. */
  readonly before: string | undefined;
  /** Where the next older one does; null: there is none. */
  readonly next: string | number | null;
  /** What is said on the oldest page. */
  readonly none: string;
  /** A link to a page of the same list with the same filters. */
  readonly link: (page: PageStart, text: ReactNode) => ReactElement;
}): ReactElement | null {
  const { before, next, none, link } = props;
  if (before === undefined && next === null) return null;
  return (
    <nav className="pager" aria-label="Pages">
      {before === undefined ? (
        <span />
      ) : (
        link(
          {},
          <>
            <Icon name="newer" /> Newest
          </>,
        )
      )}
      {next === null ? (
        <span className="dim">{none}</span>
      ) : (
        link(
          { before: String(next) },
          <>
            Older <Icon name="chevron" />
          </>,
        )
      )}
    </nav>
  );
}
