import { memo, type ReactNode } from 'react';
import { Link } from 'wouter';
import type { Entry } from '../../api/s3';
import { useT } from '../../i18n';
import { ByteSize } from '../../ui/ByteSize';
import { When } from '../../ui/When';
import { FileIcon } from './FileIcon';
import classes from './ObjectList.module.css';

interface Props {
  number: number;
  top: number;
  /** Absent while its page is on the way. */
  entry: Entry | undefined;
  cut: number;
  active: boolean;
  chosen: boolean;
  onChoose: (n: number, e: Entry, extend: boolean) => void;
  onActive: (n: number) => void;
  href: (e: Entry) => string;
  menu: (e: Entry) => ReactNode;
}

/** One row of a listing. */
export const ObjectRow = memo(
  function ObjectRow({ number, top, entry, cut, active, chosen, onChoose, onActive, href, menu }: Props) {
    const t = useT();
    const style = { transform: `translateY(${top}px)` };
    const common = { role: 'row', className: classes.row, style, id: `row-${number}`, 'aria-rowindex': number + 2, 'data-active': active };
    if (!entry) {
      return (
        <div {...common}>
          <div role="gridcell" />
          <div role="gridcell" aria-label={t('ui.loading')}>
            <div className={classes.blank} style={{ width: `${30 + ((number * 37) % 40)}%` }} />
          </div>
        </div>
      );
    }
    const name = entry.key.slice(cut) || entry.key;
    const gone = entry.kind === 'marker';
    return (
      <div {...common} aria-selected={chosen} onClick={() => onActive(number)}>
        <div className={classes.check} role="gridcell">
          <input
            type="checkbox"
            className={classes.box}
            tabIndex={-1}
            aria-label={t('files.select', { name })}
            checked={chosen}
            onChange={() => undefined}
            onClick={(e) => {
              e.stopPropagation();
              onChoose(number, entry, e.shiftKey);
            }}
          />
        </div>
        <div className={`${classes.name} ${gone ? classes.gone : ''}`} role="gridcell" title={name}>
          <FileIcon entry={entry} />
          <Link href={href(entry)} tabIndex={-1}>
            {name}
          </Link>
        </div>
        <div className={classes.num} role="gridcell">
          {entry.kind === 'object' ? <ByteSize value={entry.size} /> : gone ? t('files.deleted') : ''}
        </div>
        <div className={`${classes.num} ${classes.modified}`} role="gridcell">
          {entry.modified && <When value={entry.modified} />}
        </div>
        <div role="gridcell">{menu(entry)}</div>
      </div>
    );
  },
  (a, b) => a.number === b.number && a.top === b.top && a.entry === b.entry && a.cut === b.cut && a.active === b.active && a.chosen === b.chosen && a.menu === b.menu && a.onChoose === b.onChoose,
);
