import { printable } from '@bulla/trust/fault/fault';

/** A column: its title, its widest cell, and which end of a cell that is too long goes. */
export interface Column {
  readonly title: string;
  readonly most: number;
  readonly cut?: 'start' | 'end';
}

const GAP = '  ';

/**
 * Rows below a line of titles, each column as wide as its widest cell and no wider than it may be.
 * Foreign text is escaped; what is cut has `…` in its place.
 */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const titles = columns.map(({ title }) => title);
  const cells = [titles, ...rows].map((row) =>
    columns.map((column, index) => fit(printable(row[index] ?? ''), column)),
  );
  const widths = columns.map((_, index) =>
    Math.max(...cells.map((row) => (row[index] ?? '').length)),
  );
  return cells.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
}

function fit(text: string, { most, cut = 'end' }: Column): string {
  if (text.length <= most) return text;
  return cut === 'end' ? `${text.slice(0, most - 1)}…` : `…${text.slice(-(most - 1))}`;
}
