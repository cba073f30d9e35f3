import { Button, Group, Progress, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconBellRinging, IconSend } from '@tabler/icons-react';
import { useState } from 'react';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { EmptyState } from '../../ui/EmptyState';
import { useFormat } from '../../ui/format';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { useAct } from '../parts/act';
import { Facts, Frame, Mono } from '../parts/Facts';
import { Loaded } from '../parts/Loaded';
import { Outcome } from '../parts/Outcome';
import { targetsQuery, type Target } from './target';
import { TargetState } from './TargetState';

/** Where buckets may send events: whether each target takes them, and how many wait. */
export default function TargetsPage() {
  const t = useT();
  const targets = useQuery({ ...targetsQuery, refetchInterval: 10_000, staleTime: 0 });
  return (
    <Page title={t('admin.targets')} about={t('targets.about')}>
      <Loaded query={targets}>
        {(list) =>
          list.length === 0 ? (
            <EmptyState icon={IconBellRinging} title={t('targets.none')} text={t('targets.none.text')} />
          ) : (
            <Stack>
              {list.map((x) => (
                <Card key={x.name} target={x} />
              ))}
            </Stack>
          )
        }
      </Loaded>
    </Page>
  );
}

function Card({ target: x }: { target: Target }) {
  const t = useT();
  const format = useFormat();
  const { may } = useSession();
  const { act, busy } = useAct();
  const [tried, setTried] = useState<{ ok: boolean; error?: string }>();
  const test = () => void act(async () => setTried(await adminSend<{ ok: boolean; error?: string }>('POST', ['notifications', x.name, 'test'])));
  return (
    <Frame>
      <Group justify="space-between" mb="sm">
        <Group gap="sm">
          <Title order={2}>{x.name.slice(x.kind.length + 1)}</Title>
          <Text c="dimmed" size="sm">
            {x.kind}
          </Text>
          <TargetState of={x} />
        </Group>
        {may('admin:ConfigUpdate') && (
          <Button size="xs" variant="default" loading={busy} leftSection={<IconSend size={15} aria-hidden />} onClick={test} aria-label={`${t('targets.test')}: ${x.name}`}>
            {t('targets.test')}
          </Button>
        )}
      </Group>
      <Stack>
        {tried && (
          <Outcome good={tried.ok} title={t(tried.ok ? 'targets.test.ok' : 'targets.test.failed')}>
            {tried.error && <Text size="md">{tried.error}</Text>}
          </Outcome>
        )}
        <Facts
          rows={[
            ['ARN', <Mono key="arn" wrap>{x.arn}</Mono>],
            [t('targets.addresses'), x.addresses && x.addresses.length > 0 ? <Mono wrap>{x.addresses.join(', ')}</Mono> : undefined],
            [
              t('targets.waiting'),
              <div key="waiting">
                {format.number(x.waiting)} / {format.number(x.limit)}
                {x.waiting > 0 && <Progress value={(x.waiting / x.limit) * 100} mt={4} maw={320} aria-label={t('targets.waiting')} />}
              </div>,
            ],
            [t('targets.sent'), format.number(x.sent)],
            [t('targets.lastSent'), <When key="sent" value={x.lastSent} relative />],
            [t('targets.failures'), format.number(x.failures)],
            [t('targets.dropped'), x.dropped > 0 ? <span style={{ color: 'var(--mantine-color-error)' }}>{format.number(x.dropped)}</span> : format.number(0)],
            [t('admin.provider.error'), x.lastError],
            [t('admin.provider.errorAt'), x.lastError && x.lastErrorAt ? <When value={x.lastErrorAt} relative /> : undefined],
          ]}
        />
      </Stack>
    </Frame>
  );
}
