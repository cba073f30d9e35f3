import { Anchor, Button, Group, PasswordInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { IconBan, IconKey, IconPlayerPlay, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { CopyButton } from '../../ui/CopyButton';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { groupsQuery, keysQuery, policiesQuery, sessionsQuery, useChanged, userQuery } from '../data';
import { KeyDialog } from '../keys/KeyDialog';
import { EnabledBadge, KeyTable } from '../keys/KeyTable';
import { useAct } from '../parts/act';
import { Facts, Frame, Mono, Part } from '../parts/Facts';
import { FormDialog } from '../parts/FormDialog';
import { Loaded } from '../parts/Loaded';
import { NameSet } from '../parts/NameSet';
import { pathTo, useSegment } from '../parts/place';
import { SecretDialog } from '../parts/SecretDialog';
import { sourceNames, usePeople } from '../parts/Who';
import { SessionTable } from '../sessions/SessionTable';
import type { Secret, User } from '../types';

/** One user: rights, groups, keys, sessions. */
export default function UserPage() {
  const t = useT();
  const name = useSegment(1);
  const user = useQuery(userQuery(name));
  const people = usePeople();
  return (
    <Page
      title={people(name).name}
      about={
        <Anchor component={Link} href="/users" size="sm">
          {t('admin.users')}
        </Anchor>
      }
      actions={user.data && <Actions user={user.data} />}
      wide
    >
      <Loaded query={user}>{(u) => <Details user={u} />}</Loaded>
    </Page>
  );
}

function Actions({ user }: { user: User }) {
  const t = useT();
  const { may } = useSession();
  const { act, busy } = useAct();
  const changed = useChanged();
  const [, go] = useLocation();
  const [asking, setAsking] = useState<'secret' | 'delete'>();
  return (
    <>
      {!user.source && may('admin:CreateUser') && (
        <Button variant="default" leftSection={<IconKey size={16} aria-hidden />} onClick={() => setAsking('secret')}>
          {t('admin.user.setSecret')}
        </Button>
      )}
      {may(user.enabled ? 'admin:DisableUser' : 'admin:EnableUser') && (
        <Button
          variant="default"
          loading={busy}
          leftSection={user.enabled ? <IconBan size={16} aria-hidden /> : <IconPlayerPlay size={16} aria-hidden />}
          onClick={() => void act(() => adminSend('PATCH', ['users', user.name], { enabled: !user.enabled }), t('ui.saved'))}
        >
          {user.enabled ? t('admin.disable') : t('admin.enable')}
        </Button>
      )}
      {may('admin:DeleteUser') && (
        <Button variant="default" c="var(--mantine-color-error)" leftSection={<IconTrash size={16} aria-hidden />} onClick={() => setAsking('delete')}>
          {t('action.delete')}
        </Button>
      )}
      {asking === 'secret' && <SecretForm user={user.name} onClose={() => setAsking(undefined)} />}
      {asking === 'delete' && (
        <ConfirmDialog
          title={t('admin.user.delete')}
          action={t('action.delete')}
          danger
          onClose={() => setAsking(undefined)}
          onConfirm={async () => {
            await adminSend('DELETE', ['users', user.name]);
            go('/users');
            setTimeout(() => void changed(), 0); // when this page is gone: what it shows can't be asked for any more
          }}
        >
          {t('admin.user.delete.text', { name: user.name })}
        </ConfirmDialog>
      )}
    </>
  );
}

/** Sets the password of a user of this server. One's own is changed as that of a key, which needs no right. */
export function SecretForm({ user, own, onClose }: { user: string; own?: boolean; onClose: () => void }) {
  const t = useT();
  const [secret, setSecret] = useState('');
  return (
    <FormDialog title={t('admin.user.setSecret')} action={t('action.save')} size="md" onClose={onClose} onSubmit={() => adminSend('PATCH', [own ? 'keys' : 'users', user], { secret })}>
      <PasswordInput
        label={t('admin.secret.new')}
        description={own ? t('admin.profile.password.hint') : t('admin.user.setSecret.hint')}
        value={secret}
        onChange={(e) => setSecret(e.currentTarget.value)}
        autoComplete="new-password"
        required
        minLength={8}
        maxLength={40}
        data-autofocus
        visibilityToggleButtonProps={{ 'aria-label': t('action.show.secret') }}
      />
    </FormDialog>
  );
}

function Details({ user }: { user: User }) {
  const t = useT();
  const { may } = useSession();
  const { act } = useAct();
  const policies = useQuery({ ...policiesQuery, enabled: may('admin:ListUserPolicies') });
  const groups = useQuery({ ...groupsQuery, enabled: may('admin:ListGroups') });
  const attach = may('admin:AttachUserOrGroupPolicy');
  const patch = (body: object) => act(() => adminSend('PATCH', ['users', user.name], body));
  const member = (group: string, change: 'add' | 'remove') => act(() => adminSend('PATCH', ['groups', group], { [change]: [user.name] }));
  return (
    <>
      <Part title={t('admin.overview')}>
        <Facts
          rows={[
            [t('admin.state'), <EnabledBadge enabled={user.enabled} />],
            [t('admin.source'), t(sourceNames[user.source ?? 'local'])],
            [t('admin.qualified'), <Copied value={user.name} />],
            [t('admin.arn'), <Copied value={user.arn} />],
            [t('admin.created'), <When value={user.created} />],
            [t('admin.updated'), <When value={user.updated} relative />],
          ]}
        />
      </Part>
      <Part title={t('admin.policies')} about={user.source === 'openid' ? t('admin.user.policies.openid') : undefined}>
        <Frame>
          <NameSet
            names={user.policies}
            options={(policies.data ?? []).map((p) => p.name)}
            label={t('admin.policies')}
            placeholder={t('admin.policy.choose')}
            empty={t('admin.user.policies.none')}
            to={may('admin:GetPolicy') ? (n) => pathTo('policies', 'name', n) : undefined}
            onAdd={attach ? (n) => patch({ attach: [n] }) : undefined}
            onRemove={attach ? (n) => void patch({ detach: [n] }) : undefined}
          />
        </Frame>
      </Part>
      <Part title={t('admin.groups')}>
        <Frame>
          <NameSet
            names={user.groups}
            options={(groups.data ?? []).map((g) => g.name)}
            label={t('admin.groups')}
            placeholder={t('admin.group.choose')}
            empty={t('admin.user.groups.none')}
            to={may('admin:GetGroup') ? (n) => pathTo('groups', n) : undefined}
            onAdd={may('admin:AddUserToGroup') && user.source !== 'ldap' ? (n) => member(n, 'add') : undefined}
            onRemove={may('admin:RemoveUserFromGroup') && user.source !== 'ldap' ? (n) => void member(n, 'remove') : undefined}
          />
        </Frame>
      </Part>
      {may('admin:ListServiceAccounts') && <Keys user={user.name} />}
      {may('admin:ListTemporaryAccounts') && <Sessions user={user.name} />}
    </>
  );
}

/** A technical text with what copies it. */
export function Copied({ value }: { value: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Mono wrap>{value}</Mono>
      <CopyButton value={value} size="xs" />
    </Group>
  );
}

function Keys({ user }: { user: string }) {
  const t = useT();
  const { may } = useSession();
  const keys = useQuery(keysQuery({ user }));
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<Secret>();
  return (
    <Part
      title={t('admin.keys')}
      actions={
        may('admin:CreateServiceAccount') && (
          <Button size="xs" variant="default" leftSection={<IconPlus size={15} aria-hidden />} onClick={() => setCreating(true)}>
            {t('admin.key.new')}
          </Button>
        )
      }
    >
      <Loaded query={keys} height={80}>
        {(list) => <KeyTable keys={list} mayChange={may('admin:UpdateServiceAccount')} mayDelete={may('admin:RemoveServiceAccount')} empty={<Frame>{t('admin.keys.none')}</Frame>} />}
      </Loaded>
      {creating && <KeyDialog owner={user} onClose={() => setCreating(false)} onMade={setMade} />}
      {made && <SecretDialog secret={made} title={t('admin.key.made')} onClose={() => setMade(undefined)} />}
    </Part>
  );
}

function Sessions({ user }: { user: string }) {
  const t = useT();
  const { may } = useSession();
  const { act, busy } = useAct();
  const sessions = useQuery(sessionsQuery({ user }));
  return (
    <Part
      title={t('admin.sessions')}
      actions={
        may('admin:RemoveServiceAccount') &&
        (sessions.data?.length ?? 0) > 0 && (
          <Button size="xs" variant="default" loading={busy} onClick={() => void act(() => adminSend('POST', ['sessions', 'revoke'], { user }), t('admin.sessions.ended'))}>
            {t('admin.sessions.endAll')}
          </Button>
        )
      }
    >
      <Loaded query={sessions} height={80}>
        {(list) => <SessionTable sessions={list} mayEnd={may('admin:RemoveServiceAccount')} empty={<Frame>{t('admin.sessions.none')}</Frame>} />}
      </Loaded>
    </Part>
  );
}
