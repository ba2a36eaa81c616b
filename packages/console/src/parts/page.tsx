import { type ReactElement, type ReactNode, useEffect, useRef } from 'react';
import './page.css';

/** A page: its title in the window and at its head, where reading begins after a change of page. */
export function Page(props: {
  readonly title: string;
  /** What stands for the title at the head of the page. */
  readonly head?: ReactNode;
  readonly lead?: ReactNode;
  readonly acts?: ReactNode;
  readonly children: ReactNode;
}): ReactElement {
  const { title, head, lead, acts, children } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    const first = document.title === 'Bulla';
    document.title = `${title} · Bulla`;
    // Not on the first page: a reader begins at its top by itself.
    if (!first) heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <>
      <header className="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {head ?? title}
          </h1>
          {lead === undefined ? null : <p className="dim">{lead}</p>}
        </div>
        {acts === undefined ? null : <div className="page-acts">{acts}</div>}
      </header>
      {children}
    </>
  );
}

/** A part of a page in a box, with a title of its own. */
export function Panel(props: {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly flush?: boolean;
  readonly children: ReactNode;
}): ReactElement {
  const { title, aside, flush = false, children } = props;
  return (
    <section className={flush ? 'panel panel-flush' : 'panel'} aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
        {aside === undefined ? null : <div className="panel-aside">{aside}</div>}
      </div>
      {children}
    </section>
  );
}
