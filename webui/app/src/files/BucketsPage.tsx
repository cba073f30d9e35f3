import { ActionIcon, Anchor, Button, Group, Menu, Modal, Skeleton, Stack, TextInput } from '@mantine/core';
import { IconBucket, IconBucketOff, IconDots, IconFolderOpen, IconPlus, IconRefresh, IconSettings, IconTrash } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { deleteBucket, listBuckets, type Bucket } from '../api/s3';
import { ApiError } from '../api/http';
import { useSession } from '../app/session';
import { useT } from '../i18n';
import { ConfirmDialog } from '../ui/ConfirmDialog';
import { DataTable, type Column } from '../ui/DataTable';
import { EmptyState } from '../ui/EmptyState';
import { Page } from '../ui/Page';
import { Problem } from '../ui/Problem';
import { useDone } from '../ui/report';
import { When } from '../ui/When';
import { bucketsKey } from './buckets';
import { CreateBucket } from './CreateBucket';
import { folderPath, settingsPath } from './place';

/** The buckets that the user may see. */
export default function BucketsPage() {
  const t = useT();
  const { may } = useSession();
  const client = useQueryClient();
  const { data, error, isFetching, refetch } = useQuery({ queryKey: bucketsKey, queryFn: ({ signal }) => listBuckets(signal) });
  const [creating, setCreating] = useState(false);
  const [opening, setOpening] = useState(false);
  const [deleting, setDeleting] = useState<string>();
  const done = useDone();
  const create = may('s3:CreateBucket') && (
    <Button leftSection={<IconPlus size={17} aria-hidden />} onClick={() => setCreating(true)}>
      {t('buckets.create')}
    </Button>
  );
  const open = (
    <Button variant="default" leftSection={<IconFolderOpen size={17} aria-hidden />} onClick={() => setOpening(true)}>
      {t('buckets.open')}
    </Button>
  );
  const denied = error instanceof ApiError && error.status === 403;
  return (
    <Page
      title={t('nav.buckets')}
      about={t('buckets.about')}
      actions={
        <>
          <ActionIcon variant="default" size={36} onClick={() => void refetch()} loading={isFetching} aria-label={t('action.refresh')}>
            <IconRefresh size={17} />
          </ActionIcon>
          {open}
          {create}
        </>
      }
    >
      {denied ? (
        <EmptyState icon={IconBucketOff} title={t('buckets.denied')} text={t('buckets.denied.text')}>
          {open}
        </EmptyState>
      ) : error ? (
        <Problem error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Waiting />
      ) : (
        <BucketTable buckets={data} remove={setDeleting} empty={<EmptyState icon={IconBucket} title={t('buckets.empty')} text={may('s3:CreateBucket') ? t('buckets.empty.create') : t('buckets.empty.text')}>{create || open}</EmptyState>} />
      )}
      {creating && <CreateBucket onClose={() => setCreating(false)} />}
      {opening && <OpenBucket onClose={() => setOpening(false)} />}
      {deleting !== undefined && (
        <ConfirmDialog
          title={t('buckets.delete.title', { bucket: deleting })}
          action={t('action.delete')}
          danger
          type={deleting}
          onClose={() => setDeleting(undefined)}
          onConfirm={async () => {
            await deleteBucket(deleting);
            done(t('buckets.deleted', { bucket: deleting }));
            await client.invalidateQueries({ queryKey: bucketsKey });
          }}
        >
          {t('buckets.delete.text')}
        </ConfirmDialog>
      )}
    </Page>
  );
}

function BucketTable({ buckets, remove, empty }: { buckets: Bucket[]; remove: (name: string) => void; empty: React.ReactNode }) {
  const t = useT();
  const columns: Column<Bucket>[] = [
    {
      id: 'name', title: t('ui.name'), sort: (b) => b.name,
      cell: (b) => (
        <Group gap={10} wrap="nowrap">
          <IconBucket size={18} stroke={1.6} color="var(--mantine-color-anchor)" aria-hidden style={{ flex: 'none' }} />
          <Anchor component={Link} href={folderPath(b.name, '')} fw={500} style={{ overflowWrap: 'anywhere' }}>
            {b.name}
          </Anchor>
        </Group>
      ),
    },
    { id: 'created', title: t('buckets.created'), sort: (b) => b.created, from: 'xs', width: 220, cell: (b) => <When value={b.created} /> },
    { id: 'actions', title: '', width: 60, align: 'right', cell: (b) => <RowMenu bucket={b.name} remove={remove} /> },
  ];
  return <DataTable label={t('nav.buckets')} rows={buckets} columns={columns} rowKey={(b) => b.name} search={(b) => b.name} empty={empty} />;
}

function RowMenu({ bucket, remove }: { bucket: string; remove: (name: string) => void }) {
  const t = useT();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t('buckets.actions', { bucket })}>
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} href={folderPath(bucket, '')} leftSection={<IconFolderOpen size={16} aria-hidden />}>
          {t('buckets.browse')}
        </Menu.Item>
        <Menu.Item component={Link} href={settingsPath(bucket)} leftSection={<IconSettings size={16} aria-hidden />}>
          {t('buckets.settings')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Item c="var(--mantine-color-error)" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => remove(bucket)}>
          {t('action.delete')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

// OpenBucket is for users who may use a bucket and may not list them.
function OpenBucket({ onClose }: { onClose: () => void }) {
  const t = useT();
  const [name, setName] = useState('');
  const [, go] = useLocation();
  return (
    <Modal opened onClose={onClose} title={t('buckets.open')} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          const [bucket = '', ...path] = name.trim().replace(/^\/+/, '').split('/');
          if (bucket) go(folderPath(bucket, path.join('/')));
        }}
      >
        <Stack>
          <TextInput label={t('buckets.open.name')} description={t('buckets.open.hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} required withAsterisk={false} data-autofocus spellCheck={false} />
          <Group justify="flex-end">
            <Button type="submit">{t('buckets.browse')}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Waiting() {
  return (
    <Stack gap={10} aria-hidden>
      {Array.from({ length: 6 }, (_, i) => (
        <Skeleton key={i} height={40} radius="md" />
      ))}
    </Stack>
  );
}
