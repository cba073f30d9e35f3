import { ActionIcon, Button, Group, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { IconPlus, IconX } from '@tabler/icons-react';
import { useState } from 'react';
import { putSetting } from '../../api/s3';
import { useT, type Translate } from '../../i18n';
import { DataTable, type Column } from '../../ui/DataTable';
import { useChange } from '../setting';
import { aclXML, anyAccount, everybody, logDelivery, permissions, type ACL, type Grant, type Permission } from './acl';

const known = { [everybody]: 'ownership.everybody', [anyAccount]: 'ownership.anyAccount', [logDelivery]: 'ownership.logDelivery' } as const;

function whom(g: Grant, owner: string, t: Translate): string {
  if (g.to.uri) return g.to.uri in known ? t(known[g.to.uri as keyof typeof known]) : g.to.uri;
  return g.to.id === owner ? t('ownership.owner') : g.name || (g.to.id ?? '');
}

const keyOf = (g: Grant) => `${g.to.uri ?? g.to.id} ${g.permission}`;

/** The access control list of the bucket: each grant, and a way to add one. */
export function Grants({ bucket, acl, saved }: { bucket: string; acl: ACL; saved: () => unknown }) {
  const t = useT();
  const [grants, setGrants] = useState(acl.grants);
  const change = useChange(saved);
  const columns: Column<Grant>[] = [
    {
      id: 'to', title: t('ownership.grantee'),
      cell: (g) => (
        <span title={g.to.uri ?? g.to.id} style={{ overflowWrap: 'anywhere' }}>
          {whom(g, acl.owner, t)}
        </span>
      ),
    },
    { id: 'may', title: t('ownership.may'), cell: (g) => t(`ownership.${g.permission}`) },
    {
      id: 'act', title: '', align: 'right', width: 50,
      cell: (g) => (
        <ActionIcon variant="subtle" color="gray" onClick={() => setGrants(grants.filter((x) => x !== g))} aria-label={`${t('action.remove')}: ${whom(g, acl.owner, t)}, ${t(`ownership.${g.permission}`)}`}>
          <IconX size={16} />
        </ActionIcon>
      ),
    },
  ];
  const add = (g: Grant) => grants.some((x) => keyOf(x) === keyOf(g)) || setGrants([...grants, g]);
  return (
    <Stack>
      <DataTable label={t('ownership.acl')} rows={grants} rowKey={keyOf} columns={columns} empty={<Text>{t('ownership.acl.none')}</Text>} />
      <AddGrant onAdd={add} />
      {change.problem}
      <Group>
        <Button onClick={() => void change.run(() => putSetting(bucket, 'acl', aclXML({ owner: acl.owner, grants })))} loading={change.busy} disabled={JSON.stringify(grants) === JSON.stringify(acl.grants)}>
          {t('action.save')}
        </Button>
      </Group>
    </Stack>
  );
}

function AddGrant({ onAdd }: { onAdd: (g: Grant) => unknown }) {
  const t = useT();
  const [to, setTo] = useState<string>(everybody);
  const [id, setID] = useState('');
  const [permission, setPermission] = useState<Permission>('READ');
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        onAdd({ to: to ? { uri: to } : { id: id.trim() }, name: '', permission });
      }}
    >
      <Group align="flex-end" gap="xs">
        <NativeSelect label={t('ownership.grantee')} value={to} onChange={(e) => setTo(e.currentTarget.value)} data={[...Object.entries(known).map(([value, label]) => ({ value, label: t(label) })), { value: '', label: t('ownership.account') }]} />
        {to === '' && <TextInput label={t('ownership.account.id')} value={id} onChange={(e) => setID(e.currentTarget.value)} required withAsterisk={false} spellCheck={false} autoComplete="off" ff="monospace" />}
        <NativeSelect label={t('ownership.may')} value={permission} onChange={(e) => setPermission(e.currentTarget.value as Permission)} data={permissions.map((p) => ({ value: p, label: t(`ownership.${p}`) }))} />
        <Button type="submit" variant="default" leftSection={<IconPlus size={15} aria-hidden />}>
          {t('action.add')}
        </Button>
      </Group>
    </form>
  );
}
