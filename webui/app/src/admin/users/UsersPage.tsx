import { Button, NativeSelect, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconUser, IconUserPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { usersQuery } from '../data';
import { EnabledBadge } from '../keys/KeyTable';
import { Loaded } from '../parts/Loaded';
import { Names } from '../parts/NameSet';
import { pathTo } from '../parts/place';
import { SecretDialog } from '../parts/SecretDialog';
import { sourceNames, usePeople, Who } from '../parts/Who';
import type { Secret, Source, User } from '../types';
import { NewUserDialog } from './NewUserDialog';

const policyPath = (name: string) => pathTo('policies', 'name', name);
const groupPath = (name: string) => pathTo('groups', name);

// The name of a user of this server is a key too, for its password.
const keysOf = (u: User) => u.accessKeys.filter((k) => k !== u.name).length;

/** All users: those of this server, and people of directories and identity providers who have been here. */
export default function UsersPage() {
  const t = useT();
  const { may } = useSession();
  const users = useQuery(usersQuery);
  const people = usePeople();
  const [source, setSource] = useState('');
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<Secret>();
  const create = may('admin:CreateUser') && (
    <Button leftSection={<IconUserPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      {t('admin.user.new')}
    </Button>
  );
  return (
    <Page title={t('admin.users')} about={t('admin.users.about')} actions={create} wide>
      <Loaded query={users}>
        {(list) => {
          const sources = [...new Set(list.map((u) => u.source ?? 'local'))];
          return (
            <DataTable
              label={t('admin.users')}
              rows={[...list].filter((u) => !source || (u.source ?? 'local') === source).sort((a, b) => people(a.name).name.localeCompare(people(b.name).name))}
              rowKey={(u) => u.name}
              search={(u) => [people(u.name).name, u.name, ...u.policies, ...u.groups].join(' ')}
              empty={
                <EmptyState icon={IconUser} title={t('admin.users.none')} text={t('admin.users.none.text')}>
                  {create}
                </EmptyState>
              }
              tools={
                sources.length > 1 && (
                  <NativeSelect
                    aria-label={t('admin.source')}
                    value={source}
                    onChange={(e) => setSource(e.currentTarget.value)}
                    data={[{ value: '', label: t('admin.source.all') }, ...sources.map((s) => ({ value: s, label: t(sourceNames[s as Source | 'local']) }))]}
                  />
                )
              }
              columns={[
                { id: 'name', title: t('ui.name'), cell: (u) => <Who name={u.name} people={people} />, sort: (u) => people(u.name).name },
                { id: 'policies', title: t('admin.policies'), from: 'sm', cell: (u) => <Names names={u.policies} {...(may('admin:GetPolicy') ? { to: policyPath } : {})} /> },
                { id: 'groups', title: t('admin.groups'), from: 'md', cell: (u) => <Names names={u.groups} {...(may('admin:GetGroup') ? { to: groupPath } : {})} /> },
                { id: 'keys', title: t('admin.keys'), from: 'md', align: 'right', cell: (u) => <Text span size="md">{keysOf(u) || '–'}</Text>, sort: keysOf },
                { id: 'created', title: t('admin.created'), from: 'lg', cell: (u) => <When value={u.created} relative />, sort: (u) => u.created },
                { id: 'state', title: t('admin.state'), cell: (u) => <EnabledBadge enabled={u.enabled} />, sort: (u) => (u.enabled ? 0 : 1) },
              ]}
            />
          );
        }}
      </Loaded>
      {creating && <NewUserDialog onClose={() => setCreating(false)} onMade={setMade} />}
      {made && <SecretDialog secret={made} title={t('admin.user.made')} onClose={() => setMade(undefined)} />}
    </Page>
  );
}
