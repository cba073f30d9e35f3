import { Box, Text } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type ReactNode } from 'react';
import classes from './live.module.css';

interface Props<T> {
  label: string;
  lines: T[];
  /** Columns of the grid, in CSS. */
  head: ReactNode;
  row: (line: T) => ReactNode;
  empty: string;
  rowClass: string | undefined;
  /** Rows are stacked on narrow screens, where the head would say nothing. */
  stacked?: boolean;
}

/** A list that grows at its end; it follows the end as long as one has not scrolled away from it. */
export function LiveList<T extends { n: number }>({ label, lines, head, row, empty, rowClass = '', stacked }: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const rows = useVirtualizer({ count: lines.length, getScrollElement: () => box.current, estimateSize: () => 34, overscan: 12, getItemKey: (i) => lines[i]!.n });
  useEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <Box className={classes.frame} role="table" aria-label={label} aria-rowcount={lines.length + 1}>
      <div className={`${classes.head} ${rowClass} ${stacked ? classes.headWide : ''}`} role="row" aria-rowindex={1}>
        {head}
      </div>
      <div
        ref={box}
        className={classes.box}
        tabIndex={0}
        role="rowgroup"
        aria-label={label}
        onScroll={(e) => {
          const b = e.currentTarget;
          follows.current = b.scrollHeight - b.scrollTop - b.clientHeight < 40;
        }}
      >
        {lines.length === 0 && (
          <div role="row">
            <Text role="cell" p="lg" ta="center" c="dimmed">
              {empty}
            </Text>
          </div>
        )}
        <div style={{ height: rows.getTotalSize(), position: 'relative' }} role="presentation">
          {rows.getVirtualItems().map((v) => (
            <div
              key={v.key}
              data-index={v.index}
              ref={rows.measureElement}
              className={`${classes.row} ${rowClass}`}
              style={{ transform: `translateY(${v.start}px)` }}
              role="row"
              aria-rowindex={v.index + 2}
            >
              {row(lines[v.index]!)}
            </div>
          ))}
        </div>
      </div>
    </Box>
  );
}
