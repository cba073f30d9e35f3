import { ActionIcon, Badge, Button, Group, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { adminGet, adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { CopyButton } from '../../ui/CopyButton';
import { DataTable } from '../../ui/DataTable';
import { useFormat } from '../../ui/format';
import { Page } from '../../ui/Page';
import { When } from '../../ui/When';
import { useChanged } from '../data';
import { Mono } from '../parts/Facts';
import { FormDialog } from '../parts/FormDialog';
import { Loaded } from '../parts/Loaded';
import { SecretDialog } from '../parts/SecretDialog';
import type { Secret } from '../types';

/** Whom users and buckets belong to. */
interface Account {
  id: string;
  /** '' for the deployment's. */
  name: string;
  canonicalId: string;
  root: string;
  users: number;
  deployment: boolean;
  created?: string;
}

const accountsQuery = queryOptions({ queryKey: ['admin', 'accounts'], queryFn: async ({ signal }) => (await adminGet<{ accounts: Account[] }>(['accounts'], {}, signal)).accounts });

/** All accounts. */
export default function AccountsPage() {
  const t = useT();
  const format = useFormat();
  const { may } = useSession();
  const accounts = useQuery(accountsQuery);
  const changed = useChanged();
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<Secret>();
  const [deleting, setDeleting] = useState<Account>();
  const nameOf = (a: Account) => (a.deployment ? t('account.deployment') : a.name);
  const create = may('admin:CreateUser') && may('admin:AttachUserOrGroupPolicy') && (
    <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setCreating(true)}>
      {t('account.new')}
    </Button>
  );
  return (
    <Page title={t('admin.accounts')} about={t('account.about')} actions={create} wide>
      <Loaded query={accounts}>
        {(list) => (
          <DataTable
            label={t('admin.accounts')} rows={list} rowKey={(a) => a.id} {...(list.length > 8 ? { search: (a: Account) => `${a.name} ${a.id} ${a.root}` } : {})}
            columns={[
              {
                id: 'name', title: t('ui.name'), sort: nameOf,
                cell: (a) => (
                  <Stack gap={2}>
                    <Group gap={6}>
                      <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
                        {nameOf(a)}
                      </Text>
                      {a.deployment && (
                        <Badge color="gray" size="sm">
                          {t('account.this')}
                        </Badge>
                      )}
                    </Group>
                    <Group gap={2} wrap="nowrap">
                      <Mono wrap>{a.id}</Mono>
                      <CopyButton value={a.id} label={`${t('action.copy')}: ${a.id}`} size="xs" />
                    </Group>
                  </Stack>
                ),
              },
              { id: 'root', title: t('account.root'), sort: (a) => a.root, cell: (a) => <span style={{ overflowWrap: 'anywhere' }}>{a.root}</span> },
              {
                id: 'canonical', title: t('ownership.account.id'), from: 'lg',
                cell: (a) => (
                  <Group gap={2} wrap="nowrap">
                    <span title={a.canonicalId}>
                      <Mono>{a.canonicalId.slice(0, 12)}…</Mono>
                    </span>
                    <CopyButton value={a.canonicalId} label={`${t('action.copy')}: ${t('ownership.account.id')}, ${nameOf(a)}`} size="xs" />
                  </Group>
                ),
              },
              { id: 'users', title: t('admin.users'), from: 'sm', align: 'right', sort: (a) => a.users, cell: (a) => format.number(a.users) },
              { id: 'created', title: t('admin.created'), from: 'md', sort: (a) => a.created ?? '', cell: (a) => (a.created ? <When value={a.created} relative /> : '–') },
              ...(may('admin:DeleteUser')
                ? [
                    {
                      id: 'act', title: '', align: 'right' as const, width: 50,
                      cell: (a: Account) =>
                        !a.deployment && (
                          <ActionIcon variant="subtle" color="gray" onClick={() => setDeleting(a)} aria-label={`${t('action.delete')}: ${a.name}`}>
                            <IconTrash size={17} />
                          </ActionIcon>
                        ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Loaded>
      {creating && <NewAccountDialog onClose={() => setCreating(false)} onMade={setMade} />}
      {made && <SecretDialog secret={made} title={t('account.made')} onClose={() => setMade(undefined)} />}
      {deleting && (
        <ConfirmDialog
          title={`${t('account.delete')}: ${deleting.name}`} action={t('action.delete')} danger type={deleting.name} onClose={() => setDeleting(undefined)}
          onConfirm={async () => {
            await adminSend('DELETE', ['accounts', deleting.id]);
            await changed();
          }}
        >
          <Text>{t('account.delete.text', { root: deleting.root })}</Text>
        </ConfirmDialog>
      )}
    </Page>
  );
}

function NewAccountDialog({ onClose, onMade }: { onClose: () => void; onMade: (s: Secret) => void }) {
  const t = useT();
  const [name, setName] = useState('');
  const [root, setRoot] = useState('');
  const [id, setID] = useState('');
  const [secret, setSecret] = useState('');
  const submit = async () => onMade(await adminSend<Secret>('PUT', ['accounts', name.trim()], { root: root.trim() || name.trim(), ...(id ? { id } : {}), ...(secret ? { secret } : {}) }));
  const plain = { autoComplete: 'off', autoCapitalize: 'off', spellCheck: false } as const;
  return (
    <FormDialog title={t('account.new')} action={t('action.create')} onSubmit={submit} onClose={onClose}>
      <TextInput label={t('ui.name')} value={name} onChange={(e) => setName(e.currentTarget.value)} required {...plain} data-autofocus />
      <TextInput label={t('account.root')} description={t('account.root.hint')} value={root} onChange={(e) => setRoot(e.currentTarget.value)} placeholder={name} maxLength={128} {...plain} />
      <PasswordInput
        label={t('admin.user.secret')} description={t('admin.user.secret.hint')} value={secret} onChange={(e) => setSecret(e.currentTarget.value)} autoComplete="new-password" minLength={8} maxLength={40}
        visibilityToggleButtonProps={{ 'aria-label': t('action.show.secret') }}
      />
      <TextInput label={t('account.id')} description={t('account.id.hint')} value={id} onChange={(e) => setID(e.currentTarget.value)} pattern="[0-9]{12}" maxLength={12} inputMode="numeric" {...plain} />
    </FormDialog>
  );
}
