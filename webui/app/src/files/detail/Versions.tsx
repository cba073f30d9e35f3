import { ActionIcon, Badge, Button, Group, Loader, Paper, Stack, Text, Tooltip } from '@mantine/core';
import { IconArrowBackUp, IconDownload, IconEye, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { copyObject, deleteObject, listVersions, type Cursor, type Entry } from '../../api/s3';
import { useT } from '../../i18n';
import { ByteSize } from '../../ui/ByteSize';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { useFormat } from '../../ui/format';
import { Problem } from '../../ui/Problem';
import { useDone, useReport } from '../../ui/report';
import { When } from '../../ui/When';
import { download } from '../download';

interface Props {
  bucket: string;
  objectKey: string;
  version: string | undefined;
  onShow: (version: string) => void;
  changed: () => void;
}

/** All versions of an object, newest first, with what has changed in size between them. */
export function Versions({ bucket, objectKey, version, onShow, changed }: Props) {
  const t = useT();
  const client = useQueryClient();
  const done = useDone();
  const report = useReport();
  const [deleting, setDeleting] = useState<Entry>();
  const list = useInfiniteQuery({
    queryKey: ['versions', bucket, objectKey],
    initialPageParam: undefined as Cursor | undefined,
    queryFn: async ({ pageParam, signal }) => {
      const page = await listVersions(bucket, objectKey, { max: 100, signal, ...(pageParam && { cursor: pageParam }) });
      const mine = page.entries.filter((e) => e.key === objectKey);
      // The versions of the very key come first among those with the prefix.
      return { mine, next: mine.length === page.entries.length ? page.next : undefined };
    },
    getNextPageParam: (last) => last.next,
  });
  const refresh = async () => {
    changed();
    await client.invalidateQueries({ queryKey: ['object', bucket, objectKey] });
    await list.refetch();
  };
  const restore = async (e: Entry) => {
    // A marker that is taken away uncovers what was there; an older version is copied on top.
    if (e.kind === 'marker') await deleteObject(bucket, objectKey, e.versionId);
    else await copyObject({ bucket, key: objectKey, versionId: e.versionId }, { bucket, key: objectKey });
    done(t('versions.restored'));
    await refresh();
  };
  if (list.error) return <Problem error={list.error} retry={() => void list.refetch()} />;
  if (!list.data) return <Loader role="status" aria-label={t('ui.loading')} />;
  const rows = list.data.pages.flatMap((p) => p.mine);
  return (
    <Stack gap={8}>
      {rows.length === 0 && <Text c="dimmed">{t('versions.none')}</Text>}
      {rows.map((e, i) => (
        <Row
          key={e.versionId} entry={e} before={rows.slice(i + 1).find((o) => o.kind === 'object')} shown={e.versionId === version} onShow={() => onShow(e.versionId!)}
          onDownload={() => download(bucket, objectKey, e.versionId)} onRestore={() => void restore(e).catch(report)} onDelete={() => setDeleting(e)}
        />
      ))}
      {list.hasNextPage && (
        <Button variant="default" onClick={() => void list.fetchNextPage()} loading={list.isFetchingNextPage}>
          {t('versions.more')}
        </Button>
      )}
      {deleting && (
        <ConfirmDialog
          title={t('versions.delete.title')} action={t('action.delete')} danger onClose={() => setDeleting(undefined)}
          onConfirm={async () => {
            await deleteObject(bucket, objectKey, deleting.versionId);
            await refresh();
          }}
        >
          {t(deleting.kind === 'marker' ? 'versions.delete.marker' : 'versions.delete.text')}
        </ConfirmDialog>
      )}
    </Stack>
  );
}

interface RowProps {
  entry: Entry;
  before: Entry | undefined;
  shown: boolean;
  onShow: () => void;
  onDownload: () => void;
  onRestore: () => void;
  onDelete: () => void;
}

function Row({ entry: e, before, shown, onShow, onDownload, onRestore, onDelete }: RowProps) {
  const t = useT();
  const format = useFormat();
  const marker = e.kind === 'marker';
  const delta = marker || !before ? undefined : e.size - before.size;
  const tool = (label: string, icon: React.ReactNode, act: () => void) => (
    <Tooltip label={label} key={label}>
      <ActionIcon variant="subtle" color="gray" onClick={act} aria-label={label}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
  return (
    <Paper px="sm" py={8} style={{ border: '1px solid var(--app-line)' }} bg={shown ? 'var(--app-active)' : undefined}>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <div style={{ minWidth: 0 }}>
          <Group gap={6}>
            <Text fw={500}>
              <When value={e.modified} />
            </Text>
            {e.latest && <Badge>{t('versions.latest')}</Badge>}
            {marker && (
              <Badge color="gray" c="inherit">
                {t('versions.marker')}
              </Badge>
            )}
          </Group>
          <Text size="xs" c="dimmed" truncate title={e.versionId}>
            {!marker && (
              <>
                <ByteSize value={e.size} />
                {delta !== undefined && ` (${delta >= 0 ? '+' : '−'}${format.bytes(Math.abs(delta))})`} ·{' '}
              </>
            )}
            <span style={{ fontFamily: 'var(--mantine-font-family-monospace)' }}>{e.versionId}</span>
          </Text>
        </div>
        <Group gap={0} wrap="nowrap">
          {!marker && tool(t('versions.show'), <IconEye size={17} />, onShow)}
          {!marker && tool(t('files.download'), <IconDownload size={17} />, onDownload)}
          {(marker ? e.latest : !e.latest) && tool(t('files.restore'), <IconArrowBackUp size={17} />, onRestore)}
          {tool(t('action.delete'), <IconTrash size={17} />, onDelete)}
        </Group>
      </Group>
    </Paper>
  );
}
