import { Menu } from '@mantine/core';
import { IconArrowBackUp, IconCopy, IconDots, IconDownload, IconFolderOpen, IconFolderSymlink, IconInfoCircle, IconPencil, IconShare2, IconTrash } from '@tabler/icons-react';
import { memo, useState } from 'react';
import type { Entry } from '../api/s3';
import { baseName } from '../api/s3url';
import { useT, type Key } from '../i18n';
import classes from './list/ObjectList.module.css';

export type Act = 'open' | 'download' | 'share' | 'rename' | 'copy' | 'move' | 'delete' | 'restore';

const all: Record<Act, { icon: typeof IconDots; label: Key; red?: true }> = {
  open: { icon: IconInfoCircle, label: 'files.details' },
  download: { icon: IconDownload, label: 'files.download' },
  share: { icon: IconShare2, label: 'files.share' },
  rename: { icon: IconPencil, label: 'files.rename' },
  copy: { icon: IconCopy, label: 'files.copyTo' },
  move: { icon: IconFolderSymlink, label: 'files.moveTo' },
  restore: { icon: IconArrowBackUp, label: 'files.restore' },
  delete: { icon: IconTrash, label: 'action.delete', red: true },
};

/** What can be done with a row. */
export function actsOf(e: Entry): Act[] {
  if (e.kind === 'marker') return ['open', 'restore', 'delete'];
  if (e.kind === 'prefix') return ['open', 'download', 'rename', 'copy', 'move', 'delete'];
  return ['open', 'download', 'share', 'rename', 'copy', 'move', 'delete'];
}

/** The menu of a row; its items are made when it is opened. */
export const RowMenu = memo(function RowMenu({ entry, act }: { entry: Entry; act: (a: Act, e: Entry) => void }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const button = (
    <button type="button" className={classes.menu} tabIndex={-1} aria-label={t('files.actions', { name: baseName(entry.key) })} aria-haspopup="menu" onClick={() => setOpen(true)}>
      <IconDots size={18} />
    </button>
  );
  if (!open) return button;
  return (
    <Menu opened onChange={setOpen} position="bottom-end">
      <Menu.Target>{button}</Menu.Target>
      <Menu.Dropdown>
        {actsOf(entry).map((a) => {
          const { icon: Shape, label, red } = all[a];
          const folder = a === 'open' && entry.kind === 'prefix';
          return (
            <Menu.Item key={a} c={red && 'var(--mantine-color-error)'} leftSection={folder ? <IconFolderOpen size={16} aria-hidden /> : <Shape size={16} aria-hidden />} onClick={() => act(a, entry)}>
              {t(folder ? 'files.open' : label)}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
});
