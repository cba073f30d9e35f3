import { ActionIcon, Box, Group, Menu, Text, Tooltip } from '@mantine/core';
import { IconBan, IconDots, IconKey, IconPencil, IconPlayerPlay, IconShare2, IconTrash } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { adminSend } from '../../api/admin';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { CopyButton } from '../../ui/CopyButton';
import { DataTable, type Column } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { When } from '../../ui/When';
import { useChanged } from '../data';
import { shared, type Person } from '../names';
import { useAct } from '../parts/act';
import { Mono } from '../parts/Facts';
import { State } from '../parts/State';
import { Who } from '../parts/Who';
import type { Key } from '../types';
import { KeyDialog } from './KeyDialog';

interface Props {
  keys: Key[];
  /** With the column of owners, named so. */
  people?: (q: string) => Person;
  mayChange: boolean;
  mayDelete: boolean;
  tools?: ReactNode;
  empty?: ReactNode;
}

/** Access keys with what can be done with each. */
export function KeyTable({ keys, people, mayChange, mayDelete, tools, empty }: Props) {
  const t = useT();
  const changed = useChanged();
  const { act } = useAct();
  const [editing, setEditing] = useState<Key>();
  const [deleting, setDeleting] = useState<Key>();
  const columns: Column<Key>[] = [
    { id: 'name', title: t('ui.name'), cell: (k) => <KeyName of={k} {...(people ? { people } : {})} />, sort: (k) => k.name || k.accessKey },
    {
      id: 'accessKey', title: t('admin.accessKey'), from: 'sm', sort: (k) => k.accessKey,
      cell: (k) => (
        <Group gap={2} wrap="nowrap">
          <Mono>{k.accessKey}</Mono>
          <CopyButton value={k.accessKey} label={t('admin.accessKey.copy')} size="xs" />
        </Group>
      ),
    },
    ...(people ? [{ id: 'parent', title: t('admin.owner'), from: 'sm' as const, cell: (k: Key) => <Who name={k.parent} claims={k.grants?.claims} people={people} />, sort: (k: Key) => people(k.parent).name }] : []),
    { id: 'rights', title: t('admin.rights'), from: 'md', cell: (k) => (k.policy === undefined ? t('admin.key.rights.all') : t('admin.key.rights.some')), sort: (k) => (k.policy === undefined ? 0 : 1) },
    { id: 'created', title: t('admin.created'), from: 'lg', cell: (k) => <When value={k.created} relative />, sort: (k) => k.created },
    { id: 'expires', title: t('admin.expires'), from: 'sm', cell: (k) => <When value={k.expires} relative />, sort: (k) => k.expires ?? '9' },
    { id: 'state', title: t('admin.state'), cell: (k) => <KeyState of={k} />, sort: (k) => (k.enabled ? 0 : 1) },
    {
      id: 'actions', title: '', width: 48, align: 'right',
      cell: (k) =>
        mayChange || mayDelete ? (
          <Menu position="bottom-end" withInitialFocusPlaceholder={false}>
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={t('admin.actionsOf', { name: k.name || k.accessKey })}>
                <IconDots size={17} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              {mayChange && (
                <>
                  <Menu.Item leftSection={<IconPencil size={15} aria-hidden />} onClick={() => setEditing(k)}>
                    {t('action.edit')}
                  </Menu.Item>
                  <Menu.Item
                    leftSection={k.enabled ? <IconBan size={15} aria-hidden /> : <IconPlayerPlay size={15} aria-hidden />}
                    onClick={() => void act(() => adminSend('PATCH', ['keys', k.accessKey], { enabled: !k.enabled }), t('ui.saved'))}
                  >
                    {k.enabled ? t('admin.disable') : t('admin.enable')}
                  </Menu.Item>
                </>
              )}
              {mayDelete && (
                <Menu.Item c="var(--mantine-color-error)" leftSection={<IconTrash size={15} aria-hidden />} onClick={() => setDeleting(k)}>
                  {t('action.delete')}
                </Menu.Item>
              )}
            </Menu.Dropdown>
          </Menu>
        ) : null,
    },
  ];
  return (
    <>
      <DataTable
        label={t('admin.keys')}
        rows={keys}
        columns={columns}
        rowKey={(k) => k.accessKey}
        search={(k) => [k.name, k.accessKey, k.description, people ? people(k.parent).name + ' ' + k.parent : ''].join(' ')}
        tools={tools}
        empty={empty ?? <EmptyState icon={IconKey} title={t('admin.keys.none')} text={t('admin.keys.none.text')} />}
      />
      {editing && <KeyDialog edit={editing} onClose={() => setEditing(undefined)} />}
      {deleting && (
        <ConfirmDialog
          title={t('admin.key.delete')}
          action={t('action.delete')}
          danger
          onClose={() => setDeleting(undefined)}
          onConfirm={async () => {
            await adminSend('DELETE', ['keys', deleting.accessKey]);
            await changed();
          }}
        >
          {shared(deleting.name) ? t('admin.key.delete.share', { object: shared(deleting.name)! }) : t('admin.key.delete.text', { name: deleting.name || deleting.accessKey })}
        </ConfirmDialog>
      )}
    </>
  );
}

function KeyName({ of: k, people }: { of: Key; people?: (q: string) => Person }) {
  const t = useT();
  const object = shared(k.name);
  return (
    <div>
      <Group gap={6} wrap="nowrap">
        {object !== undefined && (
          <Tooltip label={t('admin.key.share')}>
            <IconShare2 size={15} role="img" aria-label={t('admin.key.share')} style={{ flex: 'none' }} />
          </Tooltip>
        )}
        <span style={{ overflowWrap: 'anywhere' }}>{object ?? (k.name || <Mono wrap>{k.accessKey}</Mono>)}</span>
      </Group>
      {people && (
        <Box hiddenFrom="sm" fz="sm">
          <Who name={k.parent} claims={k.grants?.claims} people={people} />
        </Box>
      )}
      {k.description && (
        <Text size="sm" c="dimmed" lineClamp={2} style={{ overflowWrap: 'anywhere' }}>
          {k.description}
        </Text>
      )}
    </div>
  );
}

const isOver = (k: Key) => k.expires !== undefined && !k.expires.startsWith('0001-') && Date.parse(k.expires) < Date.now();

function KeyState({ of: k }: { of: Key }) {
  const t = useT();
  if (isOver(k)) return <State kind="bad">{t('admin.key.over')}</State>;
  return <EnabledBadge enabled={k.enabled} />;
}

/** Whether somebody or something is enabled. */
export function EnabledBadge({ enabled }: { enabled: boolean }) {
  const t = useT();
  return <State kind={enabled ? 'good' : 'off'}>{enabled ? t('admin.enabled') : t('admin.disabled')}</State>;
}
