import type { ReactElement, ReactNode } from 'react';
import './table.css';

/** A column: its title and what stands in it for a row. */
export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** `main` stands at the head of a row's card on a phone, `acts` at its end; a `name` breaks between words. */
  readonly kind?: 'main' | 'acts' | 'number' | 'name';
}

/**
 * Rows under titled columns; on a narrow screen each row is a card. The roles are written out, since
 * a table that is laid out otherwise would lose them in some browsers.
 */
export function DataTable<Row>(props: {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** Rows that were not there a moment ago. */
  readonly fresh?: ReadonlySet<string>;
}): ReactElement {
  const { caption, columns, rows, rowKey, fresh } = props;
  return (
    // biome-ignore-start lint/a11y/noRedundantRoles: see above
    <table className="data" role="table">
      <caption className="for-readers">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map(({ title, kind }) => (
            <th key={title} role="columnheader" scope="col" data-kind={kind}>
              {kind === 'acts' ? <span className="for-readers">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr
            key={rowKey(row)}
            role="row"
            data-fresh={fresh?.has(rowKey(row)) === true ? '' : undefined}
          >
            {columns.map(({ title, cell, kind }) => (
              <td key={title} role="cell" data-title={title} data-kind={kind}>
                <div className="cell">{cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
    // biome-ignore-end lint/a11y/noRedundantRoles: see above
  );
}
