import { Group, Text, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import type { Entry } from '../../api/s3';
import { useT } from '../../i18n';
import classes from './ObjectList.module.css';
import { ObjectRow } from './ObjectRow';
import type { Column, Order } from './order';
import { rowID, type Selection } from './selection';
import { shift, span } from './window';

const height = 40;

export interface ObjectListProps {
  label: string;
  /** Rows known so far, and whether there are no more. */
  total: number;
  complete: boolean;
  row: (n: number) => Entry | undefined;
  /** Is told which rows are drawn. */
  look: (from: number, to: number) => void;
  /** Length of the folder's prefix, which names are shown without. */
  cut: number;
  selection: Selection;
  /** Rows that are in memory, for "select all". */
  known: () => Entry[];
  order?: Order | undefined;
  /** Absent when the listing is too long to be sorted here. */
  onOrder: ((o: Order) => void) | undefined;
  href: (e: Entry) => string;
  onOpen: (e: Entry) => void;
  onUp: () => void;
  onDelete: () => void;
  onRename: (e: Entry) => void;
  menu: (e: Entry) => ReactNode;
  /** Below the last row. */
  footer?: ReactNode;
  /** What makes it another list, which begins at the top. */
  scope: string;
}

/** Rows of a listing of any length; only those in sight are in the document. */
export function ObjectList(p: ObjectListProps) {
  const t = useT();
  const frame = useRef<HTMLDivElement>(null);
  const scroll = useRef<HTMLDivElement>(null);
  const [base, setBase] = useState(0);
  const [active, setActive] = useState(0);
  const anchor = useRef(0);
  const count = Math.min(p.total - base, span);
  const virtual = useVirtualizer({ count: Math.max(count, 0), getScrollElement: () => scroll.current, estimateSize: () => height, overscan: 12 });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;

  const { look, scope, total } = p;
  const drawn = items.length > 0 || total === 0;
  useEffect(() => {
    if (drawn) look(base + first, base + last);
  }, [look, base, first, last, drawn]);

  useEffect(() => {
    setBase(0);
    setActive(0);
    anchor.current = 0;
    if (scroll.current) scroll.current.scrollTop = 0;
  }, [scope]);

  // The part of the rows that the scroller holds moves on before its end is reached; what is seen stays where it is.
  // Where that is in the moved part is noted before, since a part that has become shorter has cut the position already.
  const target = useRef<number>(undefined);
  useEffect(() => {
    // The scroller is asked, since what is drawn lags behind it.
    const top = scroll.current?.scrollTop ?? 0;
    const by = shift(base, Math.floor(top / height), total);
    if (by !== 0) {
      target.current = top - by * height;
      setBase(base + by);
    }
  }, [base, first, total]);
  useLayoutEffect(() => {
    if (target.current !== undefined && scroll.current) scroll.current.scrollTop = target.current;
    target.current = undefined;
  }, [base]);

  const move = (to: number, extend: boolean) => {
    const n = Math.min(Math.max(to, 0), p.total - 1);
    if (n < 0) return;
    setActive(n);
    if (n < base) setBase(Math.max(0, n - span / 2));
    else virtual.scrollToIndex(Math.min(n - base, count - 1), { align: 'auto' });
    if (extend) p.selection.set(range(p, anchor.current, n));
    else anchor.current = n;
  };
  const pageRows = () => Math.max(1, Math.floor((scroll.current?.clientHeight ?? 400) / height) - 1);

  const key = (e: KeyboardEvent) => {
    if (e.target !== frame.current && e.target !== scroll.current) return;
    const entry = p.row(active);
    const keys: Record<string, () => void> = {
      ArrowDown: () => move(active + 1, e.shiftKey),
      ArrowUp: () => move(active - 1, e.shiftKey),
      PageDown: () => move(active + pageRows(), e.shiftKey),
      PageUp: () => move(active - pageRows(), e.shiftKey),
      Home: () => move(0, e.shiftKey),
      End: () => move(p.total - 1, e.shiftKey),
      Enter: () => entry && p.onOpen(entry),
      ' ': () => entry && p.selection.toggle(entry),
      Backspace: p.onUp,
      Escape: p.selection.clear,
      Delete: p.onDelete,
      F2: () => entry && p.onRename(entry),
    };
    const act = e.key === 'a' && (e.ctrlKey || e.metaKey) ? () => p.selection.set(p.known()) : keys[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  };

  const click = (n: number, entry: Entry, extend: boolean) => {
    if (extend) p.selection.add(range(p, anchor.current, n));
    else p.selection.toggle(entry);
    anchor.current = n;
    setActive(n);
  };

  const known = p.total > 0 && p.selection.entries.size > 0;
  return (
    <div
      ref={frame}
      className={classes.frame}
      tabIndex={0}
      onKeyDown={key}
      aria-activedescendant={items.some((i) => base + i.index === active) ? `row-${active}` : undefined}
      role="grid"
      aria-label={p.label}
      aria-rowcount={p.complete ? p.total + 1 : -1}
      aria-multiselectable="true"
    >
      <div role="rowgroup">
        <div className={classes.head} role="row" aria-rowindex={1}>
          <div className={classes.check} role="columnheader">
            <input
              type="checkbox"
              className={classes.box}
              aria-label={t('files.select.all')}
              checked={known && p.selection.entries.size >= p.known().length}
              ref={(box) => {
                if (box) box.indeterminate = known && p.selection.entries.size < p.known().length;
              }}
              onChange={(e) => (e.currentTarget.checked ? p.selection.set(p.known()) : p.selection.clear())}
            />
          </div>
          <Head column="name" title={t('ui.name')} {...p} />
          <Head column="size" title={t('files.size')} {...p} className={classes.num} />
          <Head column="modified" title={t('files.modified')} {...p} className={`${classes.num} ${classes.modified}`} />
          <div role="columnheader">
            <VisuallyHidden>{t('action.more')}</VisuallyHidden>
          </div>
        </div>
      </div>
      <div
        ref={scroll}
        className={classes.scroll}
        role="rowgroup"
        tabIndex={-1}
      >
        <div style={{ height: virtual.getTotalSize(), position: 'relative' }} role="presentation">
          {items.map((i) => {
            const n = base + i.index;
            const entry = p.row(n);
            return (
              <ObjectRow
                key={entry ? rowID(entry) : n}
                number={n}
                top={i.start}
                entry={entry}
                cut={p.cut}
                active={n === active}
                chosen={entry !== undefined && p.selection.has(entry)}
                onChoose={click}
                onActive={setActive}
                href={p.href}
                menu={p.menu}
              />
            );
          })}
        </div>
        {p.footer}
      </div>
    </div>
  );
}

function range(p: ObjectListProps, a: number, b: number): Entry[] {
  const out: Entry[] = [];
  for (let n = Math.min(a, b); n <= Math.max(a, b); n++) {
    const e = p.row(n);
    if (e) out.push(e);
  }
  return out;
}

function Head({ column, title, order, onOrder, className }: { column: Column; title: string; className?: string } & Pick<ObjectListProps, 'order' | 'onOrder'>) {
  const t = useT();
  const mine = order?.by === column;
  const arrow = mine && (order.down ? <IconArrowDown size={13} aria-hidden /> : <IconArrowUp size={13} aria-hidden />);
  return (
    <div role="columnheader" className={className} aria-sort={mine ? (order.down ? 'descending' : 'ascending') : undefined} title={onOrder ? undefined : t('files.sort.long')}>
      {onOrder ? (
        <UnstyledButton fz="sm" fw={600} onClick={() => onOrder({ by: column, down: mine && !order.down })} aria-label={t('ui.sort', { column: title })}>
          <Group gap={3} wrap="nowrap" component="span">
            {title}
            {arrow}
          </Group>
        </UnstyledButton>
      ) : (
        <Text span fz="sm" fw={600}>
          {title}
        </Text>
      )}
    </div>
  );
}
