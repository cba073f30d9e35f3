import { Button, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { IconFingerprint, IconRefresh } from '@tabler/icons-react';
import { Link } from 'wouter';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { EmptyState } from '../../ui/EmptyState';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { providersQuery } from '../data';
import { useAct } from '../parts/act';
import { Facts, Frame, Mono } from '../parts/Facts';
import { isMissing, Loaded } from '../parts/Loaded';
import classes from '../parts/parts.module.css';
import { State } from '../parts/State';
import type { Provider } from '../types';
import { sourceNames } from '../parts/Who';
import { DirectoryTester, TokenTester } from './testers';

/** Identity providers: their state, how rights come about, and logins to try. */
export default function ProvidersPage() {
  const t = useT();
  const { may } = useSession();
  const providers = useQuery({ ...providersQuery, enabled: may('admin:ConfigUpdate') });
  const kinds = new Set(providers.data?.map((p) => p.kind));
  // Without the list one can still try a token.
  const unknown = !may('admin:ConfigUpdate') || (providers.error !== null && isMissing(providers.error));
  return (
    <Page title={t('admin.providers')} about={t('admin.providers.about')}>
      {may('admin:ConfigUpdate') && <List query={providers} />}
      {may('admin:Explain') && (unknown || kinds.has('openid')) && <TokenTester providers={(providers.data ?? []).filter((p) => p.kind === 'openid')} />}
      {may('admin:Explain') && (unknown || kinds.has('ldap')) && <DirectoryTester />}
    </Page>
  );
}

function List({ query }: { query: UseQueryResult<Provider[]> }) {
  const t = useT();
  return (
    <Loaded query={query}>
      {(list) =>
        list.length === 0 ? (
          <EmptyState icon={IconFingerprint} title={t('admin.providers.none')} text={t('admin.providers.none.text')} />
        ) : (
          <Stack mb="xl">
            {list.map((p) => (
              <Card key={p.id} provider={p} />
            ))}
          </Stack>
        )
      }
    </Loaded>
  );
}

function Card({ provider: p }: { provider: Provider }) {
  const t = useT();
  const { act, busy } = useAct();
  const kind = { ok: 'good', unused: 'off', failing: 'bad' } as const;
  const words = { ok: t('admin.provider.ok'), unused: t('admin.provider.unused'), failing: t('admin.provider.failing') };
  return (
    <Frame>
      <Group justify="space-between" mb="sm">
        <Group gap="sm">
          <Title order={2}>{p.title || p.name || t(sourceNames[p.kind])}</Title>
          <Text c="dimmed" size="sm">
            {t(sourceNames[p.kind])}
          </Text>
          <State kind={kind[p.state] ?? 'off'}>{words[p.state] ?? p.state}</State>
        </Group>
        <Button size="xs" variant="default" loading={busy} leftSection={<IconRefresh size={15} aria-hidden />} onClick={() => void act(() => adminSend('POST', ['providers', p.id, 'check'], {}))}>
          {t('admin.provider.check')}
        </Button>
      </Group>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Facts
          rows={[
            [t('admin.provider.error'), p.error ? <span style={{ color: 'var(--mantine-color-error)' }}>{p.error}</span> : undefined],
            [t('admin.provider.errorAt'), p.error && p.errorAt ? <When value={p.errorAt} relative /> : undefined],
            [t('admin.provider.checked'), <When value={p.checked} relative />],
            [t('admin.provider.keys'), p.keys],
            [
              t('admin.sessions'),
              <Link href="/sessions" className={classes.link}>
                {String(p.sessions)}
              </Link>,
            ],
            [t('admin.provider.mapping'), p.policySource],
            ['RoleArn', p.roleArn ? <Mono wrap>{p.roleArn}</Mono> : undefined],
            [t('admin.provider.from'), p.from],
          ]}
        />
        <Facts rows={p.settings.map((s) => [s.key, s.value === '' ? '–' : <Mono wrap>{s.value}</Mono>])} />
      </SimpleGrid>
    </Frame>
  );
}

