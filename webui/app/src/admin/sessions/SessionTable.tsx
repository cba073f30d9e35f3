import { ActionIcon, Badge, Button, Code, Group, Modal, Stack, Text, Tooltip } from '@mantine/core';
import { IconInfoCircle, IconLogout } from '@tabler/icons-react';
import { useMemo, useState, type ReactNode } from 'react';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT, type Translate } from '../../i18n';
import { DataTable, type Column } from '../../ui/DataTable';
import { When } from '../../ui/When';
import { isConsole, type Person } from '../names';
import { useAct } from '../parts/act';
import { Facts, Mono } from '../parts/Facts';
import { Names } from '../parts/NameSet';
import { Who } from '../parts/Who';
import { format } from '../policies/templates';
import type { Session } from '../types';

interface Props {
  sessions: Session[];
  people?: (q: string) => Person;
  mayEnd: boolean;
  tools?: ReactNode;
  empty?: ReactNode;
}

/** How the provider of a session is called. */
export function providerText(s: Pick<Session, 'provider'>, t: Translate): string {
  if (!s.provider) return t('admin.source.local');
  if (s.provider === 'ldap') return t('admin.source.ldap');
  if (s.provider === 'tls') return t('admin.source.tls');
  if (s.provider === 'custom') return t('admin.source.custom');
  const name = s.provider.replace(/^openid:/, '');
  return name === 'default' ? t('admin.source.openid') : name;
}

/** Sessions: whose, from where, until when. */
export function SessionTable({ sessions, people, mayEnd, tools, empty }: Props) {
  const t = useT();
  const { act, busy } = useAct();
  const { login } = useSession();
  const [shown, setShown] = useState<Session>();
  const newest = useMemo(() => [...sessions].sort((a, b) => b.created.localeCompare(a.created)), [sessions]);
  const columns: Column<Session>[] = [
    ...(people ? [{ id: 'who', title: t('admin.session.who'), cell: (s: Session) => <Who name={s.parent} claims={s.grants?.claims} people={people} />, sort: (s: Session) => people(s.parent).name }] : []),
    {
      id: 'how', title: t('admin.session.how'), sort: (s) => s.name ?? '',
      cell: (s) => (
        <Group gap={6}>
          <span>{isConsole(s) ? t('admin.session.console') : s.name || t('admin.session.sts')}</span>
          {s.accessKey === login.accessKey && <Badge color="indigo">{t('admin.session.this')}</Badge>}
          {s.restricted && <Badge color="gray">{t('admin.session.restricted')}</Badge>}
        </Group>
      ),
    },
    { id: 'provider', title: t('admin.provider'), from: 'sm', cell: (s) => providerText(s, t), sort: (s) => s.provider ?? '' },
    { id: 'remote', title: t('admin.remote'), from: 'xs', cell: (s) => <Mono>{s.remote ?? '–'}</Mono>, sort: (s) => s.remote ?? '' },
    { id: 'created', title: t('admin.begun'), from: 'md', cell: (s) => <When value={s.created} relative />, sort: (s) => s.created },
    { id: 'expires', title: t('admin.ends'), from: 'sm', cell: (s) => <When value={s.expires} relative />, sort: (s) => s.expires ?? '' },
    {
      id: 'actions', title: '', align: 'right', width: 90,
      cell: (s) => (
        <Group gap={4} wrap="nowrap" justify="flex-end">
          <Tooltip label={t('admin.details')}>
            <ActionIcon variant="subtle" color="gray" aria-label={t('admin.session.details', { id: s.accessKey })} onClick={() => setShown(s)}>
              <IconInfoCircle size={17} />
            </ActionIcon>
          </Tooltip>
          {mayEnd && (
            <Tooltip label={t('admin.session.end')}>
              <ActionIcon
                variant="subtle"
                color="red"
                loading={busy}
                aria-label={t('admin.session.endOne', { id: s.accessKey })}
                onClick={() => void act(() => adminSend('DELETE', ['sessions', s.accessKey]), t('admin.sessions.ended'))}
              >
                <IconLogout size={17} />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      ),
    },
  ];
  return (
    <>
      <DataTable
        label={t('admin.sessions')}
        rows={newest}
        columns={columns}
        rowKey={(s) => s.accessKey}
        search={(s) => [people?.(s.parent).name, s.parent, s.name, s.accessKey, s.remote, s.provider].join(' ')}
        tools={tools}
        empty={empty}
      />
      {shown && <SessionDialog session={shown} onClose={() => setShown(undefined)} />}
    </>
  );
}

function SessionDialog({ session: s, onClose }: { session: Session; onClose: () => void }) {
  const t = useT();
  const claims = Object.entries(s.grants?.claims ?? {}).sort();
  return (
    <Modal opened onClose={onClose} size="lg" title={t('admin.session')} closeButtonProps={{ 'aria-label': t('action.close') }}>
      <Stack>
        <Facts
          rows={[
            [t('admin.session.who'), <Mono wrap>{s.parent}</Mono>],
            [t('admin.accessKey'), <Mono wrap>{s.accessKey}</Mono>],
            [t('admin.arn'), s.arn && <Mono wrap>{s.arn}</Mono>],
            [t('admin.provider'), providerText(s, t)],
            [t('admin.remote'), s.remote],
            [t('admin.begun'), <When value={s.created} />],
            [t('admin.ends'), <When value={s.expires} />],
            [t('admin.session.policies'), s.grants?.policies?.length ? <Names names={s.grants.policies} limit={20} /> : undefined],
            [t('admin.session.groups'), s.grants?.groups?.length ? <Names names={s.grants.groups} limit={20} /> : undefined],
          ]}
        />
        {claims.length > 0 && (
          <div>
            <Text fw={600} mb={6}>
              {t('admin.session.claims')}
            </Text>
            <Facts rows={claims.map(([k, v]) => [k, v.join(', ')])} />
          </div>
        )}
        {s.policy !== undefined && (
          <div>
            <Text fw={600} mb={6}>
              {t('admin.session.policy')}
            </Text>
            <Code block>{format(s.policy)}</Code>
          </div>
        )}
        <Group justify="flex-end">
          <Button onClick={onClose}>{t('action.close')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
