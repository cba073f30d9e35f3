import { ActionIcon, Button, CloseButton, Group, Menu, Text, TextInput, Tooltip } from '@mantine/core';
import {
  IconArrowBackUp, IconCopy, IconDownload, IconFolderPlus, IconFolderSymlink, IconFolderUp, IconPencil, IconRefresh, IconSearch, IconSettings, IconShare2, IconTrash, IconTrashX, IconUpload, type Icon,
} from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import type { Entry } from '../api/s3';
import { useT, type Key } from '../i18n';
import { settingsPath } from './place';
import type { Act } from './RowMenu';
import { chosen, type Picked } from './transfer/drop';

interface Props {
  bucket: string;
  search: string;
  onSearch: (s: string) => void;
  versioned: boolean;
  deleted: boolean;
  onDeleted: (on: boolean) => void;
  loading: boolean;
  onRefresh: () => void;
  onFolder: () => void;
  onUpload: (list: Picked[]) => void;
}

/** What can be done in a folder. */
export function Toolbar(p: Props) {
  const t = useT();
  return (
    <Group gap="xs" justify="space-between">
      <Search search={p.search} onSearch={p.onSearch} />
      <Group gap="xs" wrap="nowrap">
        {p.versioned && (
          <Tooltip label={t('files.deleted.show')}>
            <ActionIcon variant={p.deleted ? 'filled' : 'default'} size={36} aria-label={t('files.deleted.show')} aria-pressed={p.deleted} onClick={() => p.onDeleted(!p.deleted)}>
              <IconTrashX size={17} />
            </ActionIcon>
          </Tooltip>
        )}
        <Tool icon={IconRefresh} label="action.refresh" onClick={p.onRefresh} loading={p.loading} />
        <Tool icon={IconFolderPlus} label="files.folder.new" onClick={p.onFolder} />
        <Tooltip label={t('buckets.settings')}>
          <ActionIcon variant="default" size={36} component={Link} href={settingsPath(p.bucket)} aria-label={t('buckets.settings')}>
            <IconSettings size={17} />
          </ActionIcon>
        </Tooltip>
        <Upload onUpload={p.onUpload} />
      </Group>
    </Group>
  );
}

function Tool({ icon: Shape, label, onClick, loading }: { icon: Icon; label: Key; onClick: () => void; loading?: boolean }) {
  const t = useT();
  return (
    <Tooltip label={t(label)}>
      <ActionIcon variant="default" size={36} onClick={onClick} aria-label={t(label)} loading={loading === true}>
        <Shape size={17} />
      </ActionIcon>
    </Tooltip>
  );
}

// Search waits for a pause in typing before it asks the server.
function Search({ search, onSearch }: { search: string; onSearch: (s: string) => void }) {
  const t = useT();
  const [text, setText] = useState(search);
  const field = useRef<HTMLInputElement>(null);
  const latest = useRef(onSearch);
  latest.current = onSearch;
  useEffect(() => setText(search), [search]);
  useEffect(() => {
    if (text === search) return;
    const timer = setTimeout(() => latest.current(text), 250);
    return () => clearTimeout(timer);
  }, [text, search]);
  useEffect(() => {
    const slash = (e: KeyboardEvent) => {
      const typing = e.target instanceof HTMLElement && (e.target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(e.target.tagName));
      if (e.key !== '/' || typing || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('[role=dialog]')) return;
      e.preventDefault();
      field.current?.focus();
    };
    addEventListener('keydown', slash);
    return () => removeEventListener('keydown', slash);
  }, []);
  return (
    <TextInput
      ref={field}
      aria-label={t('files.search')}
      placeholder={t('files.search')}
      leftSection={<IconSearch size={16} aria-hidden />}
      rightSection={text && <CloseButton size="sm" aria-label={t('action.clear')} onClick={() => setText('')} />}
      value={text}
      onChange={(e) => setText(e.currentTarget.value)}
      spellCheck={false}
      w={{ base: '100%', xs: 300 }}
    />
  );
}

function Upload({ onUpload }: { onUpload: (list: Picked[]) => void }) {
  const t = useT();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const take = (input: HTMLInputElement) => {
    if (input.files && input.files.length > 0) onUpload(chosen(input.files));
    input.value = '';
  };
  return (
    <>
      <input ref={files} type="file" multiple hidden onChange={(e) => take(e.currentTarget)} data-testid="files" />
      <input ref={folder} type="file" hidden onChange={(e) => take(e.currentTarget)} data-testid="folder" {...{ webkitdirectory: '' }} />
      <Menu position="bottom-end">
        <Menu.Target>
          <Button leftSection={<IconUpload size={17} aria-hidden />}>{t('files.upload')}</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconUpload size={16} aria-hidden />} onClick={() => files.current?.click()}>
            {t('files.upload.files')}
          </Menu.Item>
          <Menu.Item leftSection={<IconFolderUp size={16} aria-hidden />} onClick={() => folder.current?.click()}>
            {t('files.upload.folder')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

/** What can be done with the rows that are chosen. */
export function SelectionBar({ entries, act, onClear }: { entries: Entry[]; act: (a: Act) => void; onClear: () => void }) {
  const t = useT();
  const only = entries.length === 1 ? entries[0] : undefined;
  const markers = entries.every((e) => e.kind === 'marker');
  const live = entries.every((e) => e.kind !== 'marker');
  const button = (a: Act, Shape: Icon, label: Key, red = false) => (
    <Button key={a} size="xs" variant="subtle" color={red ? 'red.9' : 'gray'} c={red ? 'var(--mantine-color-error)' : 'inherit'} leftSection={<Shape size={16} aria-hidden />} onClick={() => act(a)}>
      {t(label)}
    </Button>
  );
  return (
    <Group gap={4} mih={36} role="toolbar" aria-label={t('files.selection')}>
      <CloseButton size="sm" aria-label={t('files.selection.clear')} onClick={onClear} />
      <Text size="md" fw={500} mr="xs" aria-live="polite">
        {t('files.selected', { n: entries.length })}
      </Text>
      {live && button('download', IconDownload, 'files.download')}
      {only?.kind === 'object' && button('share', IconShare2, 'files.share')}
      {live && only && button('rename', IconPencil, 'files.rename')}
      {live && button('copy', IconCopy, 'files.copyTo')}
      {live && button('move', IconFolderSymlink, 'files.moveTo')}
      {markers && button('restore', IconArrowBackUp, 'files.restore')}
      {button('delete', IconTrash, 'action.delete', true)}
    </Group>
  );
}
