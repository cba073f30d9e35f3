import { Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { request } from '../api/http';
import { abortUpload, s3URL } from '../api/s3';
import { useT } from '../i18n';
import { DataTable, type Column } from '../ui/DataTable';
import { When } from '../ui/When';
import { SectionHead, type SectionProps } from './Section';
import { parseUploads, type Unfinished } from './documents';
import { Asked, useChange } from './setting';

/** Uploads by parts that nobody has ended: they take room and no listing shows them. */
export function Uploads({ bucket }: SectionProps) {
  const t = useT();
  const list = useQuery({
    queryKey: ['bucket', bucket, 'uploads'], retry: false,
    queryFn: async ({ signal }) => parseUploads(await (await request(s3URL(bucket, '', { uploads: '', 'encoding-type': 'url', 'max-uploads': 1000 }), { signal })).text()),
  });
  const change = useChange(() => list.refetch());
  const columns: Column<Unfinished>[] = [
    { id: 'key', title: t('ui.name'), sort: (u) => u.key, cell: (u) => <span style={{ overflowWrap: 'anywhere' }}>{u.key}</span> },
    { id: 'begun', title: t('uploads.begun'), sort: (u) => u.initiated, from: 'xs', cell: (u) => <When value={u.initiated} /> },
    {
      id: 'act', title: '', align: 'right', width: 120,
      cell: (u) => (
        <Button size="xs" variant="default" disabled={change.busy} onClick={() => void change.run(() => abortUpload(bucket, u.key, u.uploadId))} aria-label={`${t('uploads.abort')}: ${u.key}`}>
          {t('uploads.abort')}
        </Button>
      ),
    },
  ];
  return (
    <>
      <SectionHead title="bucket.uploads" hint="uploads.hint" />
      {change.problem}
      <Asked query={list}>
        {({ uploads, truncated }) => (
          <>
            <DataTable label={t('bucket.uploads')} rows={uploads} columns={columns} rowKey={(u) => u.uploadId} search={(u) => u.key} empty={<Text>{t('uploads.none')}</Text>} />
            {truncated && (
              <Group mt="sm">
                <Text size="sm" c="dimmed">
                  {t('uploads.more')}
                </Text>
              </Group>
            )}
          </>
        )}
      </Asked>
    </>
  );
}
