import type { ReactNode } from 'react';
import { classes } from '../ui/classes.js';
import { LoadingNote, Skeleton } from '../ui/skeleton.js';

export type Column<Row> = {
  id: string;
  header: ReactNode;
  cell: (row: Row) => ReactNode;
  /** Tailwind classes of the column's cells: width, alignment, when to hide. */
  className?: string;
  /** Classes on a narrow screen, when the table `isStacked`: order, and `basis-full` for a line of its own. */
  stacked?: string;
};

/** Among a column's `stacked`: puts the column's header in front of the value where the header row is not shown. */
export const stackedLabel =
  'max-md:before:mr-1.5 max-md:before:text-2xs max-md:before:text-faint max-md:before:content-[attr(data-label)]';

type DataTableProps<Row> = {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[] | undefined;
  rowKey: (row: Row) => string;
  rowClassName?: (row: Row) => string;
  /** Instead of rows, when there are none. */
  empty: ReactNode;
  /** Instead of the table, when it could not be loaded. */
  error?: ReactNode;
  skeletonRows?: number;
  /** Cells of several lines begin at the same height. */
  isTall?: boolean;
  /** On a narrow screen each row becomes a block with its cells below each other, instead of a table that scrolls sideways. */
  isStacked?: boolean;
};

/** A table with its four states: rows, loading (`rows` undefined), empty, error. Wide tables scroll within their frame. */
export function DataTable<Row>({
  label,
  columns,
  rows,
  rowKey,
  rowClassName,
  empty,
  error,
  skeletonRows = 6,
  isTall,
  isStacked,
}: DataTableProps<Row>) {
  if (error) return error;
  if (rows?.length === 0) return empty;
  return (
    <div className="relative w-full overflow-x-auto" aria-busy={rows === undefined || undefined}>
      {rows === undefined ? <LoadingNote what={label.toLowerCase()} /> : null}
      {/* A row that is laid out as a flex box would lose its role; said outright it stays a row for everyone. */}
      <table
        role={isStacked ? 'table' : undefined}
        aria-label={label}
        className={classes('w-full border-collapse text-left text-sm', isStacked && 'max-md:block')}
      >
        <thead role={isStacked ? 'rowgroup' : undefined} className={isStacked ? 'max-md:sr-only' : undefined}>
          <tr role={isStacked ? 'row' : undefined} className="border-b border-line bg-canvas">
            {columns.map(({ id, header, className }) => (
              <th
                key={id}
                role={isStacked ? 'columnheader' : undefined}
                scope="col"
                className={classes(
                  'h-8 px-3 text-xs font-medium whitespace-nowrap text-muted first:pl-4 last:pr-4',
                  className,
                )}
              >
                {header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role={isStacked ? 'rowgroup' : undefined} className={isStacked ? 'max-md:block' : undefined}>
          {rows === undefined
            ? Array.from({ length: skeletonRows }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
                <tr key={index} className="border-b border-line last:border-0">
                  {columns.map(({ id, className }) => (
                    <td key={id} className={classes('h-10 px-3 first:pl-4 last:pr-4', className)}>
                      <Skeleton className="h-3.5 w-[70%] max-w-40" />
                    </td>
                  ))}
                </tr>
              ))
            : rows.map((row) => (
                <tr
                  key={rowKey(row)}
                  role={isStacked ? 'row' : undefined}
                  className={classes(
                    'border-b border-line transition-colors last:border-0 hover:bg-hover/60',
                    isStacked && 'max-md:flex max-md:flex-wrap max-md:gap-x-4 max-md:gap-y-2 max-md:p-4',
                    rowClassName?.(row),
                  )}
                >
                  {columns.map(({ id, header, cell, className, stacked }) => (
                    <td
                      key={id}
                      role={isStacked ? 'cell' : undefined}
                      data-label={typeof header === 'string' ? header : undefined}
                      className={classes(
                        'px-3 py-2 first:pl-4 last:pr-4',
                        isTall ? 'align-top' : 'align-middle',
                        isStacked && 'max-md:w-auto! max-md:max-w-full! max-md:min-w-0! max-md:p-0!',
                        className,
                        stacked,
                      )}
                    >
                      {cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
        </tbody>
      </table>
    </div>
  );
}
