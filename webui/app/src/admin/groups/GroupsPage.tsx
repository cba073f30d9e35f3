import { Badge, Button, Group, TagsInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconPlus, IconUsersGroup } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { DataTable } from '../../ui/DataTable';
import { EmptyState } from '../../ui/EmptyState';
import { Page } from '../../ui/Page';
import { groupsQuery, policiesQuery, usersQuery } from '../data';
import { person } from '../names';
import { EnabledBadge } from '../keys/KeyTable';
import { FormDialog } from '../parts/FormDialog';
import { Loaded } from '../parts/Loaded';
import { Names } from '../parts/NameSet';
import classes from '../parts/parts.module.css';
import { pathTo } from '../parts/place';
import { sourceNames } from '../parts/Who';

/** All groups. */
export default function GroupsPage() {
  const t = useT();
  const { may } = useSession();
  const groups = useQuery(groupsQuery);
  const [creating, setCreating] = useState(false);
  const create = may('admin:AddUserToGroup') && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      {t('admin.group.new')}
    </Button>
  );
  return (
    <Page title={t('admin.groups')} about={t('admin.groups.about')} actions={create} wide>
      <Loaded query={groups}>
        {(list) => (
          <DataTable
            label={t('admin.groups')}
            rows={list}
            rowKey={(g) => g.name}
            search={(g) => [g.name, ...g.policies, ...g.members].join(' ')}
            empty={
              <EmptyState icon={IconUsersGroup} title={t('admin.groups.none')} text={t('admin.groups.none.text')}>
                {create}
              </EmptyState>
            }
            columns={[
              {
                id: 'name', title: t('ui.name'), sort: (g) => person(g.name).name,
                cell: (g) => (
                  <Group gap={6} wrap="nowrap">
                    <Link href={pathTo('groups', g.name)} className={classes.link} title={g.name}>
                      {person(g.name).name}
                    </Link>
                    {g.source && (
                      <Badge color="gray" size="sm" style={{ flex: 'none' }}>
                        {t(sourceNames[g.source])}
                      </Badge>
                    )}
                  </Group>
                ),
              },
              { id: 'members', title: t('admin.members'), align: 'right', from: 'xs', cell: (g) => g.members.length || '–', sort: (g) => g.members.length },
              { id: 'policies', title: t('admin.policies'), from: 'sm', cell: (g) => <Names names={g.policies} {...(may('admin:GetPolicy') ? { to: (n: string) => pathTo('policies', 'name', n) } : {})} /> },
              { id: 'state', title: t('admin.state'), cell: (g) => <EnabledBadge enabled={g.enabled} />, sort: (g) => (g.enabled ? 0 : 1) },
            ]}
          />
        )}
      </Loaded>
      {creating && <NewGroupDialog onClose={() => setCreating(false)} />}
    </Page>
  );
}

function NewGroupDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const { may } = useSession();
  const [name, setName] = useState('');
  const [policies, setPolicies] = useState<string[]>([]);
  const [members, setMembers] = useState<string[]>([]);
  const mayAttach = may('admin:AttachUserOrGroupPolicy');
  const all = useQuery({ ...policiesQuery, enabled: mayAttach && may('admin:ListUserPolicies') });
  const users = useQuery({ ...usersQuery, enabled: may('admin:ListUsers') });
  const submit = async () => {
    await adminSend('PUT', ['groups', name.trim()], policies.length ? { policies } : {});
    if (members.length) await adminSend('PATCH', ['groups', name.trim()], { add: members });
  };
  return (
    <FormDialog title={t('admin.group.new')} action={t('action.create')} onSubmit={submit} onClose={onClose}>
      <TextInput label={t('ui.name')} description={t('admin.group.name.hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} required autoComplete="off" spellCheck={false} data-autofocus />
      {mayAttach && <TagsInput label={t('admin.policies')} placeholder={policies.length ? '' : t('admin.policy.choose')} value={policies} onChange={setPolicies} data={(all.data ?? []).map((p) => p.name)} />}
      <TagsInput label={t('admin.members')} placeholder={members.length ? '' : t('admin.member.choose')} value={members} onChange={setMembers} data={(users.data ?? []).map((u) => u.name)} />
    </FormDialog>
  );
}
