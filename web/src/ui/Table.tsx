import type { ReactNode } from 'react';
import css from './Table.module.css';

export type Column<R> = {
  key: string;
  /** Heading; on a phone it stands beside the value. Empty for a column of buttons. */
  label: string;
  cell: (row: R) => ReactNode;
  /** `end` for numbers and buttons. */
  align?: 'start' | 'end';
  /** The cell that names the row: the title of its card on a phone. */
  main?: boolean;
};

/** Rows that become cards on a phone. `caption` is for readers of the page by ear. */
export function Table<R>({
  caption,
  columns,
  rows,
  rowKey,
}: {
  caption: string;
  columns: Column<R>[];
  rows: R[];
  rowKey: (row: R) => string;
}) {
  // The roles are written out because cards are not laid out as tables, and browsers then forget
  // that they are.
  return (
    <table className={css.table} role="table" aria-label={caption}>
      <thead className={css.head} role="rowgroup">
        <tr role="row">
          {columns.map((column) => (
            <th key={column.key} scope="col" role="columnheader" data-align={column.align}>
              {column.label || <span className="unseen">{caption}</span>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map((row) => (
          <tr key={rowKey(row)} role="row">
            {columns.map((column) => (
              <td
                key={column.key}
                role="cell"
                data-align={column.align}
                data-main={column.main || undefined}
              >
                {column.label && !column.main && (
                  <span className={css.label} aria-hidden>
                    {column.label}
                  </span>
                )}
                <div className={css.value}>{column.cell(row)}</div>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
