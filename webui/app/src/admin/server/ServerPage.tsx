import { Alert, Badge, Group, Progress, SimpleGrid, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Link } from 'wouter';
import { adminGet } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { ByteSize } from '../../ui/ByteSize';
import { DataTable } from '../../ui/DataTable';
import { formatSeconds, useFormat } from '../../ui/format';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { Facts, Mono, Part } from '../parts/Facts';
import { Loaded } from '../parts/Loaded';
import parts from '../parts/parts.module.css';
import { State } from '../parts/State';
import { RestartButton } from './RestartButton';
import { health, type ServerInfo } from './types';

/** The server: health, version, disk, addresses, settings. */
export default function ServerPage() {
  const t = useT();
  const { may } = useSession();
  const query = useQuery({ queryKey: ['admin', 'server'], queryFn: ({ signal }) => adminGet<ServerInfo>(['server'], {}, signal), refetchInterval: 15_000 });
  return (
    <Page title={t('admin.server')} about={t('admin.server.about')} wide actions={may('admin:ServiceRestart') && query.data && <RestartButton />}>
      <Loaded query={query}>{(s) => <Details of={s} />}</Loaded>
      <Features />
    </Page>
  );
}

function Details({ of: s }: { of: ServerInfo }) {
  const t = useT();
  const format = useFormat();
  const state = health(s);
  const words = { good: t('admin.health.good'), soon: t('admin.health.soon'), bad: t('admin.health.bad') };
  return (
    <>
      {s.warnings.length > 0 && (
        <Stack gap="xs" mb="lg">
          {s.warnings.map((w) => (
            <Alert key={w} color="yellow" icon={<IconAlertTriangle aria-hidden />}>
              {w}
            </Alert>
          ))}
        </Stack>
      )}
      <SimpleGrid cols={{ base: 1, md: 2 }} spacing="xl">
        <Part title={t('admin.health')}>
          <Facts
            rows={[
              [t('admin.state'), <State kind={state}>{words[state]}</State>],
              [s.store.upstream ? t('admin.server.reached') : t('admin.server.writable'), s.store.writable ? t('ui.yes') : <State kind="bad">{t('ui.no')}</State>],
              [t('admin.server.damaged'), s.store.upstream ? undefined : s.store.damagedReads > 0 ? <State kind="soon">{format.number(s.store.damagedReads)}</State> : t('ui.none')],
              [t('admin.server.uptime'), <span title={format.exact(s.started)}>{formatSeconds(s.uptimeSeconds)}</span>],
              [t('admin.server.inFlight'), format.number(s.process.requestsInFlight)],
              [t('admin.metrics.connections'), format.number(s.process.connections)],
              [t('admin.metrics.memory'), <><ByteSize value={s.process.memoryBytes} /> ({t('admin.server.heap')}: <ByteSize value={s.process.heapBytes} />)</>],
              [t('admin.metrics.goroutines'), format.number(s.process.goroutines)],
            ]}
          />
        </Part>
        {s.store.upstream ? <Upstream of={s} /> : <Disk of={s} />}
        <Part title={t('admin.server.program')}>
          <Facts
            rows={[
              [t('admin.server.version'), s.commit ? `${s.version} (${s.commit.slice(0, 12)})` : s.version],
              [t('admin.server.platform'), `${s.os}/${s.arch}, ${s.goVersion}`],
              [t('admin.server.cpus'), format.number(s.process.cpus)],
              [t('admin.server.pid'), String(s.process.pid)],
              [t('admin.server.started'), <When value={s.started} />],
              [t('admin.server.clock'), <When value={s.time} />],
              [t('admin.server.deployment'), <Mono wrap>{s.deployment}</Mono>],
            ]}
          />
        </Part>
        <Part title={t('admin.server.network')}>
          <Facts
            rows={[
              ['S3', <Mono wrap>{s.addresses.s3}</Mono>],
              [t('admin.server.console'), s.addresses.console ? <Mono wrap>{s.addresses.console}</Mono> : t('admin.server.console.same')],
              [t('admin.server.node'), <Mono wrap>{s.node}</Mono>],
              ['TLS', s.tls ? t('ui.on') : t('ui.off')],
              [t('admin.server.region'), s.region],
              [t('admin.server.domains'), s.domains.length ? s.domains.join(', ') : t('ui.none')],
              [t('admin.server.identities'), t('admin.server.identities.text', { users: s.identities.users, groups: s.identities.groups, policies: s.identities.policies, keys: s.identities.keys, sessions: s.identities.sessions })],
            ]}
          />
        </Part>
      </SimpleGrid>
      <Part title={t('admin.server.settings')} about={t('admin.server.settings.about')}>
        <DataTable
          label={t('admin.server.settings')}
          rows={s.settings}
          rowKey={(x) => x.name}
          search={(x) => [x.name, x.variable, x.value, x.from].join(' ')}
          columns={[
            { id: 'variable', title: t('admin.server.setting'), cell: (x) => <Mono wrap>{x.variable}</Mono>, sort: (x) => x.variable },
            { id: 'value', title: t('ui.value'), cell: (x) => (x.value === '' ? '–' : <Mono wrap>{x.value}</Mono>), sort: (x) => x.value },
            { id: 'from', title: t('admin.provider.from'), from: 'sm', cell: (x) => (x.from === 'default' ? <Text span c="dimmed" size="md">{t('admin.server.default')}</Text> : <Mono wrap>{x.from}</Mono>), sort: (x) => x.from },
          ]}
        />
      </Part>
    </>
  );
}

function Disk({ of: s }: { of: ServerInfo }) {
  const t = useT();
  const format = useFormat();
  // What is neither used nor free is reserved, or other quotas': as df, it counts for neither.
  const usable = s.store.usedBytes + s.store.freeBytes;
  const percent = usable > 0 ? (s.store.usedBytes / usable) * 100 : 0;
  return (
    <Part title={t('admin.server.disk')}>
      <Facts
        rows={[
          [t('admin.server.path'), <Mono wrap>{s.store.path}</Mono>],
          [
            t('admin.metrics.used'),
            <Stack gap={6}>
              <Progress value={percent} color={percent > 95 ? 'red' : percent > 85 ? 'yellow' : 'indigo'} aria-label={t('admin.metrics.used')} />
              <Text span size="sm">
                {t('admin.server.usedOf', { used: format.bytes(s.store.usedBytes), total: format.bytes(usable), percent: Math.round(percent) })}
              </Text>
            </Stack>,
          ],
          [t('admin.server.free'), <ByteSize value={s.store.freeBytes} />],
          [t('admin.server.inodes'), s.store.totalInodes > 0 ? `${format.number(s.store.freeInodes)} / ${format.number(s.store.totalInodes)}` : undefined],
          [t('admin.server.index'), <ByteSize value={s.store.indexBytes} />],
          [
            t('admin.usage'),
            s.usage && (
              <Link href="/usage" className={parts.link}>
                {t('admin.server.usage', { bytes: format.bytes(s.usage.bytes), objects: s.usage.objects, buckets: s.usage.buckets })}
              </Link>
            ),
          ],
        ]}
      />
    </Part>
  );
}

/** What keeps the objects of a gateway, which knows little of it. */
function Upstream({ of: s }: { of: ServerInfo }) {
  const t = useT();
  return (
    <Part title={t('admin.server.upstream')}>
      <Facts
        rows={[
          [t('admin.server.url'), <Mono wrap>{s.store.path}</Mono>],
          [t('admin.server.disk'), t('admin.server.unknown')],
          [t('admin.usage'), t('admin.server.unknown')],
        ]}
      />
    </Part>
  );
}

function Features() {
  const t = useT();
  const { server } = useSession();
  const names = Object.entries(server.features ?? {})
    .filter((f) => f[1] === true)
    .map((f) => f[0])
    .sort();
  if (names.length === 0) return null;
  return (
    <Part title={t('admin.server.features')} about={t('admin.server.features.about', { n: names.length })}>
      <Group gap={6}>
        {names.map((n) => (
          <Badge key={n} color="gray" variant="default">
            {n}
          </Badge>
        ))}
      </Group>
    </Part>
  );
}
