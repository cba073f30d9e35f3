import { ActionIcon, Button, Drawer, Group, Loader, Tabs, Text, Tooltip } from '@mantine/core';
import { IconDownload, IconExternalLink, IconShare2, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError } from '../../api/http';
import { head, inlineURL, type Entry } from '../../api/s3';
import { baseName } from '../../api/s3url';
import { useT } from '../../i18n';
import { CopyButton } from '../../ui/CopyButton';
import { Problem } from '../../ui/Problem';
import { download } from '../download';
import { FileIcon } from '../list/FileIcon';
import type { Act } from '../RowMenu';
import { Lock } from './Lock';
import { Metadata } from './Metadata';
import { Overview } from './Overview';
import { Tags } from './Tags';
import { Versions } from './Versions';

interface Props {
  bucket: string;
  objectKey: string;
  versioned: boolean;
  onClose: () => void;
  changed: () => void;
  onAct: (a: Act, e: Entry) => void;
}

/** Everything about one object, beside the list that it was opened from. */
export default function ObjectDrawer({ bucket, objectKey, versioned, onClose, changed, onAct }: Props) {
  const t = useT();
  const [version, setVersion] = useState<string>();
  const [tab, setTab] = useState<string | null>('overview');
  const info = useQuery({ queryKey: ['object', bucket, objectKey, version ?? ''], queryFn: ({ signal }) => head(bucket, objectKey, version, signal), retry: false });
  const gone = info.error instanceof ApiError && (info.error.status === 404 || info.error.status === 405);
  const entry: Entry = { kind: 'object', key: objectKey, size: info.data?.size ?? 0, modified: '', etag: info.data?.etag ?? '' };
  const common = { bucket, objectKey, version };
  return (
    <Drawer
      opened onClose={onClose} position="right" size="lg" closeButtonProps={{ 'aria-label': t('action.close') }}
      title={
        <Group gap={8} wrap="nowrap" component="span">
          <FileIcon entry={entry} size={20} />
          <Text fw={600} span style={{ overflowWrap: 'anywhere' }}>
            {baseName(objectKey)}
          </Text>
        </Group>
      }
    >
      <Group gap="xs" mb="md">
        <Button size="xs" leftSection={<IconDownload size={16} aria-hidden />} onClick={() => download(bucket, objectKey, version)} disabled={!info.data}>
          {t('files.download')}
        </Button>
        <Button size="xs" variant="default" leftSection={<IconShare2 size={16} aria-hidden />} onClick={() => onAct('share', entry)} disabled={!info.data}>
          {t('files.share')}
        </Button>
        <Tooltip label={t('detail.tab')}>
          <ActionIcon variant="default" size={30} component="a" href={inlineURL(bucket, objectKey, version)} target="_blank" rel="noopener noreferrer" aria-label={t('detail.tab')}>
            <IconExternalLink size={16} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label={t('action.delete')}>
          <ActionIcon variant="default" size={30} onClick={() => onAct('delete', entry)} aria-label={t('action.delete')}>
            <IconTrash size={16} />
          </ActionIcon>
        </Tooltip>
        <Group gap={2} ml="auto">
          <CopyButton value={`s3://${bucket}/${objectKey}`} label={t('detail.uri')} size="md" />
        </Group>
      </Group>
      <Tabs value={tab} onChange={setTab} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="overview">{t('detail.overview')}</Tabs.Tab>
          {versioned && <Tabs.Tab value="versions">{t('detail.versions')}</Tabs.Tab>}
          <Tabs.Tab value="tags">{t('detail.tags')}</Tabs.Tab>
          <Tabs.Tab value="metadata">{t('detail.metadata')}</Tabs.Tab>
          {versioned && <Tabs.Tab value="lock">{t('detail.lock')}</Tabs.Tab>}
        </Tabs.List>
        {version !== undefined && (
          <Text size="sm" mb="sm">
            {t('detail.version.shown', { version })}{' '}
            <Button size="compact-xs" variant="light" onClick={() => setVersion(undefined)}>
              {t('detail.version.latest')}
            </Button>
          </Text>
        )}
        <Tabs.Panel value="versions">
          <Versions
            {...common} changed={changed}
            onShow={(v) => {
              setVersion(v);
              setTab('overview');
            }}
          />
        </Tabs.Panel>
        {info.isPending ? (
          <Loader role="status" aria-label={t('ui.loading')} />
        ) : info.error ? (
          tab !== 'versions' && (gone ? <Text c="dimmed">{t('detail.gone')}</Text> : <Problem error={info.error} retry={() => void info.refetch()} />)
        ) : (
          <>
            <Tabs.Panel value="overview">
              <Overview {...common} info={info.data} />
            </Tabs.Panel>
            <Tabs.Panel value="tags">
              <Tags {...common} />
            </Tabs.Panel>
            <Tabs.Panel value="metadata">
              <Metadata {...common} info={info.data} changed={() => (changed(), void info.refetch())} />
            </Tabs.Panel>
            <Tabs.Panel value="lock">
              <Lock {...common} info={info.data} changed={() => void info.refetch()} />
            </Tabs.Panel>
          </>
        )}
      </Tabs>
    </Drawer>
  );
}
