import { Anchor, Box, Button, Group, Loader, NativeSelect } from '@mantine/core';
import { IconFolderOpen } from '@tabler/icons-react';
import { lazy, Suspense, type ComponentType } from 'react';
import { Link, useLocation, useParams } from 'wouter';
import { useT, type Key } from '../i18n';
import { folderPath, settingsPath, usePlace } from '../files/place';
import { NotFound } from '../ui/NotFound';
import { Page } from '../ui/Page';
import { Access } from './Access';
import classes from './BucketPage.module.css';
import { CORS } from './CORS';
import { Encryption } from './Encryption';
import { Quota } from './Quota';
import { Versioning } from './Versioning';
import { RawSetting } from './RawSetting';
import type { SectionProps } from './Section';
import { BucketTags } from './BucketTags';
import { Uploads } from './Uploads';
import { DeleteBucket } from './DeleteBucket';

const Policy = lazy(() => import('./Policy'));

const raw = (name: string, operation: string, title: Key, hint: Key): ComponentType<SectionProps> =>
  function Raw({ bucket }) {
    return <RawSetting bucket={bucket} name={name} operation={operation} title={title} hint={hint} />;
  };

const sections: { id: string; label: Key; page: ComponentType<SectionProps> }[] = [
  { id: '', label: 'bucket.access', page: Access },
  { id: 'policy', label: 'bucket.policy', page: Policy },
  { id: 'ownership', label: 'bucket.ownership', page: lazy(() => import('./ownership/Ownership')) },
  { id: 'versioning', label: 'bucket.versions', page: Versioning },
  { id: 'encryption', label: 'bucket.encryption', page: Encryption },
  { id: 'quota', label: 'bucket.quota', page: Quota },
  { id: 'lifecycle', label: 'bucket.lifecycle', page: lazy(() => import('./lifecycle/Lifecycle')) },
  { id: 'cors', label: 'bucket.cors', page: CORS },
  { id: 'tags', label: 'detail.tags', page: BucketTags },
  { id: 'events', label: 'bucket.events', page: lazy(() => import('./events/Events')) },
  { id: 'website', label: 'bucket.website', page: raw('website', 'PutBucketWebsite', 'bucket.website', 'website.hint') },
  { id: 'replication', label: 'bucket.replication', page: raw('replication', 'PutBucketReplication', 'bucket.replication', 'replication.hint') },
  { id: 'uploads', label: 'bucket.uploads', page: Uploads },
  { id: 'delete', label: 'bucket.delete', page: DeleteBucket },
];

/** Settings of a bucket, a section at a time. */
export default function BucketPage() {
  const t = useT();
  const { bucket } = usePlace();
  const { section = '' } = useParams<{ section?: string }>();
  const [, go] = useLocation();
  const here = sections.find((s) => s.id === section);
  if (!here) return <NotFound />;
  const Section = here.page;
  return (
    <Page
      title={bucket}
      about={t('buckets.settings')}
      actions={
        <Button variant="default" component={Link} href={folderPath(bucket, '')} leftSection={<IconFolderOpen size={17} aria-hidden />}>
          {t('nav.files')}
        </Button>
      }
    >
      <NativeSelect
        hiddenFrom="sm" mb="md" aria-label={t('buckets.settings')} value={section} onChange={(e) => go(settingsPath(bucket, e.currentTarget.value))}
        data={sections.map((s) => ({ value: s.id, label: t(s.label) }))}
      />
      <Group align="flex-start" gap="xl" wrap="nowrap">
        <Box component="nav" visibleFrom="sm" w={190} aria-label={t('buckets.settings')} className={classes.nav}>
          {sections.map((s) => (
            <Anchor key={s.id} component={Link} href={settingsPath(bucket, s.id)} underline="never" className="nav-link" aria-current={s.id === section ? 'page' : undefined}>
              {t(s.label)}
            </Anchor>
          ))}
        </Box>
        <Box flex={1} miw={0} maw={780}>
          <Suspense fallback={<Loader role="status" aria-label={t('ui.loading')} />}>
            <Section key={bucket + section} bucket={bucket} />
          </Suspense>
        </Box>
      </Group>
    </Page>
  );
}
