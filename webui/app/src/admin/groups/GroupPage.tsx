import { Anchor, Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconBan, IconPlayerPlay, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { groupQuery, policiesQuery, useChanged, usersQuery } from '../data';
import { person } from '../names';
import { EnabledBadge } from '../keys/KeyTable';
import { useAct } from '../parts/act';
import { Facts, Frame, Part } from '../parts/Facts';
import { Loaded } from '../parts/Loaded';
import { NameSet } from '../parts/NameSet';
import { pathTo, useSegment } from '../parts/place';
import { sourceNames, usePeople, Who } from '../parts/Who';
import type { Group } from '../types';
import { Copied } from '../users/UserPage';

/** One group: its policies and members. */
export default function GroupPage() {
  const t = useT();
  const name = useSegment(1);
  const group = useQuery(groupQuery(name));
  return (
    <Page
      title={person(name).name}
      about={
        <Anchor component={Link} href="/groups" size="sm">
          {t('admin.groups')}
        </Anchor>
      }
      actions={group.data && <Actions group={group.data} />}
    >
      <Loaded query={group}>{(g) => <Details group={g} />}</Loaded>
    </Page>
  );
}

function Actions({ group }: { group: Group }) {
  const t = useT();
  const { may } = useSession();
  const { act, busy } = useAct();
  const changed = useChanged();
  const [, go] = useLocation();
  const [deleting, setDeleting] = useState(false);
  return (
    <>
      {may(group.enabled ? 'admin:DisableGroup' : 'admin:EnableGroup') && (
        <Button
          variant="default"
          loading={busy}
          leftSection={group.enabled ? <IconBan size={16} aria-hidden /> : <IconPlayerPlay size={16} aria-hidden />}
          onClick={() => void act(() => adminSend('PATCH', ['groups', group.name], { enabled: !group.enabled }), t('ui.saved'))}
        >
          {group.enabled ? t('admin.disable') : t('admin.enable')}
        </Button>
      )}
      {may('admin:RemoveUserFromGroup') && (
        <Button variant="default" c="var(--mantine-color-error)" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setDeleting(true)}>
          {t('action.delete')}
        </Button>
      )}
      {deleting && (
        <ConfirmDialog
          title={t('admin.group.delete')}
          action={t('action.delete')}
          danger
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            // A group goes only when it is empty, so that nobody loses rights by a slip: this is asked here.
            if (group.members.length > 0) await adminSend('PATCH', ['groups', group.name], { remove: group.members });
            await adminSend('DELETE', ['groups', group.name]);
            go('/groups');
            setTimeout(() => void changed(), 0); // when this page is gone: what it shows can't be asked for any more
          }}
        >
          {t('admin.group.delete.text', { name: group.name, n: group.members.length })}
        </ConfirmDialog>
      )}
    </>
  );
}

function Details({ group }: { group: Group }) {
  const t = useT();
  const { may } = useSession();
  const { act } = useAct();
  const people = usePeople();
  const policies = useQuery({ ...policiesQuery, enabled: may('admin:ListUserPolicies') });
  const users = useQuery({ ...usersQuery, enabled: may('admin:ListUsers') });
  const attach = may('admin:AttachUserOrGroupPolicy');
  const patch = (body: object) => act(() => adminSend('PATCH', ['groups', group.name], body));
  return (
    <>
      <Part title={t('admin.overview')}>
        <Facts
          rows={[
            [t('admin.state'), <EnabledBadge enabled={group.enabled} />],
            [t('admin.source'), group.source ? t(sourceNames[group.source]) : undefined],
            [t('admin.qualified'), group.source ? <Copied value={group.name} /> : undefined],
            [t('admin.arn'), <Copied value={group.arn} />],
            [t('admin.created'), <When value={group.created} />],
            [t('admin.updated'), <When value={group.updated} relative />],
          ]}
        />
      </Part>
      <Part title={t('admin.policies')} about={t('admin.group.policies.about')}>
        <Frame>
          <NameSet
            names={group.policies}
            options={(policies.data ?? []).map((p) => p.name)}
            label={t('admin.policies')}
            placeholder={t('admin.policy.choose')}
            empty={t('admin.group.policies.none')}
            to={may('admin:GetPolicy') ? (n) => pathTo('policies', 'name', n) : undefined}
            onAdd={attach ? (n) => patch({ attach: [n] }) : undefined}
            onRemove={attach ? (n) => void patch({ detach: [n] }) : undefined}
          />
        </Frame>
      </Part>
      <Part title={t('admin.members')} about={group.source === 'ldap' ? t('admin.group.members.directory') : undefined}>
        {(group.source !== 'ldap' || group.members.length > 0) && <Frame>
          <NameSet
            names={group.members}
            options={(users.data ?? []).map((u) => u.name)}
            label={t('admin.members')}
            placeholder={t('admin.member.choose')}
            empty={t('admin.group.members.none')}
            show={(n) => <Who name={n} people={people} />}
            onAdd={may('admin:AddUserToGroup') && group.source !== 'ldap' ? (n) => patch({ add: [n] }) : undefined}
            onRemove={may('admin:RemoveUserFromGroup') ? (n) => void patch({ remove: [n] }) : undefined}
          />
        </Frame>}
      </Part>
    </>
  );
}
