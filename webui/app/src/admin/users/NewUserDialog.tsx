import { PasswordInput, TagsInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { groupsQuery, policiesQuery } from '../data';
import { FormDialog } from '../parts/FormDialog';
import type { Secret } from '../types';

/** Makes a user of this server. Without a password the server makes one, which is shown once. */
export function NewUserDialog({ onClose, onMade }: { onClose: () => void; onMade: (s: Secret) => void }) {
  const t = useT();
  const { may } = useSession();
  const [name, setName] = useState('');
  const [secret, setSecret] = useState('');
  const [policies, setPolicies] = useState<string[]>([]);
  const [groups, setGroups] = useState<string[]>([]);
  const mayAttach = may('admin:AttachUserOrGroupPolicy');
  const mayJoin = may('admin:AddUserToGroup');
  const all = useQuery({ ...policiesQuery, enabled: mayAttach && may('admin:ListUserPolicies') });
  const allGroups = useQuery({ ...groupsQuery, enabled: mayJoin && may('admin:ListGroups') });
  // People of a directory or a provider have no password here.
  const external = /^(ldap|openid|tls|custom):/.test(name);
  const submit = async () => {
    const made = await adminSend<Secret>('PUT', ['users', name.trim()], { ...(secret && !external ? { secret } : {}), ...(policies.length ? { policies } : {}) });
    // The secret is told only now: it is shown even when a group refuses.
    if (made.secret) onMade(made);
    for (const g of groups) await adminSend('PATCH', ['groups', g], { add: [name.trim()] });
  };
  return (
    <FormDialog title={t('admin.user.new')} action={t('action.create')} onSubmit={submit} onClose={onClose}>
      <TextInput label={t('admin.user.name')} description={t('admin.user.name.hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} required minLength={3} maxLength={external ? 1024 : 128} autoComplete="off" autoCapitalize="off" spellCheck={false} data-autofocus />
      {!external && <PasswordInput
        label={t('admin.user.secret')}
        description={t('admin.user.secret.hint')}
        value={secret}
        onChange={(e) => setSecret(e.currentTarget.value)}
        autoComplete="new-password"
        minLength={8}
        maxLength={40}
        visibilityToggleButtonProps={{ 'aria-label': t('action.show.secret') }}
      />}
      {mayAttach && <TagsInput label={t('admin.policies')} placeholder={policies.length ? '' : t('admin.policy.choose')} value={policies} onChange={setPolicies} data={(all.data ?? []).map((p) => p.name)} />}
      {mayJoin && (allGroups.data?.length ?? 0) > 0 && <TagsInput label={t('admin.groups')} placeholder={groups.length ? '' : t('admin.group.choose')} value={groups} onChange={setGroups} data={(allGroups.data ?? []).map((g) => g.name)} />}
    </FormDialog>
  );
}
