import { Button, Group, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconLogout, IconPlugConnected, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { EmptyState } from '../../ui/EmptyState';
import { Page } from '../../ui/Page';
import { sessionsQuery, useChanged } from '../data';
import { Loaded } from '../parts/Loaded';
import { usePeople } from '../parts/Who';
import { providerText, SessionTable } from './SessionTable';

/** The sessions of everybody: who, from where, until when. */
export default function SessionsPage() {
  const t = useT();
  const { may } = useSession();
  const changed = useChanged();
  const sessions = useQuery({ ...sessionsQuery('all'), refetchInterval: 30_000 });
  const people = usePeople();
  const [provider, setProvider] = useState('');
  const [who, setWho] = useState('');
  const [ending, setEnding] = useState<{ provider: string } | { user: string }>();
  const mayEnd = may('admin:RemoveServiceAccount');
  return (
    <Page
      title={t('admin.sessions')}
      about={t('admin.sessions.about')}
      wide
      actions={
        <Button variant="default" leftSection={<IconRefresh size={16} aria-hidden />} loading={sessions.isFetching} onClick={() => void sessions.refetch()}>
          {t('action.refresh')}
        </Button>
      }
    >
      <Loaded query={sessions}>
        {(list) => {
          const providers = [...new Set(list.map((s) => s.provider ?? ''))].sort();
          const users = [...new Set(list.map((s) => s.parent))].sort();
          const shown = list.filter((s) => (!provider || (s.provider ?? '') === (provider === 'local' ? '' : provider)) && (!who || s.parent === who));
          return (
            <SessionTable
              sessions={shown}
              people={people}
              mayEnd={mayEnd}
              empty={list.length === 0 ? <EmptyState icon={IconPlugConnected} title={t('admin.sessions.none')} /> : undefined}
              tools={
                <Group gap="xs">
                  {providers.length > 1 && (
                    <NativeSelect
                      aria-label={t('admin.provider')}
                      value={provider}
                      onChange={(e) => setProvider(e.currentTarget.value)}
                      data={[{ value: '', label: t('admin.provider.all') }, ...providers.map((p) => ({ value: p || 'local', label: providerText(p ? { provider: p } : {}, t) }))]}
                    />
                  )}
                  {users.length > 1 && (
                    <NativeSelect
                      aria-label={t('admin.session.who')}
                      value={who}
                      onChange={(e) => setWho(e.currentTarget.value)}
                      data={[{ value: '', label: t('admin.session.everybody') }, ...users.map((u) => ({ value: u, label: people(u).name }))]}
                      maw={240}
                    />
                  )}
                  {mayEnd && who && (
                    <Button variant="default" leftSection={<IconLogout size={16} aria-hidden />} onClick={() => setEnding({ user: who })}>
                      {t('admin.sessions.endUser')}
                    </Button>
                  )}
                  {mayEnd && !who && provider && provider !== 'local' && (
                    <Button variant="default" leftSection={<IconLogout size={16} aria-hidden />} onClick={() => setEnding({ provider })}>
                      {t('admin.sessions.endProvider')}
                    </Button>
                  )}
                </Group>
              }
            />
          );
        }}
      </Loaded>
      {ending && (
        <ConfirmDialog
          title={t('admin.sessions.end')}
          action={t('admin.sessions.end')}
          danger
          onClose={() => setEnding(undefined)}
          onConfirm={async () => {
            await adminSend('POST', ['sessions', 'revoke'], ending);
            await changed();
          }}
        >
          {'user' in ending ? t('admin.sessions.end.user', { name: people(ending.user).name }) : t('admin.sessions.end.provider', { name: providerText(ending, t) })}
        </ConfirmDialog>
      )}
    </Page>
  );
}
