import { Alert, Button, Group, Stack, Text, Title, Tooltip } from '@mantine/core';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Facts } from '../../admin/parts/Facts';
import { adminGet, adminSend } from '../../api/admin';
import { ApiError } from '../../api/http';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { useFormat } from '../../ui/format';
import { When } from '../../ui/When';
import { Asked, useChange } from '../setting';

/** What a rule has done since the rules were changed last. */
export interface RuleDone {
  id: string;
  expired: number;
  expiredAll: number;
  noncurrent: number;
  deleteMarkers: number;
  uploads: number;
  bytes: number;
  locked?: number;
  changed?: number;
  failed?: number;
}

/** How far the server is with the rules of a bucket. */
export interface Status {
  walking?: boolean;
  at?: string;
  next?: string;
  last?: string;
  day?: string;
  held?: boolean;
  error?: string;
  rules: RuleDone[];
}

/** Asks how far the server is, again and again while it looks at everything; null where there are no rules. */
export function useStatus(bucket: string): UseQueryResult<Status | null> {
  const { may } = useSession();
  return useQuery<Status | null>({
    queryKey: ['bucket', bucket, 'lifecycle', 'status'], retry: false, enabled: may('admin:DataUsageInfo'), refetchInterval: (q) => (q.state.data?.walking ? 2000 : false),
    queryFn: ({ signal }) =>
      adminGet<Status>(['lifecycle', bucket], {}, signal).catch((e: unknown) => {
        if (e instanceof ApiError && e.code === 'NoSuchLifecycleConfiguration') return null;
        throw e;
      }),
  });
}

/** What the server is doing for the rules, and a way to have it look now. */
export function Work({ bucket, status }: { bucket: string; status: UseQueryResult<Status | null> }) {
  const t = useT();
  const { may } = useSession();
  const change = useChange(() => status.refetch(), 'lifecycle.run.done');
  return (
    <Asked query={status}>
      {(s) =>
        s && (
          <Stack gap="xs" component="section" aria-label={t('lifecycle.work')}>
            <Group justify="space-between">
              <Title order={3}>{t('lifecycle.work')}</Title>
              {may('admin:LifecycleRun') && (
                <Tooltip label={t('lifecycle.run.hint')} events={{ hover: true, focus: true, touch: true }}>
                  <Button size="xs" variant="default" loading={change.busy} onClick={() => void change.run(() => adminSend('POST', ['lifecycle', bucket]))}>
                    {t('lifecycle.run')}
                  </Button>
                </Tooltip>
              )}
            </Group>
            {s.held && (
              <Alert color="orange" icon={<IconAlertTriangle aria-hidden />}>
                {t('lifecycle.held')}
              </Alert>
            )}
            <Facts
              rows={[
                [t('lifecycle.next'), s.walking ? (s.at ? t('lifecycle.walking.at', { key: s.at }) : t('lifecycle.walking')) : s.next ? <When value={s.next} /> : t('lifecycle.next.none')],
                [t('lifecycle.last'), <When key="last" value={s.last} />],
                [t('lifecycle.dayLength'), s.day],
                [t('lifecycle.error'), s.error],
              ]}
            />
            {change.problem}
          </Stack>
        )
      }
    </Asked>
  );
}

/** The counters of a rule. */
export function Done({ of }: { of: RuleDone | undefined }) {
  const t = useT();
  const format = useFormat();
  if (!of) return null;
  const more = [
    of.bytes > 0 && t('lifecycle.count.bytes', { size: format.bytes(of.bytes) }),
    of.locked && t('lifecycle.count.locked', { n: of.locked }),
    of.changed && t('lifecycle.count.changed', { n: of.changed }),
    of.failed && t('lifecycle.count.failed', { n: of.failed }),
  ];
  return (
    <Stack gap={2} title={t('lifecycle.count.hint')}>
      <Text size="md">{t('lifecycle.count', { n: of.expired + of.expiredAll + of.noncurrent + of.deleteMarkers + of.uploads })}</Text>
      {more.filter(Boolean).map((m) => (
        <Text key={String(m)} size="sm" c="dimmed">
          {m}
        </Text>
      ))}
    </Stack>
  );
}
