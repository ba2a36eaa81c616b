import { type KeyboardEvent, type ReactElement, useMemo, useRef, useState } from 'react';
import type { FindingAnswer } from '../../api/decisions.ts';
import { Icon } from '../../parts/icons.tsx';
import { Mark } from '../../parts/mark.tsx';
import {
  closable,
  closedAtFirst,
  countFindings,
  moveFor,
  type TreeRow,
  visibleRows,
} from './tree-rows.ts';
import './finding-tree.css';

/** A decision's tree, to be walked with the keys of a tree view; every door shows the same tree. */
export function FindingTree({ root }: { readonly root: FindingAnswer }): ReactElement {
  const [closed, setClosed] = useState(() => closedAtFirst(root));
  const [current, setCurrent] = useState('0');
  const list = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => visibleRows(root, closed), [root, closed]);
  // A row that was closed away hands its place to the root.
  const active = rows.some(({ id }) => id === current) ? current : '0';
  const toggle = (id: string) => {
    const next = new Set(closed);
    if (!next.delete(id)) next.add(id);
    setClosed(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const move = moveFor(event.key, active, rows);
    if (move === null) return;
    event.preventDefault();
    if ('open' in move) return toggle(move.open);
    if ('close' in move) return toggle(move.close);
    setCurrent(move.go);
    list.current?.querySelector<HTMLElement>(`[data-id="${move.go}"]`)?.focus();
  };
  return (
    <>
      <div className="tree-tools">
        <span className="dim">{countFindings(root)} findings</span>
        <button type="button" className="quiet" onClick={() => setClosed(new Set())}>
          Open all
        </button>
        <button type="button" className="quiet" onClick={() => setClosed(closable(root))}>
          Close all
        </button>
      </div>
      <div className="tree" role="tree" aria-label="Findings" ref={list} onKeyDown={onKeyDown}>
        {rows.map((row) => (
          <Row
            key={row.id}
            row={row}
            active={row.id === active}
            onFocus={() => setCurrent(row.id)}
            onToggle={() => toggle(row.id)}
          />
        ))}
      </div>
    </>
  );
}

function Row(props: {
  readonly row: TreeRow;
  readonly active: boolean;
  readonly onFocus: () => void;
  readonly onToggle: () => void;
}): ReactElement {
  const { row, active, onFocus, onToggle } = props;
  const { check, outcome, says, source, code } = row.finding;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree itself takes the keys
    <div
      role="treeitem"
      className="finding"
      data-id={row.id}
      data-level={Math.min(row.level, 12)}
      data-outcome={outcome}
      aria-level={row.level}
      aria-posinset={row.position}
      aria-setsize={row.siblings}
      aria-selected={active}
      aria-expanded={row.children === 0 ? undefined : row.expanded}
      tabIndex={active ? 0 : -1}
      onFocus={onFocus}
      onClick={row.children === 0 ? undefined : onToggle}
    >
      <span className="finding-twist">{row.children === 0 ? null : <Icon name="chevron" />}</span>
      <div className="finding-body">
        <p className="finding-line">
          <Mark of={outcome} /> <code className="finding-check">{check}</code>
          {row.needs === null ? null : <span className="dim">needs {row.needs}</span>}
          {row.children > 0 && !row.expanded ? (
            <span className="dim">{countFindings(row.finding) - 1} findings below</span>
          ) : null}
        </p>
        <p className="finding-says">{says}</p>
        {source === undefined && code === undefined ? null : (
          <p className="finding-notes dim">
            {source === undefined ? null : <span>{source}</span>}
            {code === undefined ? null : <code>{code}</code>}
          </p>
        )}
        {row.remedy === null ? null : (
          <p className="finding-remedy">
            <strong>Remedy:</strong> {row.remedy}
          </p>
        )}
      </div>
    </div>
  );
}
