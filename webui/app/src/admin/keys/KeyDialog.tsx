import { Autocomplete, Group, PasswordInput, Stack, Switch, Textarea, TextInput, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { adminSend } from '../../api/admin';
import { useSession } from '../../app/session';
import { useT } from '../../i18n';
import { usersQuery } from '../data';
import { readDocument } from '../parts/documents';
import { Expiry } from '../parts/Expiry';
import { FormDialog } from '../parts/FormDialog';
import { PolicyEditor } from '../parts/PolicyEditor';
import { format, fromTemplate } from '../policies/templates';
import type { Key, Secret } from '../types';

interface Props {
  /** The key to change; a new one without it. */
  edit?: Key;
  /** Whose key is made: a name, "" to be chosen; one's own without it. */
  owner?: string;
  onMade?: (secret: Secret) => void;
  onClose: () => void;
}

/** Makes an access key, or changes one. */
export function KeyDialog({ edit, owner, onMade, onClose }: Props) {
  const t = useT();
  const { may } = useSession();
  const [parent, setParent] = useState(owner ?? '');
  const [name, setName] = useState(edit?.name ?? '');
  const [description, setDescription] = useState(edit?.description ?? '');
  const [expires, setExpires] = useState(edit?.expires && !edit.expires.startsWith('0001-') ? edit.expires : '');
  const [limited, setLimited] = useState(edit?.policy !== undefined);
  const [policy, setPolicy] = useState(edit?.policy !== undefined ? format(edit.policy) : fromTemplate('read', { bucket: '', prefix: '' }));
  const [own, setOwn] = useState(false);
  const [accessKey, setAccessKey] = useState('');
  const [secret, setSecret] = useState('');
  const users = useQuery({ ...usersQuery, enabled: owner === '' && may('admin:ListUsers') });
  const mayLimit = !edit || may('admin:UpdateServiceAccount');

  const submit = async () => {
    const document = limited ? readDocument(policy, (reason) => t('ui.json.bad', { reason })) : null;
    if (edit) {
      const before = edit.policy === undefined ? null : edit.policy;
      await adminSend('PATCH', ['keys', edit.accessKey], {
        name, description,
        ...(expires !== (edit.expires ?? '') ? { expires } : {}),
        ...(secret ? { secret } : {}),
        ...(JSON.stringify(document) !== JSON.stringify(before) ? { policy: document } : {}),
      });
      return;
    }
    const made = await adminSend<Secret>('POST', ['keys'], {
      ...(owner !== undefined ? { parent: parent.trim() } : {}),
      ...(name ? { name } : {}),
      ...(description ? { description } : {}),
      ...(expires ? { expires } : {}),
      ...(document ? { policy: document } : {}),
      ...(own ? { accessKey: accessKey.trim(), secret } : {}),
    });
    onMade?.(made);
  };

  return (
    <FormDialog title={edit ? t('admin.key.edit', { name: edit.name || edit.accessKey }) : t('admin.key.new')} action={edit ? t('action.save') : t('action.create')} onSubmit={submit} onClose={onClose}>
      {owner === '' && (
        <Autocomplete label={t('admin.owner')} description={t('admin.key.owner.hint')} value={parent} onChange={setParent} data={(users.data ?? []).map((u) => u.name)} limit={50} required data-autofocus />
      )}
      <TextInput label={t('ui.name')} description={t('admin.key.name.hint')} value={name} onChange={(e) => setName(e.currentTarget.value)} maxLength={32} data-autofocus={owner !== '' || undefined} />
      <Textarea label={t('admin.description')} value={description} onChange={(e) => setDescription(e.currentTarget.value)} maxLength={256} autosize minRows={1} maxRows={4} />
      <Expiry value={expires} onChange={setExpires} />
      {edit && <PasswordInput label={t('admin.secret.new')} description={t('admin.secret.keep')} value={secret} onChange={(e) => setSecret(e.currentTarget.value)} autoComplete="new-password" minLength={8} maxLength={40} />}
      {!edit && (
        <Stack gap="xs">
          <Switch label={t('admin.key.choose')} description={t('admin.key.choose.hint')} checked={own} onChange={(e) => setOwn(e.currentTarget.checked)} />
          {own && (
            <Group grow align="flex-start">
              <TextInput label={t('admin.accessKey')} value={accessKey} onChange={(e) => setAccessKey(e.currentTarget.value)} required minLength={3} maxLength={20} autoComplete="off" spellCheck={false} />
              <PasswordInput label={t('admin.secretKey')} value={secret} onChange={(e) => setSecret(e.currentTarget.value)} required minLength={8} maxLength={40} autoComplete="new-password" visibilityToggleButtonProps={{ 'aria-label': t('action.show.secret') }} />
            </Group>
          )}
        </Stack>
      )}
      <Stack gap="xs">
        <Switch label={t('admin.key.limit')} description={t('admin.key.limit.hint')} checked={limited} disabled={!mayLimit} onChange={(e) => setLimited(e.currentTarget.checked)} />
        {limited && <PolicyEditor value={policy} onChange={setPolicy} label={t('admin.key.policy')} readOnly={!mayLimit} minHeight={180} />}
        {!mayLimit && <Text size="sm" c="dimmed">{t('admin.key.limit.denied')}</Text>}
      </Stack>
    </FormDialog>
  );
}
