import { Alert, Anchor, Breadcrumbs, Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconBucket, IconFolder, IconFolderOpen, IconInfoCircle, IconRefresh } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { adminGet } from '../../api/admin';
import { folderPath } from '../../files/place';
import { useT } from '../../i18n';
import { ByteSize } from '../../ui/ByteSize';
import { DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { useFormat } from '../../ui/format';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { Facts, Frame, Mono, Part } from '../parts/Facts';
import { Loaded } from '../parts/Loaded';
import parts from '../parts/parts.module.css';
import { pathTo, useSegment } from '../parts/place';
import { crumbs } from './crumbs';
import classes from './usage.module.css';

interface BucketUsage {
  name: string;
  created: string;
  objects: number;
  versions: number;
  deleteMarkers: number;
  bytes: number;
  quota?: number;
}

interface Usage {
  objects: number;
  versions: number;
  deleteMarkers: number;
  bytes: number;
  buckets: BucketUsage[];
}

interface Below {
  bucket: string;
  prefix: string;
  objects: number;
  bytes: number;
  children: { prefix: string; objects: number; bytes: number; partly?: boolean }[];
  here: { objects: number; bytes: number };
  cut: boolean;
  last?: string;
  counted: number;
}

/** What lies on the disk, by bucket and by prefix. */
export default function UsagePage() {
  const bucket = useSegment(1);
  const prefix = useSegment(2);
  return bucket ? <Prefixes bucket={bucket} prefix={prefix} /> : <Buckets />;
}

function Buckets() {
  const t = useT();
  const format = useFormat();
  const usage = useQuery({ queryKey: ['admin', 'usage'], queryFn: ({ signal }) => adminGet<Usage>(['usage'], {}, signal) });
  return (
    <Page title={t('admin.usage')} about={t('admin.usage.about')} wide actions={<Again on={usage} />}>
      <Loaded query={usage}>
        {(u) => (
          <>
            <Group gap="xl" mb="lg">
              <Figure name={t('admin.usage.bytes')}>
                <ByteSize value={u.bytes} />
              </Figure>
              <Figure name={t('admin.usage.objects')}>{format.number(u.objects)}</Figure>
              <Figure name={t('admin.usage.versions')}>{format.number(u.versions)}</Figure>
              <Figure name={t('admin.usage.markers')}>{format.number(u.deleteMarkers)}</Figure>
            </Group>
            <DataTable
              label={t('admin.usage')}
              rows={[...u.buckets].sort((a, b) => b.bytes - a.bytes)}
              rowKey={(b) => b.name}
              search={(b) => b.name}
              empty={<EmptyState icon={IconBucket} title={t('admin.usage.none')} />}
              columns={[
                {
                  id: 'name', title: t('admin.bucket'), sort: (b) => b.name,
                  cell: (b) => (
                    <Link href={pathTo('usage', b.name)} className={parts.link}>
                      {b.name}
                    </Link>
                  ),
                },
                { id: 'share', title: t('admin.usage.share'), from: 'sm', width: '28%', cell: (b) => <Bar part={b.bytes} of={u.bytes} /> },
                { id: 'bytes', title: t('admin.usage.bytes'), align: 'right', cell: (b) => <ByteSize value={b.bytes} />, sort: (b) => b.bytes },
                { id: 'quota', title: t('admin.usage.quota'), from: 'md', align: 'right', cell: (b) => (b.quota ? <span title={t('admin.usage.quota.used', { percent: Math.round((b.bytes / b.quota) * 100) })}><ByteSize value={b.quota} /></span> : '–'), sort: (b) => b.quota ?? 0 },
                { id: 'objects', title: t('admin.usage.objects'), from: 'xs', align: 'right', cell: (b) => format.number(b.objects), sort: (b) => b.objects },
                { id: 'versions', title: t('admin.usage.versions'), from: 'lg', align: 'right', cell: (b) => format.number(b.versions), sort: (b) => b.versions },
                { id: 'created', title: t('admin.created'), from: 'lg', cell: (b) => <When value={b.created} />, sort: (b) => b.created },
              ]}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Prefixes({ bucket, prefix }: { bucket: string; prefix: string }) {
  const t = useT();
  const format = useFormat();
  const below = useQuery({
    queryKey: ['admin', 'usage', bucket, prefix], queryFn: ({ signal }) => adminGet<Below>(['usage'], prefix ? { bucket, prefix } : { bucket }, signal), staleTime: 60_000,
  });
  return (
    <Page
      title={t('admin.usage')}
      wide
      about={
        <Breadcrumbs separatorMargin={6} className={classes.crumbs}>
          <Anchor component={Link} href="/usage" size="sm">
            {t('admin.usage.all')}
          </Anchor>
          <Anchor component={Link} href={pathTo('usage', bucket)} size="sm">
            {bucket}
          </Anchor>
          {crumbs(prefix).map((c) => (
            <Anchor key={c.prefix} component={Link} href={pathTo('usage', bucket, c.prefix)} size="sm">
              {c.name}
            </Anchor>
          ))}
        </Breadcrumbs>
      }
      actions={
        <>
          <Button variant="default" component={Link} href={folderPath(bucket, prefix)} leftSection={<IconFolderOpen size={16} aria-hidden />}>
            {t('admin.usage.open')}
          </Button>
          <Again on={below} />
        </>
      }
    >
      <Loaded query={below}>
        {(b) => (
          <>
            {b.cut && (
              <Alert mb="md" color="yellow" icon={<IconInfoCircle aria-hidden />} role="status">
                {t('admin.usage.cut', { n: b.counted, last: b.last ?? '' })}
              </Alert>
            )}
            <Group gap="xl" mb="lg">
              <Figure name={t('admin.usage.bytes')}>
                {b.cut && '≥ '}
                <ByteSize value={b.bytes} />
              </Figure>
              <Figure name={t('admin.usage.objects')}>
                {b.cut && '≥ '}
                {format.number(b.objects)}
              </Figure>
            </Group>
            <DataTable
              label={t('admin.usage')}
              rows={b.children}
              rowKey={(c) => c.prefix}
              search={(c) => c.prefix}
              empty={<Frame>{b.here.objects > 0 ? t('admin.usage.flat') : t('admin.usage.empty')}</Frame>}
              columns={[
                {
                  id: 'prefix', title: t('admin.prefix'), sort: (c) => c.prefix,
                  cell: (c) => (
                    <Group gap={8} wrap="nowrap">
                      <IconFolder size={16} aria-hidden style={{ flex: 'none', opacity: 0.7 }} />
                      <Link href={pathTo('usage', bucket, c.prefix)} className={parts.link}>
                        {c.prefix.slice(prefix.length)}
                      </Link>
                    </Group>
                  ),
                },
                { id: 'share', title: t('admin.usage.share'), from: 'sm', width: '28%', cell: (c) => <Bar part={c.bytes} of={b.bytes} /> },
                { id: 'bytes', title: t('admin.usage.bytes'), align: 'right', cell: (c) => <>{c.partly && '≥ '}<ByteSize value={c.bytes} /></>, sort: (c) => c.bytes },
                { id: 'objects', title: t('admin.usage.objects'), align: 'right', cell: (c) => (c.partly ? '≥ ' : '') + format.number(c.objects), sort: (c) => c.objects },
              ]}
            />
            <Part title={t('admin.usage.here')}>
              <Facts
                rows={[
                  [t('admin.prefix'), <Mono wrap>{prefix || '/'}</Mono>],
                  [t('admin.usage.objects'), format.number(b.here.objects)],
                  [t('admin.usage.bytes'), <ByteSize value={b.here.bytes} />],
                ]}
              />
            </Part>
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Again({ on }: { on: { isFetching: boolean; refetch: () => unknown } }) {
  const t = useT();
  return (
    <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} loading={on.isFetching} onClick={() => void on.refetch()}>
      {t('action.refresh')}
    </Button>
  );
}

/** A number with its name. */
export function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text fz="xl" fw={600} component="div">
        {children}
      </Text>
    </div>
  );
}

function Bar({ part, of }: { part: number; of: number }) {
  const percent = of > 0 ? (part / of) * 100 : 0;
  return (
    <Group gap={8} wrap="nowrap">
      <span className={classes.track} aria-hidden>
        <span className={classes.fill} style={{ width: `${Math.min(100, percent)}%` }} />
      </span>
      <Text span size="sm" c="dimmed" miw={52} ta="right" style={{ whiteSpace: 'nowrap' }}>
        {percent > 0 && percent < 0.1 ? '< 0.1' : percent.toFixed(percent >= 10 ? 0 : 1)} %
      </Text>
    </Group>
  );
}
