import { Alert, Progress, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { Link } from 'wouter';
import { folderPath } from '../../files/place';
import { useT, type Key } from '../../i18n';
import { DataTable, type Column } from '../../ui/DataTable';
import { formatSeconds, useFormat } from '../../ui/format';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { Facts, Mono, Part } from '../parts/Facts';
import { Loaded } from '../parts/Loaded';
import parts from '../parts/parts.module.css';
import { State } from '../parts/State';
import { Comparison } from './Comparison';
import { migrationQuery, percent, type Migration, type MigrationBucket } from './migration';

/** The move from another store: how far it is, what could not be copied, what does not come along. */
export default function MigrationPage() {
  const t = useT();
  const query = useQuery(migrationQuery);
  return (
    <Page title={t('admin.migration')} about={t('migration.about')} wide>
      <Loaded query={query}>{(m) => <Details of={m} />}</Loaded>
    </Page>
  );
}

const states: Record<Migration['state'], { kind: 'good' | 'bad' | 'soon'; word: Key }> = {
  copying: { kind: 'soon', word: 'migration.copying' }, waiting: { kind: 'bad', word: 'migration.waiting' },
  incomplete: { kind: 'bad', word: 'migration.incomplete' }, complete: { kind: 'good', word: 'migration.complete' },
};

function Details({ of: m }: { of: Migration }) {
  const t = useT();
  const format = useFormat();
  const amount = (a: Migration['done']) => `${t('migration.versions', { n: a.versions })}, ${format.bytes(a.bytes)}`;
  const state = states[m.state];
  return (
    <Stack gap="lg">
      {m.state === 'waiting' && m.waiting && (
        <Alert color="orange" icon={<IconAlertTriangle aria-hidden />} title={t('migration.waiting.title')}>
          {m.waiting}
        </Alert>
      )}
      {m.state === 'incomplete' && (
        <Alert color="orange" icon={<IconAlertTriangle aria-hidden />}>
          {t('migration.incomplete.text')}
        </Alert>
      )}
      {m.state === 'complete' && (
        <Alert color="teal" icon={<IconCircleCheck aria-hidden />}>
          {t('migration.complete.text')}
        </Alert>
      )}
      <Facts
        rows={[
          [t('migration.from'), <Mono key="from" wrap>{m.source}</Mono>],
          [t('admin.state'), <State key="state" kind={state?.kind ?? 'soon'}>{state ? t(state.word) : m.state}</State>],
          [t('migration.begun'), <When key="begun" value={m.begun} />],
          [t('migration.ended'), m.complete ? <When value={m.complete} /> : undefined],
          [
            t('migration.done'),
            <div key="done">
              {amount(m.done)}
              {m.counted && <Progress value={percent(m.done, m.total)} mt={6} maw={420} aria-label={t('migration.done')} />}
            </div>,
          ],
          [t('migration.total'), m.counted ? amount(m.total) : t('migration.counting')],
          [
            t('migration.speed'),
            m.state === 'copying' ? `${t('migration.perSecond', { n: Math.round(m.versionsPerSecond), size: format.bytes(m.bytesPerSecond) })}${m.secondsLeft ? `, ${t('migration.left', { time: formatSeconds(m.secondsLeft) })}` : ''}` : undefined,
          ],
          [t('migration.failed'), m.failed > 0 ? <span style={{ color: 'var(--mantine-color-error)' }}>{format.number(m.failed)}</span> : format.number(0)],
        ]}
      />
      <Part title={t('nav.buckets')}>
        <Buckets list={m.buckets} />
      </Part>
      {m.failures.length > 0 && (
        <Part title={t('migration.failures')} about={m.failed > m.failures.length ? t('migration.failures.first', { n: m.failures.length }) : undefined}>
          <DataTable
            label={t('migration.failures')} rows={m.failures} rowKey={(f) => `${f.bucket}/${f.key}`} search={(f) => `${f.bucket}/${f.key} ${f.reason}`}
            columns={[
              { id: 'key', title: t('ui.name'), sort: (f) => `${f.bucket}/${f.key}`, cell: (f) => <span style={{ overflowWrap: 'anywhere' }}>{`${f.bucket}/${f.key}`}</span> },
              { id: 'why', title: t('migration.reason'), cell: (f) => <span style={{ overflowWrap: 'anywhere' }}>{f.reason}</span> },
            ]}
          />
        </Part>
      )}
      <Comparison of={m.verify} />
    </Stack>
  );
}

const bucketStates: Record<MigrationBucket['state'], { kind: 'good' | 'off' | 'soon'; word: Key }> = {
  settings: { kind: 'soon', word: 'migration.bucket.settings' }, copying: { kind: 'soon', word: 'migration.copying' }, done: { kind: 'good', word: 'migration.bucket.done' },
  foreign: { kind: 'off', word: 'migration.bucket.foreign' }, gone: { kind: 'off', word: 'migration.bucket.gone' },
};

function Buckets({ list }: { list: MigrationBucket[] }) {
  const t = useT();
  const format = useFormat();
  const notes = (b: MigrationBucket) => [
    ...(b.notCarried ?? []),
    ...(['unproven', 'whole', 'inTheClear'] as const).flatMap((k) => (b[k] ? [t(`migration.${k}`, { n: b[k] })] : [])),
  ];
  const columns: Column<MigrationBucket>[] = [
    {
      id: 'name', title: t('ui.name'), sort: (b) => b.name,
      cell: (b) => (
        <Stack gap={2}>
          {b.state === 'gone' ? (
            <Text style={{ overflowWrap: 'anywhere' }}>{b.name}</Text>
          ) : (
            <Link href={folderPath(b.name, '')} className={parts.link}>
              {b.name}
            </Link>
          )}
          {notes(b).map((n) => (
            <Text key={n} size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
              {n}
            </Text>
          ))}
        </Stack>
      ),
    },
    {
      id: 'done', title: t('migration.done'), sort: (b) => b.done.versions,
      cell: (b) => (
        <div>
          {b.counted ? `${format.number(b.done.versions)} / ${format.number(b.total.versions)}` : format.number(b.done.versions)}
          {b.counted && b.total.versions > 0 && <Progress value={percent(b.done, b.total)} mt={4} miw={80} maw={200} aria-label={`${t('migration.done')}: ${b.name}`} />}
        </div>
      ),
    },
    { id: 'bytes', title: t('files.size'), from: 'md', align: 'right', sort: (b) => b.done.bytes, cell: (b) => format.bytes(b.done.bytes) },
    { id: 'failed', title: t('migration.failed'), from: 'sm', align: 'right', sort: (b) => b.failed, cell: (b) => (b.failed > 0 ? <span style={{ color: 'var(--mantine-color-error)' }}>{format.number(b.failed)}</span> : '–') },
    { id: 'state', title: t('admin.state'), sort: (b) => b.state, cell: (b) => <State kind={bucketStates[b.state]?.kind ?? 'soon'}>{bucketStates[b.state] ? t(bucketStates[b.state].word) : b.state}</State> },
  ];
  return <DataTable label={t('nav.buckets')} rows={list} rowKey={(b) => b.name} columns={columns} {...(list.length > 8 ? { search: (b: MigrationBucket) => b.name } : {})} empty={<Text>{t('migration.noBuckets')}</Text>} />;
}
